import type { GroupId, Index, Input, NodeId, Peer, SendSnapshotReq, SendSnapshotRes } from '../core/index.ts';
import type { SnapshotView } from '../storage/storage.ts';
import type { PeerFrame, SnapshotAckFrame, SnapshotChunkFrame } from '../transport/transport.ts';
import { crc32 } from './crc32.ts';
import { FailedTransfers } from './failed-transfers.ts';
import { NoSnapshotError } from './saved-machine.ts';

/** What a {@link SnapshotSender} works with. */
export interface SnapshotSenderOptions {
  readonly group: GroupId;
  /** A durable view of the state machine that covers `from` at least. Rejects with a {@link NoSnapshotError} if the machine gives none. */
  readonly view: (from: Index) => Promise<SnapshotView>;
  /** Sends a frame; `false` if the link is down or has no room now. */
  readonly send: (to: Peer, frame: PeerFrame) => boolean;
  readonly input: (input: Input) => void;
  readonly now: () => number;
  /** The view could not be taken or read: the disk can't be trusted. */
  readonly onError: (error: unknown) => void;
  /** A follower got no further for too long. The core is told, too, and begins anew. */
  readonly onGivenUp: (transfer: GivenUpTransfer) => void;
  /** A follower found what it got malformed. The core is told after the pause, and begins anew. */
  readonly onMalformed: (transfer: MalformedTransfer) => void;
}

/** A transfer that was given up. */
export interface GivenUpTransfer {
  readonly to: Peer;
  readonly transferId: string;
  /** The last index that the snapshot covers. */
  readonly index: Index;
  /** The first piece that the follower does not have; `null` if it never answered. */
  readonly nextChunk: number | null;
}

/** A transfer whose snapshot was refused. */
export interface MalformedTransfer {
  readonly to: Peer;
  readonly transferId: string;
  /** The last index that the snapshot covers. */
  readonly index: Index;
  /** Until another one is sent. */
  readonly pauseMs: number;
}

/** A snapshot on its way to one follower. */
interface Transfer {
  readonly seq: number;
  readonly to: Peer;
  readonly transferId: string;
  readonly view: SnapshotView;
  /** Durable on the follower; `null` until it has answered the offer. */
  acked: number | null;
  /** The next chunk to send. */
  next: number;
  /** No chunk from here on was ever sent: a follower can't have it. */
  unsent: number;
  /** A piece that found no room, so that it is not read again with each tick. */
  ready: SnapshotChunkFrame | null;
  /** The most that was ever acknowledged; `null` until the first answer. */
  reached: number | null;
  /** When that last grew: only this says that the transfer will end. */
  progressAtMs: number;
  heardAtMs: number;
  /** When what may be lost was last repeated. */
  repeatedAtMs: number;
}

/** Chunks sent and not acknowledged: what heartbeats may have to wait for on the same connection. */
const windowChunks = 4;
/**
 * A follower that gets no further for so long is given up, also one that answers: a piece may find no room, or break
 * the connection, each time. Until then the log is kept for it.
 */
export const standstillMsMax = 60_000;
/** What is not acknowledged after so long is sent again: frames may be lost on a connection that stays up. */
const resendMs = 2_000;

/**
 * Sends snapshots to followers, outside the lanes (design §3): a few chunks at a time, so that heartbeats and
 * votes never wait long, each acknowledged once it is on the follower's disk. After a broken connection it
 * goes on where the follower's disk is.
 */
export class SnapshotSender {
  readonly #options: SnapshotSenderOptions;
  readonly #transfers = new Map<NodeId, Transfer>();
  /** What the core asked for last, by follower, while its view is being taken. */
  readonly #wanted = new Map<NodeId, number>();
  readonly #failed = new FailedTransfers();

  constructor(options: SnapshotSenderOptions) {
    this.#options = options;
  }

  /** The core wants a follower to get a snapshot. */
  begin({ seq, to, from }: SendSnapshotReq): void {
    this.#drop(to.id);
    this.#failed.supersede(to.id);
    this.#wanted.set(to.id, seq);
    this.#options.view(from).then(
      (view) => {
        if (this.#wanted.get(to.id) === seq) this.#offer({ seq, to, view });
        else view.close(); // Nobody wants it any more.
      },
      (error) => this.#onNoView({ seq, to }, error),
    );
  }

  /** The machine may give a snapshot later, and the node goes on; a disk that fails can't be trusted any more. */
  #onNoView({ seq, to }: Pick<SendSnapshotReq, 'seq' | 'to'>, error: unknown): void {
    if (!(error instanceof NoSnapshotError)) return this.#options.onError(error);
    if (this.#wanted.get(to.id) !== seq) return; // Nobody wants it any more.
    this.#wanted.delete(to.id);
    this.#failed.add(to.id, { seq, now: this.#options.now() });
  }

