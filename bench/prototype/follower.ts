import type { WebSocket } from 'ws';
import { ackBytes, headerOf } from './block.ts';
import type { PrototypeStore } from './store.ts';

/** A follower of the prototype: stores the bytes that come, acknowledges them once they are durable, applies them later. */
export class PrototypeFollower {
  readonly #store: PrototypeStore;
  readonly #leader: WebSocket;
  readonly #unapplied: { readonly last: number; readonly block: Buffer }[] = [];
  #durable = 0;
  #round = 0;
  #isAcking = false;

  constructor(store: PrototypeStore, leader: WebSocket) {
    this.#store = store;
    this.#leader = leader;
    leader.on('message', (block: Buffer) => this.#onBlock(block));
  }

  #onBlock(block: Buffer): void {
    const { last, commitIndex, count, round } = headerOf(block);
    if (round !== this.#round) {
      this.#round = round;
      this.#ack();
    }
    if (count > 0) {
      this.#unapplied.push({ last, block });
      void this.#store.append(last - count + 1, block).then(() => {
        this.#durable = last;
        this.#ack();
      });
    }
    for (
      let next = this.#unapplied[0];
      next !== undefined && next.last <= commitIndex;
      next = this.#unapplied[0]
    ) {
      this.#unapplied.shift();
      this.#store.apply(next.block);
    }
  }

  /** One acknowledgement for what one flush made durable. */
  #ack(): void {
    if (this.#isAcking) return;
    this.#isAcking = true;
    queueMicrotask(() => {
      this.#isAcking = false;
      const ack = Buffer.allocUnsafe(ackBytes);
      ack.writeDoubleBE(this.#durable, 0);
      ack.writeUInt32BE(this.#round, 8);
      this.#leader.send(ack);
    });
  }
}
