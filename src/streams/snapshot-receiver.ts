import { type GroupId, type Index, type Peer, RaftError } from '../core/index.ts';
import type { IsEntry, SnapshotStage, Storage } from '../storage/storage.ts';
import type {
  PeerFrame,
  SnapshotAckFrame,
  SnapshotChunkFrame,
  SnapshotOfferFrame,
} from '../transport/transport.ts';

/** What a {@link SnapshotReceiver} works with. */
export interface SnapshotReceiverOptions {
  readonly group: GroupId;
  readonly storage: Pick<Storage, 'stage'>;
  readonly isEntry: IsEntry | undefined;
  readonly commitIndex: () => Index;
  readonly send: (to: Peer, frame: PeerFrame) => void;
  readonly now: () => number;
  /** What that peer sent was malformed, and has been dropped. */
  readonly onRefused: (from: Peer, error: RaftError) => void;
  readonly onError: (error: unknown) => void;
}

/** Chunks that wait for the disk; more than the sender's window is a sender that breaks the rules. */
const waitingMax = 16;
/** A sender that says nothing for so long does not go on soon. What it sent stays, until something else is staged. */
const silenceMsMax = 60_000;

/**
 * Receives a snapshot, outside the lanes: chunk by chunk onto the disk, beside the data in use. What it
 * means is the core's business: it hears of it by the leader's `installSnapshot`.
 */
export class SnapshotReceiver {
  readonly #options: SnapshotReceiverOptions;
  #stage: SnapshotStage | null = null;
  #from: Peer | null = null;
  /** What the snapshot covers. */
  #index = 0;
  #heardAtMs = 0;
  /** What is to be done, in order: the disk is asked for one thing at a time. */
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(options: SnapshotReceiverOptions) {
    this.#options = options;
  }

  /** Whether chunks are coming in that this node needs: nothing else is to be staged meanwhile. */
  get isReceiving(): boolean {
    const { commitIndex, now } = this.#options;
    const isSilent = now() - this.#heardAtMs > silenceMsMax;
    return this.#waiting > 0 || (this.#stage !== null && this.#index > commitIndex() && !isSilent);
  }

  /** A leader has a snapshot for this node. One that covers nothing new is refused (rule 12). */
  onOffer(from: Peer, { transferId, index }: SnapshotOfferFrame): void {
    if (index <= this.#options.commitIndex())
      return this.#ack(from, { transferId, nextChunk: 0, status: 'refused' });
    if (this.#waiting >= waitingMax) return; // Dropped: the sender offers again.
    this.#enqueue(async () => {
      const { storage, isEntry } = this.#options;
      const isSame = this.#stage?.transferId === transferId;
      this.#stage = isSame ? this.#stage : await storage.stage(transferId, isEntry);
      this.#index = index;
      this.#hear(from);
    });
  }

  /** The next chunk is made durable; any other is asked for anew. */
  onChunk(from: Peer, chunk: SnapshotChunkFrame): void {
    if (this.#waiting >= waitingMax) return; // Dropped: the sender repeats what is not acknowledged.
    this.#enqueue(async () => {
      const stage = this.#stage;
      if (stage?.transferId !== chunk.transferId || stage.isComplete) return;
      if (chunk.number === stage.nextChunk) {
        const { number, bytes, isLast } = chunk;
        await stage.append({ number, bytes, isLast });
      }
      this.#hear(from);
    });
  }

  #hear(from: Peer): void {
    this.#from = from;
    this.#heardAtMs = this.#options.now();
    this.#report();
  }

  #enqueue(work: () => Promise<void>): void {
    this.#waiting += 1;
    this.#work = this.#work
      .then(work)
      .catch((error: unknown) => this.#onError(error))
      .then(() => {
        this.#waiting -= 1;
      });
  }

  /** A peer whose chunks make no sense is turned away; a disk that fails stops the node. */
  #onError(error: unknown): void {
    if (!(error instanceof RaftError) || error.code !== 'RAFT_BAD_SNAPSHOT')
      return this.#options.onError(error);
    const transferId = this.#stage?.transferId;
    this.#stage = null;
    if (this.#from !== null && transferId !== undefined) {
      this.#ack(this.#from, { transferId, nextChunk: 0, status: 'malformed' });
      this.#options.onRefused(this.#from, error);
    }
  }

  #report(): void {
    const { stage, from } = { stage: this.#stage, from: this.#from };
    if (stage === null || from === null) return;
    const status = stage.isComplete ? 'complete' : 'receiving';
    this.#ack(from, { transferId: stage.transferId, nextChunk: stage.nextChunk, status });
  }

  #ack(to: Peer, ack: Omit<SnapshotAckFrame, 'type' | 'group'>): void {
    this.#options.send(to, { type: 'snapshotAck', group: this.#options.group, ...ack });
  }

  /** Waits until the disk is not busy with chunks, then forgets the stage: it is about to be switched to. */
  async settle(): Promise<void> {
    await this.#work;
    this.#stage = null;
  }
}
