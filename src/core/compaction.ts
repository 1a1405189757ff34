import { answerAdmin } from './admin.ts';
import type { ConfigurationAt } from './configuration.ts';
import type { Draft } from './draft.ts';
import { fault } from './fault.ts';
import type { Compact, CompactLogRes, TakeSnapshotRes } from './input.ts';
import { compactThrough, termAt } from './log.ts';
import type { Fault } from './output.ts';
import { type Compacting, durableIndex, type State } from './state.ts';
import { higher, type Index, lower } from './types.ts';
import type { Work } from './work.ts';

/** Log compaction (§7): a snapshot first, then the log that it makes needless. */
export function onCompact(work: Work, { id, keepsPrevious }: Compact): void {
  const { draft } = work;
  if (draft.compacting !== null) {
    const reason = { type: 'busy', detail: 'a snapshot is being taken already' } as const;
    return answerAdmin(work, id, { type: 'refused', reason });
  }
  draft.snapshotSeq += 1;
  draft.compacting = { id, seq: draft.snapshotSeq, keepsPrevious, isSnapshotTaken: false };
  work.outputs.push({ type: 'takeSnapshotReq', seq: draft.snapshotSeq });
}

/** The snapshot is durable: the log before it may go. */
export function onTakeSnapshotRes(work: Work, { seq, index }: TakeSnapshotRes): Fault | undefined {
  const { draft } = work;
  const { compacting } = draft;
  if (compacting?.seq !== seq || compacting.isSnapshotTaken)
    return fault('self', 'unknownCompletion', { seq });
  const { installing } = draft;
  if (installing !== null && index >= installing.snapshot.index) {
    finishCompaction(work, compacting); // Taken after the switch, whose completion is still to come: it cuts the log.
    return undefined;
  }
  if (index > draft.lastApplied) {
    return fault('self', 'appliedBeyondRequest', { appliedIndex: index, lastApplied: draft.lastApplied });
  }
  const previous = draft.snapshotIndex;
  draft.snapshotIndex = higher(previous, index);
  const covered = lower(compacting.keepsPrevious ? lower(previous, index) : index, durableIndex(draft));
  const through = neededAfter(draft, covered); // Never what is not on this disk yet, though others have it.
  const throughTerm = termAt(draft.log, through);
  if (through <= draft.log.startIndex || throughTerm === undefined) {
    finishCompaction(work, compacting);
    return undefined;
  }
  draft.compacting = { ...compacting, isSnapshotTaken: true };
  draft.log = compactThrough(draft.log, through);
  draft.configurations = draft.configurations.slice(placeAt(draft, through));
  work.outputs.push({ type: 'compactLogReq', seq, through, throughTerm });
  return undefined;
}

/**
 * A follower that is getting a snapshot needs the log after it, until it has caught up: otherwise a log that is
 * compacted often would be ahead of it again, and again (rule 21). Not what it has acknowledged since.
 */
function neededAfter({ role }: Draft, index: Index): Index {
  if (role.type !== 'leader') return index;
  return role.peers.reduce(
    (needed, { snapshotFrom, matchIndex }) =>
      snapshotFrom > 0 ? lower(needed, higher(snapshotFrom, matchIndex)) : needed,
    index,
  );
}

/** The log's prefix is gone. */
export function onCompactLogRes(work: Work, { seq }: CompactLogRes): Fault | undefined {
  const { compacting } = work.draft;
  if (compacting?.seq !== seq || !compacting.isSnapshotTaken)
    return fault('self', 'unknownCompletion', { seq });
  finishCompaction(work, compacting);
  return undefined;
}

function finishCompaction(work: Work, { id }: Compacting): void {
  work.draft.compacting = null;
  answerAdmin(work, id, { type: 'ok' });
}

/** The configuration in effect at an index of the log. */
export function configurationAt(
  state: Pick<State, 'configurations'>,
  index: Index,
): ConfigurationAt | undefined {
  return state.configurations[placeAt(state, index)];
}

function placeAt({ configurations }: Pick<State, 'configurations'>, index: Index): number {
  return Math.max(
    0,
    configurations.findLastIndex((at) => at.index <= index),
  );
}
