// Bugs that the simulation of bare cores finds.
const core = (name) => `src/core/${name}.ts`;

export const coreBugs = [
  {
    name: 'a majority is one less',
    edits: [
      {
        file: core('quorum'),
        find: 'return values[Math.floor(voters.length / 2)] ?? 0;',
        replace: 'return values[Math.max(0, Math.floor(voters.length / 2) - 1)] ?? 0;',
      },
    ],
  },
  {
    name: 'a joint configuration counts one half only',
    edits: [
      {
        file: core('quorum'),
        find: 'return Math.min(incoming, majorityValue(configuration.votersOutgoing, reachedBy));',
        replace: 'return incoming;',
      },
    ],
  },
  {
    name: 'votes are given without a look at the log',
    edits: [
      {
        file: core('log'),
        find: '  const ours = lastTerm(log);\n  if (candidate',
        replace: '  const ours = lastTerm(log);\n  if (log.lastIndex >= 0) return true;\n  if (candidate',
      },
    ],
  },
  {
    name: 'entries of earlier terms are committed by counting',
    edits: [
      {
        file: core('commit'),
        find: 'if (termAt(draft.log, majorityIndex) !== draft.currentTerm) return;',
        replace: '',
      },
    ],
  },
  {
    name: 'votes are asked for before the own vote is on disk',
    edits: [
      {
        file: core('election'),
        find: 'for (const peer of otherVoters(draft)) sendWhenDurable(work, peer, request);\n}\n\n/** A candidate',
        replace: 'for (const peer of otherVoters(draft)) send(work, peer, request);\n}\n\n/** A candidate',
      },
    ],
  },
  {
    name: 'a vote is given before it is on disk',
    edits: [
      {
        file: core('election'),
        find: 'give it time to win (§5.2).\n  sendWhenDurable(work, from, reply);',
        replace: 'give it time to win (§5.2).\n  send(work, from, reply);',
      },
    ],
  },
  {
    name: 'a leader counts its own entries before they are on disk',
    edits: [
      {
        file: core('commit'),
        find: 'const ownIndex = durableIndex(draft);',
        replace: 'const ownIndex = draft.log.lastIndex;',
      },
    ],
  },
  {
    name: 'a stale disk completion acknowledges newer entries',
    edits: [
      {
        file: core('flush'),
        find: 'draft.unflushed = dropped(draft.unflushed, flushedBy(draft, seq));',
        replace: 'draft.unflushed = [];',
      },
    ],
  },
  {
    name: 'a reordered append truncates',
    edits: [
      {
        file: core('append-entries'),
        find: 'return termAt(log, batch.index) === batch.term && termAt(log, last) === batch.term;',
        replace: 'return false;',
      },
      {
        file: core('append-entries'),
        find: 'if (first.index <= follower.verifiedIndex) {',
        replace: 'if (first.index < 0) {',
      },
    ],
  },
  {
    name: 'a follower commits beyond what was verified',
    edits: [
      {
        file: core('append-entries'),
        find: 'lower(request.leaderCommit, verified); // Rule 5.',
        replace: 'lower(request.leaderCommit, draft.log.lastIndex);',
      },
    ],
  },
  {
    name: 'a read is confirmed by its caller’s id',
    edits: [
      {
        file: core('reads'),
        find: 'leader.round += 1;',
        replace: 'leader.round = leader.reads[0]?.id ?? 0;',
      },
    ],
  },
  {
    name: 'reads are served before the first commit of a term',
    edits: [
      {
        file: core('reads'),
        find: 'if (leader.reads.length === 0 || draft.commitIndex < leader.readyIndex) return;',
        replace: 'if (leader.reads.length === 0) return;',
      },
    ],
  },
  {
    name: 'notCommitted is said of what a later leader may commit',
    edits: [
      {
        file: core('role'),
        find: "work.outputs.push({ type: 'writeRes', id: write.id, result: { type: 'unknown' } });",
        replace:
          "work.outputs.push({ type: 'writeRes', id: write.id, result: { type: 'notCommitted', reason: { type: 'overloaded' } } });",
      },
    ],
  },
  {
    name: 'a node whose disk was wiped votes under its old name',
    edits: [
      {
        file: core('types'),
        find: 'a.id === b.id && a.storeId === b.storeId);',
        replace: 'a.id === b.id);',
      },
      {
        file: core('configuration'),
        find: 'if (id === peer.id && storeId === peer.storeId) return true;',
        replace: 'if (id === peer.id) return true;',
      },
    ],
  },
  {
    name: 'a snapshot leaves the membership as it was',
    edits: [
      {
        file: core('snapshot-installing'),
        find: 'draft.configurations = [snapshot.configuration, ...later];',
        replace:
          'draft.configurations = [draft.configurations.findLast((at) => at.index <= snapshot.index) ?? snapshot.configuration, ...later];',
      },
    ],
  },
  {
    name: 'a log is compacted beyond what its own disk has flushed',
    edits: [
      {
        file: core('compaction'),
        find: 'lower(compacting.keepsPrevious ? lower(previous, index) : index, durableIndex(draft));',
        replace: '(compacting.keepsPrevious ? lower(previous, index) : index);',
      },
    ],
  },
  {
    name: 'an installed snapshot is not known to be one of the own',
    edits: [
      {
        file: core('snapshot-installing'),
        find: 'draft.snapshotIndex = higher(draft.snapshotIndex, snapshot.index);',
        replace: '',
      },
    ],
  },
].map((bug) => ({ simulator: 'core', ...bug }));
