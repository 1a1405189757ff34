import type { Input, Peer, Seq } from '../core/index.ts';
import type { View } from './bare-machine.ts';

/** A view that is being made durable: a snapshot of the node's own. */
export interface Taken {
  /** Of its `takeSnapshotReq`. */
  readonly seq: Seq;
  readonly view: View;
  /** The last disk request before the view: it must not become durable after it. */
  readonly persistSeq: Seq;
}

/** A snapshot on its way to a follower, in chunks. */
export interface Shipment {
  readonly seq: Seq;
  readonly to: Peer;
  readonly view: View;
  readonly transferId: string;
}

/**
 * The snapshots that one run of a bare node has to do with: those of its own that are being made durable, those that it
 * sends, and those that came in and wait for the switch. They get on outside the lanes, each kind in its order.
 */
export class BareSnapshots {
  readonly #taken: Taken[] = [];
  readonly #shipments: Shipment[] = [];
  /** Snapshots whose chunks are all here, by transfer. */
  readonly #staged = new Map<string, View>();

  /** Those of its own that are not durable. */
  get taken(): readonly Taken[] {
    return this.#taken;
  }

  /** Those that it is sending. */
  get shipments(): readonly Shipment[] {
    return this.#shipments;
  }

  /** A view was taken, and is to be made durable. */
  take(taken: Taken): void {
    this.#taken.push(taken);
  }

  /** The oldest that was taken is durable. */
  keep(): Taken | undefined {
    return this.#taken.shift();
  }

  /** A snapshot sets out. */
  send(shipment: Shipment): void {
    this.#shipments.push(shipment);
  }

  /** The oldest to send has gone: `isSent` says whether all its chunks arrived. */
  ship(isSent: boolean): Input | undefined {
    const shipment = this.#shipments.shift();
    if (shipment === undefined) return undefined;
    const { seq, transferId, view } = shipment;
    const { index: through, logTimeMs } = view;
    return { type: 'sendSnapshotRes', seq, sent: isSent ? { transferId, index: through, logTimeMs } : null };
  }

  /** All chunks of somebody's snapshot are here. */
  stage({ transferId, view }: Shipment): void {
    this.#staged.set(transferId, view);
  }

  /** What came in with a transfer; `undefined` if not all of it is here. */
  staged(transferId: string): View | undefined {
    return this.#staged.get(transferId);
  }

  /** One was installed: what else came in is of no use any more. */
  discardStaged(): void {
    this.#staged.clear();
  }
}