  #offer({ seq, to, view }: { readonly seq: number; readonly to: Peer; readonly view: SnapshotView }): void {
    this.#wanted.delete(to.id);
    const transferId = crypto.randomUUID();
    const now = this.#options.now();
    const transfer: Transfer = {
      seq,
      to,
      transferId,
      view,
      acked: null,
      next: 0,
      unsent: 0,
      ready: null,
      reached: null,
      progressAtMs: now,
      heardAtMs: now,
      repeatedAtMs: now,
    };
    this.#transfers.set(to.id, transfer);
    this.#sendOffer(transfer);
  }

  #sendOffer({ to, transferId, view }: Transfer): void {
    this.#options.send(to, {
      type: 'snapshotOffer',
      group: this.#options.group,
      transferId,
      index: view.index,
    });
  }

  /** A follower says what it has durably. */
  onAck(from: Peer, { transferId, nextChunk, status }: SnapshotAckFrame): void {
    const transfer = this.#transfers.get(from.id);
    if (transfer?.transferId !== transferId) return; // Of a transfer that was given up.
    if (status === 'refused') return this.#end(transfer, false);
    if (status === 'malformed') return this.#pause(transfer);
    if (nextChunk > transfer.unsent) return; // It can't have that. To look for it would be to read everything.
    transfer.heardAtMs = this.#options.now();
    if (status === 'complete') return this.#end(transfer, true);
    if (transfer.reached === null || nextChunk > transfer.reached) {
      transfer.reached = nextChunk;
      transfer.progressAtMs = transfer.heardAtMs;
    }
    const isFirst = transfer.acked === null;
    transfer.acked = isFirst ? nextChunk : Math.max(transfer.acked ?? 0, nextChunk);
    transfer.next = isFirst ? nextChunk : Math.max(transfer.next, transfer.acked);
    this.#fill(transfer);
  }

  /** Sends as many chunks as the window takes. */
  #fill(transfer: Transfer): void {
    try {
      this.#sendNext(transfer);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #sendNext(transfer: Transfer): void {
    if (transfer.acked === null) return;
    while (transfer.next < transfer.acked + windowChunks) {
      const frame = this.#frameOf(transfer);
      if (frame === undefined) return; // All are on their way.
      const isSent = this.#options.send(transfer.to, frame);
      transfer.ready = isSent ? null : frame;
      if (!isSent) return;
      transfer.next += 1;
      transfer.unsent = Math.max(transfer.unsent, transfer.next);
    }
  }

  /** The next piece, as it is sent. */
  #frameOf({ ready, next, transferId, view }: Transfer): SnapshotChunkFrame | undefined {
    if (ready?.number === next) return ready;
    const chunk = view.chunk(next);
    if (chunk === undefined) return undefined;
    const { group } = this.#options;
    return { type: 'snapshotChunk', group, transferId, checksum: crc32(chunk.bytes), ...chunk };
  }

  /** A connection to this peer is open again: it says where it is. */
  onUp(id: NodeId): void {
    const transfer = this.#transfers.get(id);
    if (transfer === undefined) return;
    transfer.acked = null;
    this.#sendOffer(transfer);
  }

  /** Sends what found no room, repeats what may be lost, and gives up who gets no further. */
  onTick(): void {
    const now = this.#options.now();
    for (const seq of this.#failed.due(now)) this.#answer(seq, null);
    for (const transfer of [...this.#transfers.values()]) {
      if (now - transfer.progressAtMs > standstillMsMax) this.#giveUp(transfer);
      else if (now - Math.max(transfer.heardAtMs, transfer.repeatedAtMs) > resendMs)
        this.#repeat(transfer, now);
      else this.#fill(transfer);
    }
  }

  #repeat(transfer: Transfer, now: number): void {
    transfer.repeatedAtMs = now;
    this.onUp(transfer.to.id);
  }

  #giveUp(transfer: Transfer): void {
    const { to, transferId, view, reached } = transfer;
    this.#options.onGivenUp({ to, transferId, index: view.index, nextChunk: reached });
    this.#end(transfer, false);
  }

  #pause({ seq, to, transferId, view }: Transfer): void {
    this.#drop(to.id);
    const pauseMs = this.#failed.add(to.id, { seq, now: this.#options.now() });
    this.#options.onMalformed({ to, transferId, index: view.index, pauseMs });
  }

  #end({ seq, to, transferId, view }: Transfer, isSent: boolean): void {
    const { index, logTimeMs } = view;
    this.#drop(to.id);
    if (isSent) this.#failed.forget(to.id);
    this.#answer(seq, isSent ? { transferId, index, logTimeMs } : null);
  }

  #answer(seq: number, sent: SendSnapshotRes['sent']): void {
    this.#options.input({ type: 'sendSnapshotRes', seq, sent });
  }

  #drop(id: NodeId): void {
    this.#wanted.delete(id);
    this.#transfers.get(id)?.view.close();
    this.#transfers.delete(id);
  }

  /** Sends nothing more: this node does not lead any longer, or closes. */
  close(): void {
    for (const id of [...this.#transfers.keys(), ...this.#wanted.keys()]) this.#drop(id);
    this.#failed.clear();
  }
}
