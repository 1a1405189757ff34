// Rules 4 to 6 and 14: what goes into the log, what leaves it, and what is committed.
import { core, ofRule, paper, rules } from './places.mjs';

export const log = [
  ...ofRule(4, rules('rule-4-truncate-only-on-conflict'), [
    {
      name: 'a late message truncates what it does not hold',
      file: core('append-entries'),
      find: 'const conflict = storeEntries(work, follower, request.batches);',
      replace:
        'const end = request.batches.at(-1); if (end !== undefined && lastOf(end) < draft.log.lastIndex) truncateLogFrom(work, after(lastOf(end)));\n  const conflict = storeEntries(work, follower, request.batches);',
      claim: 'a message that is late, and holds less than the log, removes nothing',
    },
    {
      name: 'what conflicts stays below what is new',
      file: core('append-entries'),
      find: 'if (first.index <= draft.log.lastIndex) truncateLogFrom(work, first.index);',
      replace: '',
      claim: 'a conflict removes the entry and all that follow it',
    },
    {
      name: 'what is held already is taken for a conflict',
      file: core('append-entries'),
      find: 'return termAt(log, batch.index) === batch.term && termAt(log, last) === batch.term;',
      replace: 'return false;',
      claim: 'batches that are held already are passed over before the conflict',
    },
    {
      name: 'a committed entry is replaced',
      file: core('append-entries'),
      find: `  if (first.index <= draft.commitIndex) return replaces(draft, first.index, first.term);
  if (first.index <= follower.verifiedIndex) {`,
      replace: '  if (first.index <= follower.verifiedIndex && first.index > draft.commitIndex) {',
      claim: 'a message that would replace a committed entry is a fault of the peer, and changes nothing',
    },
    {
      name: 'a previous entry that contradicts a committed one is looked for further back',
      file: core('append-entries'),
      find: 'if (prevLogIndex <= draft.commitIndex) return replaces(draft, prevLogIndex, prevLogTerm);',
      replace: '',
      claim: 'so is a previous entry that contradicts a committed one',
    },
    {
      name: 'a previous index below the compaction point is a conflict',
      file: core('append-entries'),
      find: 'request.prevLogIndex <= draft.log.startIndex || prevTerm === request.prevLogTerm;',
      replace: 'prevTerm === request.prevLogTerm;',
      claim: 'a previous index below the compaction point is a match: what is compacted is passed over',
    },
  ]),
  ...ofRule(5, rules('rule-5-commit-what-is-verified'), [
    {
      name: 'a follower commits beyond what the message verified',
      file: core('append-entries'),
      find: 'const commitIndex = lower(request.leaderCommit, verified);',
      replace: 'const commitIndex = lower(request.leaderCommit, draft.log.lastIndex);',
      claim: 'not through entries of its own that the leader never mentioned',
    },
    {
      name: 'a follower commits more than its leader has',
      file: core('append-entries'),
      find: 'const commitIndex = lower(request.leaderCommit, verified);',
      replace: 'const commitIndex = verified;',
      claim: 'through the leader’s commit, when more was verified',
    },
    {
      name: 'a late message takes the commit back',
      file: core('append-entries'),
      find: 'if (commitIndex > draft.commitIndex) advanceCommit(work, commitIndex);',
      replace: 'advanceCommit(work, commitIndex);',
      claim: 'and never less than before',
    },
  ]),
  ...ofRule(6, rules('rule-6-quorums'), [
    {
      name: 'majority minus one',
      file: core('quorum'),
      find: 'values[Math.floor(voters.length / 2)]',
      replace: 'values[Math.max(0, Math.floor(voters.length / 2) - 1)]',
      claim: 'of any number of voters, the highest value that more than half have reached',
    },
    {
      name: 'entries of earlier terms are committed by counting',
      file: core('commit'),
      find: 'if (termAt(draft.log, majorityIndex) !== draft.currentTerm) return;',
      replace: '',
      claim: 'an entry of an earlier term on every node is not committed by itself',
    },
    {
      name: 'a joint change counts the new half only',
      file: core('quorum'),
      find: 'return Math.min(incoming, majorityValue(configuration.votersOutgoing, reachedBy));',
      replace: 'return incoming;',
      claim: 'in a joint configuration both halves must agree',
    },
    {
      name: 'a joint change counts the old half only',
      file: core('quorum'),
      find: 'return Math.min(incoming, majorityValue(configuration.votersOutgoing, reachedBy));',
      replace: 'return majorityValue(configuration.votersOutgoing, reachedBy);',
      claim: 'in a joint configuration both halves must agree',
    },
    {
      name: 'learners count towards the majority',
      file: core('quorum'),
      find: 'const incoming = majorityValue(configuration.voters, reachedBy);',
      replace:
        'const incoming = majorityValue([...configuration.voters, ...configuration.learners], reachedBy);',
      test: paper('thesis-4.2.1-catching-up-new-servers'),
      claim:
        'The leader replicates log entries to it, but it is not yet counted towards majorities for voting or commitment purposes.',
    },
    {
      name: 'a configuration without voters agrees to everything',
      file: core('quorum'),
      find: 'values[Math.floor(voters.length / 2)] ?? 0;',
      replace: 'values[Math.floor(voters.length / 2)] ?? 1;',
      claim: 'without voters nothing is ever agreed',
    },
  ]),
  ...ofRule(14, rules('rule-14-contiguous'), [
    {
      name: 'a follower takes batches that do not follow each other',
      file: core('message-validation'),
      find: "return isSound ? undefined : 'batches do not follow each other';",
      replace: 'return isSound ? undefined : undefined;',
      claim: 'a follower refuses batches that leave a gap',
    },
    {
      name: 'a follower takes batches whose term falls',
      file: core('log'),
      find: 'if (batch.index !== next || batch.term < term) return false;',
      replace: 'if (batch.index !== next) return false;',
      claim: 'a follower refuses batches that fall in term',
    },
    {
      name: 'a follower takes batches that are newer than their leader',
      file: core('message-validation'),
      find: 'if ((batches[at] as EntryBatch).term > term)',
      replace: 'if ((batches[at] as EntryBatch).count < 0)',
      claim: 'a follower refuses batches that are newer than their leader',
    },
    {
      name: 'a leader sends batches that do not follow each other',
      file: core('replication'),
      find: 'if (prevTerm === undefined || !isContiguous(batches, { first: first.index, prevTerm })) return false;',
      replace: 'if (prevTerm === undefined) return false;',
      claim: 'a leader does not send what has a gap',
    },
    {
      name: 'a leader sends what its log does not hold',
      file: core('replication'),
      find: 'lastOf(batches.at(-1) as EntryBatch) >= peer.nextIndex && batches.every((batch) => isHeld(draft, batch))',
      replace: 'lastOf(batches.at(-1) as EntryBatch) >= peer.nextIndex',
      claim: 'a leader does not send what is of another term than the log says',
    },
    {
      name: 'a leader sends what begins after what was asked for',
      file: core('replication'),
      find: 'if (first === undefined || first.index > peer.nextIndex) return false;',
      replace: 'if (first === undefined) return false;',
      claim: 'a leader does not send what begins after what was asked for',
    },
  ]),
];
