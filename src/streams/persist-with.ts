import type { Observable, SchedulerLike } from 'rxjs';
import { encodedBytesOf, type PersistReq, type Seq } from '../core/index.ts';
import type { LogWork, Persisted, SnapshotSwitch, Storage } from '../storage/storage.ts';
import { bufferWhile } from './buffer-while.ts';

/** The switch to a staged snapshot, in its turn: what was asked for before is durable, what comes after waits. */
export interface InstallWork {
  readonly type: 'install';
  readonly request: SnapshotSwitch;
  /** Told whether the snapshot was there. */
  readonly done: (isInstalled: boolean) => void;
}

/** A request whose entries a majority holds already: no write waits for this node's copy of them. */
export interface CommittedWork {
  readonly type: 'committed';
  readonly request: PersistReq;
}

/** What the disk is asked for; `flushMachine` writes the machine's data even if the log has nothing to write. */
export type DiskWork = LogWork | CommittedWork | InstallWork | { readonly type: 'flushMachine' };

/** As much of a storage as {@link persistWith} asks for. */
type DiskOf = Pick<Storage, 'persist' | 'install' | 'machineStore'>;

/** So many of the machine's keys, or bytes, wait for the disk until they go along with the next transaction. */
const unflushedKeysMax = 4096;
const unflushedBytesMax = 4 * 1024 * 1024;

/**
 * For so long, in milliseconds, entries that nobody waits for are gathered, and so much of them in bytes: written seldom
 * and much at once, they leave the disk to others (docs/decisions/0027).
 */
const gatherMsMax = 10;
const gatherBytesMax = 512 * 1024;

/** What a piece of finished work covered. */
export interface Flushed extends Persisted {
  /** The `compactLogReq`s among it. */
  readonly compacted: readonly Seq[];
}

/**
 * Makes disk requests durable, one transaction at a time, and emits what each one covered.
 *
 * What arrives during a flush joins the next transaction, so the disk is asked once for all of it; entries that are
 * committed already wait a moment for more, and go along with whatever comes first. So no transaction carries a machine
 * that is ahead of the log (rule 13). Errors when storage fails, and never retries: a disk that lost one write can't be
 * trusted with the next. Completes once everything it was given is durable.
 */
export function persistWith(
  storage: DiskOf,
  scheduler: SchedulerLike,
): (work$: Observable<DiskWork>) => Observable<Flushed> {
  return bufferWhile((work) => carryOut(storage, work), {
    canWait: ({ type }) => type === 'committed',
    waitMsMax: gatherMsMax,
    sizeOf: (work) => (work.type === 'committed' ? encodedBytesOf(work.request.batches) : 0),
    waitSizeMax: gatherBytesMax,
    scheduler,
  });
}

function carryOut(storage: DiskOf, work: readonly DiskWork[]): Promise<Flushed> {
  for (const { type } of work) if (type === 'install') return carryOutAround(storage, work);
  return persist(storage, work);
}

/** What comes before an installation is durable before it, and what comes after it begins after it. */
async function carryOutAround(storage: DiskOf, work: readonly DiskWork[]): Promise<Flushed> {
  let rest = work;
  let flushed: Flushed = {
    seq: 0,
    durableAppliedIndex: 0 as Persisted['durableAppliedIndex'],
    compacted: [],
  };
  for (;;) {
    const at = rest.findIndex((item) => item.type === 'install');
    const before = at < 0 ? rest : rest.slice(0, at);
    flushed = merged(flushed, await persist(storage, before));
    if (at < 0) return flushed;
    const { request, done } = rest[at] as InstallWork;
    done(await storage.install(request));
    rest = rest.slice(at + 1);
  }
}

/**
 * The machine's data do not go along with every transaction: what a key was in between is never written, and a
 * transaction of the log alone is short. They go when their time has come, or when they have become many.
 */
async function persist(storage: DiskOf, work: readonly DiskWork[]): Promise<Flushed> {
  const requests: LogWork[] = [];
  const compacted: Seq[] = [];
  const { unflushedKeys, unflushedBytes } = storage.machineStore;
  let withMachine = unflushedKeys >= unflushedKeysMax || unflushedBytes >= unflushedBytesMax;
  for (const item of work) {
    if (item.type === 'flushMachine') withMachine = true;
    else if (item.type !== 'install') requests.push(item.type === 'committed' ? item.request : item);
    if (item.type === 'compactLogReq') compacted.push(item.seq);
  }
  const { seq, durableAppliedIndex } = await storage.persist(requests, { withMachine });
  return { seq, durableAppliedIndex, compacted };
}

function merged(first: Flushed, second: Flushed): Flushed {
  return {
    seq: Math.max(first.seq, second.seq),
    durableAppliedIndex: second.durableAppliedIndex,
    compacted: [...first.compacted, ...second.compacted],
  };
}
