import { type EntryBatch, lastOf, type Term } from '../../core/index.ts';
import type { DiskImage, MemoryDisk } from '../../storage/memory-disk.ts';
import { batchAt } from '../../storage/memory-image.ts';
import type {
  Founding,
  IsEntry,
  Loaded,
  LogWork,
  MachineStore,
  Persisted,
  SnapshotStage,
  SnapshotSwitch,
  SnapshotView,
  Storage,
} from '../../storage/storage.ts';

/** Told of a batch that a node writes, and of the term of the entry before it. */
export type OnWrite = (batch: EntryBatch, prevTerm: Term) => void;

/** The storage of one start of one node, watched: what is written is told before it is. */
export class WatchedStorage implements Storage {
  readonly #inner: Storage;
  readonly #disk: MemoryDisk;
  readonly #onWrite: OnWrite;

  constructor(inner: Storage, disk: MemoryDisk, onWrite: OnWrite) {
    this.#inner = inner;
    this.#disk = disk;
    this.#onWrite = onWrite;
  }

  get machineStore(): MachineStore {
    return this.#inner.machineStore;
  }

  open(): Promise<Loaded> {
    return this.#inner.open();
  }

  found(founding: Founding): Promise<void> {
    return this.#inner.found(founding);
  }

  persist(work: readonly LogWork[], options?: { readonly withMachine: boolean }): Promise<Persisted> {
    const written: EntryBatch[] = [];
    for (const request of work) {
      for (const batch of request.type === 'persistReq' ? request.batches : []) {
        const previous = written.findLast((other) => lastOf(other) + 1 === batch.index);
        this.#onWrite(batch, previous?.term ?? termBefore(this.#disk.image, batch));
        written.push(batch);
      }
    }
    return this.#inner.persist(work, options);
  }

  viewMachine(): SnapshotView {
    return this.#inner.viewMachine();
  }

  stage(transferId: string, isEntry?: IsEntry): Promise<SnapshotStage> {
    return this.#inner.stage(transferId, isEntry);
  }

  install(request: SnapshotSwitch): Promise<boolean> {
    return this.#inner.install(request);
  }

  readLog(range: Parameters<Storage['readLog']>[0]): ReturnType<Storage['readLog']> {
    return this.#inner.readLog(range);
  }

  discard(): Promise<void> {
    return this.#inner.discard();
  }

  close(): Promise<void> {
    return this.#inner.close();
  }
}

/** The term of the entry before a batch, as the disk has it: one write of the log is under way at a time. */
function termBefore({ batches, log }: DiskImage, { index }: EntryBatch): Term {
  const at = batchAt(batches, index);
  const batch = batches[at];
  if (batch === undefined || batch.index > index) return log.startTerm;
  return batch.index === index ? (batches[at - 1]?.term ?? log.startTerm) : batch.term;
}
