import {
  after,
  type CompactLogReq,
  type ConfigurationAt,
  decodeConfiguration,
  type EntryBatch,
  type HardState,
  type Index,
  type LogIndex,
  lastOf,
  lastTerm,
  type PersistReq,
  type Seq,
  type Term,
  termAt,
  truncateFrom as truncate,
} from '../core/index.ts';
import { appendAll, compactThrough } from '../core/log.ts';
import { StorageError } from './errors.ts';
import type { LogWork } from './storage.ts';

/** The last entry that is not in the log any more. */
export interface LogStart {
  readonly index: Index;
  readonly term: Term;
  /** The log's clock there. */
  readonly logTimeMs: number;
}

/** What several requests come to, for one transaction: cut the end, move the start, add batches. */
export interface LogWrites {
  /** Of the last `persistReq`; 0 if there is none. */
  readonly seq: Seq;
  readonly hardState: HardState | undefined;
  /** Where stored batches, terms and configurations begin to go, before others are added. */
  readonly truncateFrom: Index | undefined;
  /** Where the log begins from now on, if that changes. */
  readonly start: LogStart | undefined;
  readonly batches: readonly EntryBatch[];
  /** The log once all of it is carried out. */
  readonly log: LogIndex;
  /** The configuration table once all of it is carried out. */
  readonly configurations: readonly ConfigurationAt[];
}

/** The log that requests are merged into. */
export interface StoredLog {
  /** Whether the store belongs to a cluster. */
  readonly isFounded: boolean;
  readonly log: LogIndex;
  readonly configurations: readonly ConfigurationAt[];
  /** Whether a stored batch begins at an index; asked only where something is truncated. */
  isBatchStart(index: Index): boolean;
  /** Stored batches from the one that holds an index; asked only where something is compacted. */
  batchesFrom(index: Index): Iterable<EntryBatch>;
}

type Draft = { -readonly [Field in keyof LogWrites]: LogWrites[Field] } & { batches: EntryBatch[] };

/**
 * Merges requests and checks that their batches follow each other and the log (rule 14).
 *
 * @throws StorageError `RAFT_STORE_FAILED`: the requests contradict what is stored, which can't be.
 */
export function mergeWork(work: readonly LogWork[], stored: StoredLog): LogWrites {
  const draft: Draft = {
    seq: 0,
    hardState: undefined,
    truncateFrom: undefined,
    start: undefined,
    batches: [],
    log: stored.log,
    configurations: stored.configurations,
  };
  for (const request of work) {
    if (request.type === 'compactLogReq') compact(draft, request, stored);
    else persist(draft, request, stored);
  }
  return draft;
}

function persist(draft: Draft, request: PersistReq, stored: StoredLog): void {
  if (request.truncateFrom !== undefined) cutFrom(draft, request.truncateFrom, request, stored);
  let next = after(draft.log.lastIndex);
  let term = lastTerm(draft.log);
  for (const batch of request.batches) {
    if (batch.index !== next || batch.term < term) throw contradiction(request, batch.index, draft.log);
    next = after(lastOf(batch));
    term = batch.term;
    if (batch.kind === 'configuration') addConfiguration(draft, request, batch);
    draft.batches.push(batch);
  }
  draft.log = appendAll(draft.log, request.batches);
  if (request.hardState !== undefined) draft.hardState = request.hardState;
  draft.seq = request.seq;
}

function addConfiguration(draft: Draft, request: PersistReq, { index, payload }: EntryBatch): void {
  const configuration = decodeConfiguration(payload);
  if (configuration === undefined) throw contradiction(request, index, draft.log);
  draft.configurations = [...draft.configurations, { index, configuration }];
}

/** Takes the end of the log away: of the batches to be written, and of those that are stored. */
function cutFrom(draft: Draft, from: Index, request: PersistReq, { log, isBatchStart }: StoredLog): void {
  if (from <= draft.log.startIndex || from > after(draft.log.lastIndex))
    throw contradiction(request, from, draft.log);
  const isStored = from < (draft.truncateFrom ?? after(log.lastIndex));
  const kept = draft.batches.filter((batch) => batch.index < from);
  const lastKept = kept.at(-1);
  const isWithinBatch = lastKept !== undefined && lastOf(lastKept) >= from;
  if (isWithinBatch || (isStored && !isBatchStart(from))) throw contradiction(request, from, draft.log);
  if (isStored) draft.truncateFrom = from;
  draft.batches = kept;
  draft.log = truncate(draft.log, from);
  draft.configurations = draft.configurations.filter((at) => at.index < from);
}

/** Takes the beginning of the log away, which a snapshot stands for (§7). */
function compact(draft: Draft, request: CompactLogReq, stored: StoredLog): void {
  const { through, throughTerm } = request;
  if (through <= draft.log.startIndex) return; // A snapshot that was installed went further.
  if (termAt(draft.log, through) !== throughTerm) throw contradiction(request, through, draft.log);
  const holder = batchHolding(draft, through, stored);
  if (holder === undefined || lastOf(holder) !== through) throw contradiction(request, through, draft.log);
  draft.start = { index: through, term: throughTerm, logTimeMs: holder.logTimeMs };
  draft.batches = draft.batches.filter((batch) => batch.index > through);
  draft.log = compactThrough(draft.log, through);
  draft.configurations = configurationsAfter(draft.configurations, through);
}

function batchHolding({ batches }: Draft, index: Index, { batchesFrom }: StoredLog): EntryBatch | undefined {
  const first = batches[0];
  if (first !== undefined && first.index <= index) return batches.findLast((batch) => batch.index <= index);
  for (const batch of batchesFrom(index)) return batch;
  return undefined;
}

/** The configuration in effect at an index, and the later ones. */
export function configurationsAfter(
  configurations: readonly ConfigurationAt[],
  index: Index,
): readonly ConfigurationAt[] {
  const inEffect = configurations.findLastIndex((at) => at.index <= index);
  return inEffect <= 0 ? configurations : configurations.slice(inEffect);
}

function contradiction(request: LogWork, index: Index, log: LogIndex): StorageError {
  const { type, seq } = request;
  return new StorageError(
    'RAFT_STORE_FAILED',
    `disk request ${type} ${seq} asks for what can't be at index ${index}, where the log reaches from ` +
      `${log.startIndex} to ${log.lastIndex} of term ${lastTerm(log)} and batches are never split. Nothing of ` +
      'it was written, and what was acknowledged is safe. This is a bug: please report it with this message, ' +
      'and restart the node.',
  );
}
