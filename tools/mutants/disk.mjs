// Rules 1 to 3: what has to be on disk before it is said, or counts.
import { core, ofRule, rules } from './places.mjs';

const untilDurable = 'if (isHardStateDurable(draft)) send(work, to, message);';

export const disk = [
  ...ofRule(1, rules('rule-1-durable-before-said'), [
    {
      name: 'a vote leaves before it is on disk',
      file: core('durability'),
      find: untilDurable,
      replace: 'if (draft.now >= 0) send(work, to, message);',
      claim: 'a vote leaves once it is on disk, in one write with its term',
    },
    {
      name: 'a candidate asks for votes before its own is on disk',
      file: core('election'),
      find: 'for (const peer of otherVoters(draft)) sendWhenDurable(work, peer, request);',
      replace: 'for (const peer of otherVoters(draft)) send(work, peer, request);',
      claim: 'a candidate asks for votes only once its own term and vote are on disk',
    },
    {
      name: 'a vote that was given before is repeated at once',
      file: core('election'),
      find: "  if (draft.role.type === 'preCandidate') becomeFollower(work, draft.currentTerm, null);\n  if (draft.votedFor === null) setVote(draft, from);",
      replace:
        "  if (draft.role.type === 'preCandidate') becomeFollower(work, draft.currentTerm, null);\n  if (draft.votedFor !== null) return send(work, from, reply);\n  setVote(draft, from);",
      claim: 'a vote that is asked for again waits just the same',
    },
    {
      name: 'a vote is not written',
      file: core('durability'),
      find: '  draft.votedFor = candidate;\n  draft.hardStateSeq = nextPersistSeq(draft);',
      replace: '  draft.votedFor = candidate;',
      claim: 'a vote in a term that is on disk already waits for a write of its own',
    },
    {
      name: 'what waits for the disk outlives its term',
      file: core('durability'),
      find: '  draft.held = [];\n',
      replace: '',
      claim: 'a vote that waits never leaves once the term has passed',
    },
    {
      name: 'a leader is acknowledged before its term is on disk',
      file: core('following'),
      find: 'if (leader === null || !isHardStateDurable(draft)) return;',
      replace: 'if (leader === null) return;',
      claim: 'a heartbeat of a new term is acknowledged once that term is on disk',
    },
    {
      name: 'entries are acknowledged before they are on disk',
      file: core('following'),
      find: 'const matchIndex = lower(follower.verifiedIndex, durableIndex(draft));',
      replace: 'const matchIndex = lower(follower.verifiedIndex, draft.log.lastIndex);',
      claim: 'entries are acknowledged once they are on disk, and so is a repetition of them',
    },
    {
      name: 'entries are written without their term',
      file: core('durability'),
      find: '...(hasNewHardState && { hardState: { currentTerm, votedFor } }),',
      replace: '...(hasNewHardState && batches.length === 0 && { hardState: { currentTerm, votedFor } }),',
      claim: 'a term is written in one request with the entries of it',
    },
    {
      name: 'a restart forgets the vote',
      file: core('start'),
      find: 'votedFor: start.hardState.votedFor,',
      replace: 'votedFor: null,',
      claim: 'a node that restarts keeps to the vote that it had cast',
    },
  ]),
  ...ofRule(2, rules('rule-2-own-disk-counts-like-others'), [
    {
      name: 'the leader counts its own append before the flush',
      file: core('commit'),
      find: 'const ownIndex = durableIndex(draft);',
      replace: 'const ownIndex = Math.max(durableIndex(draft), draft.log.lastIndex);',
      claim: 'a leader’s own copy is no part of the majority before it is flushed',
    },
    {
      name: 'a candidate counts its own vote before the flush',
      file: core('election'),
      find: "draft.role = { type: 'candidate', votes: [], declined: [] };",
      replace: "draft.role = { type: 'candidate', votes: withVote(draft, [], draft.self), declined: [] };",
      claim: 'a candidate with one more vote does not lead before its own is flushed',
    },
    {
      name: 'the leader’s disk has to be part of the majority',
      file: core('commit'),
      find: '}) as Index;\n  if (majorityIndex <= draft.commitIndex) return;',
      replace: '}) as Index;\n  if (majorityIndex <= draft.commitIndex || majorityIndex > ownIndex) return;',
      claim: 'a majority of followers commits without the leader’s disk (thesis §10.2.1)',
    },
  ]),
  ...ofRule(3, rules('rule-3-completions-name-their-request'), [
    {
      name: 'a stale completion acknowledges newer entries',
      file: core('flush'),
      find: '(unflushed[flushed] as Unflushed).seq <= seq)',
      replace: '(unflushed[flushed] as Unflushed).seq <= seq + 1)',
      claim: 'the flush of an entry that is gone does not acknowledge the one in its place',
    },
    {
      name: 'the request of a truncated entry stands for the one in its place',
      file: core('durability'),
      find: '  const older = begunBefore(draft.unflushed, firstIndex);\n',
      replace:
        '  if (draft.unflushed.some((request) => request.firstIndex === firstIndex)) return;\n  const older = begunBefore(draft.unflushed, firstIndex);\n',
      claim: 'even when the term is durable already, it acknowledges only what is before the change',
    },
    {
      name: 'the last flush acknowledges nothing by itself',
      file: core('flush'),
      find: "else if (draft.role.type === 'follower') acknowledge(work, draft.role);",
      replace: '',
      claim: 'the log makes progress when it then goes quiet: the last flush acknowledges by itself',
    },
    {
      name: 'many requests under way count as the oldest of them',
      file: core('durability'),
      find: 'older.with(-1, { ...(older.at(-1) as Unflushed), seq })',
      replace: 'older.with(-1, { ...(older.at(-1) as Unflushed) })',
      claim: 'with very many requests under way none is acknowledged too early',
    },
    {
      name: 'a completion of what was never asked for is believed',
      file: core('flush'),
      find: "  if (seq > draft.persistSeq)\n    return fault('self', 'unknownCompletion', { seq, persistSeq: draft.persistSeq });\n",
      replace: '',
      claim: 'a completion of what was never asked for is a fault of this node’s own',
    },
  ]),
];
