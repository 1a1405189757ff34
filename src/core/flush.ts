import { advanceCommitAsLeader } from './commit.ts';
import type { Draft } from './draft.ts';
import { releaseHeld } from './durability.ts';
import { countOwnVote } from './election.ts';
import { fault } from './fault.ts';
import { acknowledge } from './following.ts';
import type { Fault } from './output.ts';
import { dropped } from './shared-list.ts';
import type { Unflushed } from './state.ts';
import type { Seq } from './types.ts';
import type { Work } from './work.ts';

/**
 * A flush is done. What waited for it goes on: held messages, a candidate's own vote, a leader's own copy,
 * a follower's acknowledgement (rules 1 and 2). Whatever the term is by now, the durable sequence advances.
 */
export function onPersistRes(work: Work, seq: Seq): Fault | undefined {
  const { draft } = work;
  if (seq > draft.persistSeq)
    return fault('self', 'unknownCompletion', { seq, persistSeq: draft.persistSeq });
  if (seq <= draft.durableSeq) return undefined; // Late: a newer one came first.
  draft.durableSeq = seq;
  draft.flushElapsedMs = 0;
  draft.unflushed = dropped(draft.unflushed, flushedBy(draft, seq));
  releaseHeld(work);
  if (draft.role.type === 'candidate') countOwnVote(work);
  else if (draft.role.type === 'leader') advanceCommitAsLeader(work, draft.role);
  else if (draft.role.type === 'follower') acknowledge(work, draft.role);
  return undefined;
}

/** How many of the oldest requests that a flush stands for. */
function flushedBy({ unflushed }: Draft, seq: Seq): number {
  let flushed = 0;
  while (flushed < unflushed.length && (unflushed[flushed] as Unflushed).seq <= seq) flushed += 1;
  return flushed;
}
