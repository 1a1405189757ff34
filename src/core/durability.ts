import type { EntryBatch } from './batch.ts';
import type { Draft } from './draft.ts';
import { appendAll, truncateFrom } from './log.ts';
import type { Message } from './message.ts';
import type { Output, PersistReq } from './output.ts';
import { appended } from './shared-list.ts';
import type { Held, Unflushed } from './state.ts';
import { type Index, isSamePeer, type Peer, type Seq, type Term } from './types.ts';
import type { Work } from './work.ts';

/** More unflushed requests than this are counted together: the list stays short, at worst an ack is late. */
const unflushedMax = 64;

/** Sends at once. Only for what a crash may forget. */
export function send(work: Work, to: Peer, message: Message): void {
  work.outputs.push({ type: 'message', to, message });
}

/**
 * Sends once the current term and vote are durable; if the term changes before, never. A crash must not
 * forget what a vote request or a granted vote says (rule 1).
 */
export function sendWhenDurable(work: Work, to: Peer, message: Message): void {
  const { draft } = work;
  if (isHardStateDurable(draft)) send(work, to, message);
  else draft.held = [...heldButFor(draft, to, message), { seq: draft.hardStateSeq, to, message }];
}

/** What is held, without what a message replaces: one of a kind is kept for a peer, however long the disk takes. */
function heldButFor({ held }: Draft, to: Peer, { type }: Message): readonly Held[] {
  return held.filter((other) => other.message.type !== type || !isSamePeer(other.to, to));
}

/** Whether the current term and vote survive a crash. */
export function isHardStateDurable(draft: Draft): boolean {
  return draft.durableSeq >= draft.hardStateSeq;
}

/** Moves to a term, in which this node has not voted. What was held back spoke for the old one. */
export function setTerm(draft: Draft, term: Term): void {
  draft.currentTerm = term;
  draft.votedFor = null;
  draft.held = [];
  draft.hardStateSeq = nextPersistSeq(draft);
}

/** Votes, in the current term. */
export function setVote(draft: Draft, candidate: Peer): void {
  draft.votedFor = candidate;
  draft.hardStateSeq = nextPersistSeq(draft);
}

/** Adds batches, one at least, at the end of the log, in memory; this step's `persistReq` writes them. */
export function appendBatches(work: Work, batches: readonly EntryBatch[]): void {
  const { draft } = work;
  const first = batches[0] as EntryBatch;
  draft.log = appendAll(draft.log, batches);
  draft.lastAppendAtMs = draft.now;
  work.batches = work.batches === undefined ? batches : work.batches.concat(batches);
  noteUnflushed(draft, first.index);
}

/** Drops `from` and everything after it, and the configurations that came with them (§5.3, §6, rule 8). */
export function truncateLogFrom(work: Work, from: Index): void {
  const { draft } = work;
  draft.log = truncateFrom(draft.log, from);
  draft.configurations = draft.configurations.filter((at) => at.index < from);
  work.truncateFrom = from;
  noteUnflushed(draft, from);
}

/**
 * From `firstIndex` on nothing is durable before this step's request is. Older requests that began at or
 * after it say nothing any more: their completions must not acknowledge what replaced their entries (the
 * append ABA race, rule 3).
 */
function noteUnflushed(draft: Draft, firstIndex: Index): void {
  const seq = nextPersistSeq(draft);
  const newest = draft.unflushed.at(-1);
  if (newest?.seq === seq && newest.firstIndex <= firstIndex) return; // This step's request covers it.
  const older = begunBefore(draft.unflushed, firstIndex);
  if (older.length >= unflushedMax) draft.unflushed = older.with(-1, { ...(older.at(-1) as Unflushed), seq });
  else draft.unflushed = appended(older, { seq, firstIndex });
}

/** The requests that begin before an index: nearly always all, since the log grows. */
function begunBefore(unflushed: readonly Unflushed[], firstIndex: Index): readonly Unflushed[] {
  const newest = unflushed.at(-1);
  if (newest === undefined || newest.firstIndex < firstIndex) return unflushed;
  return unflushed.filter((request) => request.firstIndex < firstIndex);
}

function nextPersistSeq(draft: Draft): Seq {
  return draft.persistSeq + 1;
}

/**
 * The one place that asks for the disk: after each step in which term, vote or log changed. The state machine
 * comes after it: what it is to apply may be among the entries that this request writes (design §6).
 */
export function persistChanges(work: Work): void {
  const { draft } = work;
  const seq = nextPersistSeq(draft);
  const hasNewHardState = draft.hardStateSeq === seq;
  if (!hasNewHardState && work.batches === undefined) return;
  draft.persistSeq = seq;
  insertBeforeMachine(work.outputs, requestOf(work, seq, hasNewHardState));
}

/** Puts a request for the disk before the first for the state machine. */
function insertBeforeMachine(outputs: Output[], request: PersistReq): void {
  let place = 0;
  for (; place < outputs.length; place++) {
    const { type } = outputs[place] as Output;
    if (type === 'applyReq' || type === 'installSnapshotReq') break;
  }
  if (place === outputs.length) outputs.push(request);
  else outputs.splice(place, 0, request);
}

function requestOf(work: Work, seq: Seq, hasNewHardState: boolean): PersistReq {
  const { truncateFrom: from, batches = [] } = work;
  const { currentTerm, votedFor } = work.draft;
  if (!hasNewHardState && from === undefined) return { type: 'persistReq', seq, batches };
  return {
    type: 'persistReq',
    seq,
    ...(hasNewHardState && { hardState: { currentTerm, votedFor } }),
    ...(from !== undefined && { truncateFrom: from }),
    batches,
  };
}

/** Sends what waited for the disk and need not wait any longer. */
export function releaseHeld(work: Work): void {
  const { draft } = work;
  if (draft.held.length === 0) return;
  for (const held of draft.held) {
    if (held.seq <= draft.durableSeq) send(work, held.to, held.message);
  }
  draft.held = draft.held.filter((held) => held.seq > draft.durableSeq);
}
