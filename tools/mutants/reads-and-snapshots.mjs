// Rules 10 to 13 and 21: reads, snapshots, and the state machine.
import { core, ofRule, rules, streams } from './places.mjs';

const forwarded = 'test/unit/streams/forwarded.test.ts';
const machines = 'test/unit/streams/machine-durability.test.ts';
const together = 'then log start, configuration, commit and applied index go together';

export const readsAndSnapshots = [
  ...ofRule(10, rules('rule-10-read-index'), [
    {
      name: 'a read before the first commit of the term',
      file: core('reads'),
      find: 'if (leader.reads.length === 0 || draft.commitIndex < leader.readyIndex) return;',
      replace: 'if (leader.reads.length === 0) return;',
      claim: 'waits until an entry of the leader’s own term is committed',
    },
    {
      name: 'a read joins a round that began before it came',
      file: core('reads'),
      find: 'role.reads = [...role.reads, { id: read.id, payload: read.payload, round: 0, index: index0 }];',
      replace:
        'role.reads = [...role.reads, { id: read.id, payload: read.payload, round: role.round, index: draft.commitIndex }];',
      claim: 'a read that comes while a round is under way waits for the next, with its own index',
    },
    {
      name: 'a round is not counted anew',
      file: core('reads'),
      find: '  leader.round += 1;\n',
      replace: '  leader.round = Math.max(leader.round, 1);\n',
      claim: 'an answer to an earlier read under the same id confirms nothing',
    },
    {
      name: 'a round that never began is believed',
      file: core('append-entries'),
      find: 'if (reply.round <= leader.round) peer.round = Math.max(peer.round, reply.round);',
      replace: 'peer.round = Math.max(peer.round, reply.round);',
      claim: 'a round that no message of this leader ever carried confirms nothing',
    },
    {
      name: 'a query comes before the entries that it must see',
      file: core('reads'),
      find: "work.outputs.push({ type: 'readStateMachineReq', id, index, ...(payload && { payload }) });",
      replace:
        "work.outputs.unshift({ type: 'readStateMachineReq', id, index, ...(payload && { payload }) });",
      claim: 'so it does in a cluster of one, where both come in one step',
    },
    {
      name: 'the answer to an earlier start of a node is taken for a new one',
      file: streams('requests'),
      find: 'if (bootCounter !== this.#options.bootCounter) return;',
      replace: '',
      test: forwarded,
      claim: 'heeds neither an answer to an earlier run',
    },
    {
      name: 'a follower queries before it has applied the read index',
      file: streams('read-queue'),
      find: 'const isThere = group.index <= this.#machine.appliedIndex() && !this.#machine.isInstalling();',
      replace: 'const isThere = group.index >= 0 && !this.#machine.isInstalling();',
      test: forwarded,
      claim:
        'asks the leader unless the caller wanted less, and queries only once that index is applied here',
    },
  ]),
  ...ofRule(11, rules('rule-10-read-index'), [
    {
      name: 'a leader answers reads without asking anybody',
      file: core('reads'),
      find: 'read.round > 0 && read.round <= confirmedRound',
      replace: 'read.round > 0 && read.round <= Math.max(confirmedRound, leader.round)',
      claim: 'waits for a majority to answer a round that began after it came',
    },
    {
      name: 'a read is stale unless the caller asked for more',
      file: streams('node-face'),
      find: "  consistency = 'linearizable',\n}: ReadOptions)",
      replace: "  consistency = 'stale',\n}: ReadOptions)",
      test: forwarded,
      claim:
        'asks the leader unless the caller wanted less, and queries only once that index is applied here',
    },
  ]),
  ...ofRule(12, rules('rule-12-snapshots'), [
    {
      name: 'a snapshot at or below the commit index is installed',
      file: core('snapshot-installing'),
      find: 'if (snapshot.index <= draft.commitIndex) {',
      replace: 'if (snapshot.index < 0) {',
      claim: 'one at or below the commit index is refused',
    },
    {
      name: 'a snapshot that contradicts a committed entry is installed',
      file: core('snapshot-installing'),
      find: "  if (term < (termAt(log, commitIndex) as Term))\n    return fault('peer', 'committedEntryReplaced', { index, term, commitIndex });\n",
      replace: '  if (term < (termAt(log, commitIndex) as Term)) return undefined;\n',
      claim: 'one that contradicts a committed entry is refused: terms never fall along a log',
    },
    {
      name: 'a snapshot that contradicts its sender’s own log is installed',
      file: core('snapshot-installing'),
      find: 'const isSame = isSeen ? term === seenTerm : term >= seenTerm;',
      replace: 'const isSame = isSeen || term >= seenTerm;',
      claim: 'one that contradicts an entry that this very leader has sent is refused',
    },
    {
      name: 'the log is switched before the disk',
      file: core('snapshot-installing'),
      find: '  draft.installing = { seq: draft.snapshotSeq, snapshot };\n',
      replace:
        '  draft.installing = { seq: draft.snapshotSeq, snapshot };\n  draft.log = resetTo(snapshot);\n',
      claim: 'nothing changes before the disk has switched',
    },
    {
      name: 'a snapshot leaves the log where it was',
      file: core('snapshot-installing'),
      find: 'draft.log = keepsSuffix ? compactThrough(draft.log, snapshot.index) : resetTo(snapshot);',
      replace: 'draft.log = keepsSuffix ? compactThrough(draft.log, snapshot.index) : draft.log;',
      claim: together,
    },
    {
      name: 'a snapshot leaves the configuration as it was',
      file: core('snapshot-installing'),
      find: 'draft.configurations = [snapshot.configuration, ...later];',
      replace: 'if (later.length > 0) draft.configurations = [snapshot.configuration, ...later];',
      claim: together,
    },
    {
      name: 'a snapshot leaves the commit index behind',
      file: core('snapshot-installing'),
      find: '  draft.commitIndex = higher(draft.commitIndex, snapshot.index);\n',
      replace: '',
      claim: together,
    },
    {
      name: 'a snapshot leaves the applied index behind',
      file: core('snapshot-installing'),
      find: '  draft.lastApplied = higher(draft.lastApplied, snapshot.index);\n',
      replace: '',
      claim: together,
    },
    {
      name: 'what follows the snapshot goes though the log holds its last entry',
      file: core('snapshot-installing'),
      find: '  const keepsSuffix = termAt(draft.log, snapshot.index) === snapshot.term;\n  draft.log',
      replace: '  const keepsSuffix = termAt(draft.log, snapshot.index) === undefined;\n  draft.log',
      claim:
        'what follows the snapshot’s last entry stays, with its configurations, if the log holds that entry',
    },
    {
      name: 'what follows the snapshot stays though the log holds another entry there',
      file: core('snapshot-installing'),
      find: '  const keepsSuffix = termAt(draft.log, snapshot.index) === snapshot.term;\n  draft.log',
      replace: '  const keepsSuffix = termAt(draft.log, snapshot.index) !== undefined;\n  draft.log',
      claim: 'otherwise the whole log goes',
    },
    {
      name: 'the disk is told to drop what follows the snapshot',
      file: core('snapshot-installing'),
      find: '    keepsSuffix: termAt(draft.log, snapshot.index) === snapshot.term,\n',
      replace: '    keepsSuffix: termAt(draft.log, snapshot.index) === undefined,\n',
      claim:
        'what follows the snapshot’s last entry stays, with its configurations, if the log holds that entry',
    },
    {
      name: 'the configurations after the snapshot are forgotten',
      file: core('snapshot-installing'),
      find: 'const later = keepsSuffix ? draft.configurations.filter((at) => at.index > snapshot.index) : [];',
      replace: 'const later = draft.configurations.filter((at) => at.index > draft.log.lastIndex);',
      claim:
        'what follows the snapshot’s last entry stays, with its configurations, if the log holds that entry',
    },
    {
      name: 'entries are appended while the log is about to be replaced',
      file: core('append-entries'),
      find: 'if (draft.installing !== null) {',
      replace: 'if (draft.installing !== null && draft.now < 0) {',
      claim: 'while one is installed, appends wait and nobody stands for election',
    },
    {
      name: 'a node stands for election while it installs a snapshot',
      file: core('election'),
      find: "draft.role.type !== 'leader' && draft.installing === null && !isDiskHung;",
      replace: "draft.role.type !== 'leader' && !isDiskHung;",
      claim: 'while one is installed, appends wait and nobody stands for election',
    },
  ]),
  ...ofRule(13, machines, [
    {
      name: 'a machine is given entries that the disk does not hold',
      file: streams('lanes'),
      find: 'durableIndex: () => this.log.durableIndex,',
      replace: 'durableIndex: () => Number.MAX_SAFE_INTEGER as Index,',
      claim: 'is given what replaced a durable entry only once that is durable too',
    },
    {
      name: 'a machine ahead of its log is started',
      file: streams('start-node'),
      find: 'if (appliedIndex <= log.lastIndex) return;',
      replace: 'if (appliedIndex <= log.lastIndex + 100) return;',
      claim: 'is refused at the start, and told what is missing',
    },
  ]),
  ...ofRule(21, rules('rule-21-snapshot-for-laggards'), [
    {
      name: 'the log that a transfer needs is compacted',
      file: core('compaction'),
      find: 'lower(needed, higher(snapshotFrom, matchIndex))',
      replace: 'lower(needed, needed)',
      claim: 'the log that it needs afterwards is kept until the transfer ends',
    },
    {
      name: 'a laggard gets no snapshot',
      file: core('replication'),
      find: "if (needsSnapshot && peer.state !== 'snapshot' && peer.isConnected) beginSnapshot(work, peer);",
      replace: '',
      claim: 'the log that it needs afterwards is kept until the transfer ends',
    },
    {
      name: 'a follower that has its snapshot gets no log after it',
      file: core('append-entries'),
      find: 'if (hasSnapshot) becomeProbe(peer, after(matchIndex)); // The log can take over (rule 21).',
      replace: '',
      claim: 'and follows the log as before',
    },
    {
      name: 'a transfer that failed is forgotten',
      file: core('snapshot-sending'),
      find: '    giveUpSnapshot(peer);\n    return undefined;',
      replace: '    return undefined;',
      claim: 'a transfer that fails begins anew',
    },
    {
      name: 'a receiver that is dead is waited for for ever',
      file: core('snapshot-sending'),
      find: 'if (peer.silentMs >= standstillMsMax) giveUpSnapshot(peer);',
      replace: '',
      claim: 'a receiver that dies with all its chunks is given up after a minute: when it is over',
    },
    {
      name: 'a receiver whose disk hangs is waited for as long as it answers',
      file: core('snapshot-sending'),
      find: 'peer.silentMs += isInstalling ? Math.floor(elapsedMs / installFactor) : elapsedMs;',
      replace: 'peer.silentMs = peer.isActive ? 0 : peer.silentMs + elapsedMs;',
      claim:
        'a follower that answers, and whose disk hangs for a minute after the switch, is given up when that is over',
    },
    {
      name: 'the log is kept although it is acknowledged',
      file: core('compaction'),
      find: 'lower(needed, higher(snapshotFrom, matchIndex))',
      replace: 'lower(needed, snapshotFrom)',
      claim: 'what it has acknowledged since is not kept, though it never catches up',
    },
    {
      name: 'the log is compacted before the receiver of a snapshot has caught up',
      file: core('compaction'),
      find: `(needed, { snapshotFrom, matchIndex }) =>
      snapshotFrom > 0 ?`,
      replace: `(needed, { state, snapshotFrom, matchIndex }) =>
      state === 'snapshot' ?`,
      claim: 'the log after it is kept until it has caught up',
    },
  ]),
  ...ofRule(12, 'test/unit/storage/staged-value.test.ts', [
    {
      name: 'a snapshot is whole although its last value is not',
      file: 'src/storage/staging.ts',
      find: 'isLast && step.state.unfinished !== null',
      replace: 'isLast && step.state.unfinished === undefined',
      claim: 'is not whole when the snapshot ends before it',
    },
    {
      name: 'the pieces of a value that is not whole yet are swept away',
      file: 'src/storage/store.ts',
      find: '[used, staged.generation, piecesOf(staged)]',
      replace: '[used, staged.generation, staged.generation || piecesOf(staged)]',
      claim: 'keeps its pieces while what is not in use is swept away',
    },
  ]),
];
