// Rules 7, 15 and 16: who votes, and whose vote counts.
import { core, ofRule, rules } from './places.mjs';

export const votes = [
  ...ofRule(7, rules('rule-7-votes-by-member-and-term'), [
    {
      name: 'a vote of an earlier term counts',
      file: core('election'),
      find: 'if (reply.term !== draft.currentTerm) return; // Late.\n  if (reply.voteGranted)',
      replace: 'if (reply.voteGranted)',
      claim: 'a vote of an earlier term counts for nothing',
    },
    {
      name: 'a member may be listed twice',
      file: core('configuration-codec'),
      find: 'return isWhole && hasNoTwins(configuration) ?',
      replace: 'return isWhole ?',
      test: 'test/unit/core/configuration-codec.test.ts',
      claim: 'is not found where a name stands twice in one half of it',
    },
    {
      name: 'a term is taken over however far ahead it is',
      file: core('step'),
      find: 'if (!isWithinReach(message.term, currentTerm))',
      replace: 'if (!isWithinReach(message.term, message.term))',
      test: 'test/unit/core/term-reach.test.ts',
      claim: 'is at fault, and the term of a leader stays as it is',
    },
    {
      name: 'a vote that comes twice is kept twice',
      file: core('election'),
      find: 'return hasVoted || !isVoter(configurationOf(draft), voter) ? votes : [...votes, voter];',
      replace: 'return hasVoted && draft.now < 0 ? votes : [...votes, voter];',
      claim: 'a vote that comes twice counts once',
    },
    {
      name: 'a pre-vote counts as a vote',
      file: core('election'),
      find: "if (draft.role.type !== 'preCandidate') return; // Late.",
      replace:
        "if (draft.role.type !== 'preCandidate') return onRequestVoteReply(work, from, { ...reply, type: 'requestVoteReply' });",
      claim: 'a pre-vote is no vote, and a vote no pre-vote',
    },
    {
      name: 'a pre-vote for another term counts',
      file: core('election'),
      find: '  if (reply.term !== after(draft.currentTerm)) return;',
      replace: '',
      claim: 'a pre-vote that was granted for another term counts for nothing',
    },
    {
      name: 'a pre-vote restarts the timer of who gives it',
      file: core('election'),
      find: 'const term = voteGranted ? request.term : draft.currentTerm;',
      replace:
        'const term = voteGranted ? request.term : draft.currentTerm;\n  if (voteGranted) restartElectionTimer(draft);',
      claim: 'answering a pre-vote changes no vote, term or timer',
    },
    {
      name: 'asking for pre-votes is a new term',
      file: core('election'),
      find: "  const votes = withVote(draft, [], draft.self);\n  draft.role = { type: 'preCandidate', votes, declined: [] };",
      replace:
        "  const votes = withVote(draft, [], draft.self);\n  setTerm(draft, after(draft.currentTerm));\n  draft.role = { type: 'preCandidate', votes, declined: [] };",
      claim: 'asking for pre-votes changes no vote or term, and asks nothing of the disk',
    },
    {
      name: 'a second candidate gets the vote as well',
      file: core('election'),
      find: 'const isFree = draft.votedFor === null || isSamePeer(draft.votedFor, from);',
      replace: 'const isFree = draft.now >= 0;',
      claim: 'of two candidates in a term only the first gets the vote',
    },
    {
      name: 'who hears from a leader votes for another',
      file: core('election'),
      find: 'if (isSticky(draft) && !request.isTransfer) return; // A disruptive server: the leader we have is alive.',
      replace: '',
      claim: 'who hears from a leader gives neither vote nor pre-vote (thesis §4.2.3)',
    },
    {
      name: 'who hears from a leader gives pre-votes to others',
      file: core('election'),
      find: 'isNewer && !isSticky(draft) && hasConfiguration(draft)',
      replace: 'isNewer && hasConfiguration(draft)',
      claim: 'who hears from a leader gives neither vote nor pre-vote (thesis §4.2.3)',
    },
  ]),
  ...ofRule(15, rules('rule-15-learner-votes'), [
    {
      name: 'a learner does not vote when asked',
      file: core('election'),
      find: 'isFree &&\n',
      replace: 'isFree && isVoter(configurationOf(draft), draft.self) &&\n',
      claim: 'a learner grants a pre-vote and a vote',
    },
    {
      name: 'a learner gives no pre-vote when asked',
      file: core('election'),
      find: 'isNewer && !isSticky(draft) && hasConfiguration(draft)',
      replace: 'isNewer && !isSticky(draft) && isVoter(configurationOf(draft), draft.self)',
      claim: 'a learner grants a pre-vote and a vote',
    },
    {
      name: 'a learner stands for election',
      file: core('election'),
      find: 'return isFree && hasNextTerm && mayBeNeeded(draft);',
      replace: 'return isFree || mayBeNeeded(draft);',
      claim: 'a learner does not stand for election itself',
    },
    {
      name: 'a learner sticks to a leader that is silent',
      file: core('election'),
      find: '  becomeFollower(work, draft.currentTerm, null); // It waits for nobody in particular, and sticks to nobody.\n',
      replace: '',
      claim: 'nor does it stick for ever to a leader that is silent',
    },
  ]),
  ...ofRule(16, rules('rule-16-pre-vote-of-a-lower-term'), [
    {
      name: 'a pre-vote of a lower term is passed over',
      file: core('election'),
      find: 'const isNewer = request.term > draft.currentTerm;',
      replace: 'const isNewer = request.term > draft.currentTerm;\n  if (!isNewer) return;',
      claim: 'with the term that its sender lacks',
    },
    {
      name: 'the term in a declined pre-vote is passed over',
      file: core('step'),
      find: 'if (!message.voteGranted) stepDownIfStale(work, message);',
      replace: '',
      claim: 'so that the sender moves on to it, and can win the next time',
    },
  ]),
];
