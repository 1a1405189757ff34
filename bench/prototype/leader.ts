import type { WebSocket } from 'ws';
import { BlockBuilder, headerOf } from './block.ts';
import type { PrototypeStore } from './store.ts';

/** A block on its way, and who waits for it. */
interface Sent {
  readonly last: number;
  readonly block: Buffer;
  readonly dones: readonly (() => void)[];
}

/** Reads that one round confirms. */
interface Round {
  readonly number: number;
  readonly dones: readonly (() => void)[];
}

const commitTellMs = 50;

/**
 * The leader of the prototype: append, send, flush, count, commit, apply, answer; and no term, no election, no repair.
 * What it does is the least that a replicated log has to do.
 */
export class PrototypeLeader {
  readonly #store: PrototypeStore;
  readonly #followers: WebSocket[] = [];
  /** Durable through here: our own disk, then each follower's. */
  readonly #matches = [0, 0, 0];
  readonly #rounds = [0, 0];
  readonly #builder = new BlockBuilder();
  #dones: (() => void)[] = [];
  readonly #unapplied: Sent[] = [];
  #reads: (() => void)[] = [];
  #reading: Round | null = null;
  #round = 0;
  #lastIndex = 0;
  #commitIndex = 0;
  #isScheduled = false;

  constructor(store: PrototypeStore) {
    this.#store = store;
    setInterval(() => this.#tell(), commitTellMs).unref();
  }

  get followers(): number {
    return this.#followers.length;
  }

  addFollower(socket: WebSocket): void {
    const at = this.#followers.push(socket);
    socket.on('message', (ack: Buffer) => {
      this.#matches[at] = ack.readDoubleBE(0);
      this.#rounds[at - 1] = ack.readUInt32BE(8);
      this.#commit();
      this.#confirm();
    });
  }

  /** One command. */
  propose(command: Uint8Array, done: () => void): void {
    this.#builder.addEntry(command);
    this.#dones.push(done);
    this.#schedule();
  }

  /** Several, each with its length in front. */
  submit(entries: Uint8Array, count: number, done: () => void): void {
    this.#builder.addEncoded(entries, count);
    this.#dones.push(done);
    this.#schedule();
  }

  /** Calls once another node has confirmed that nobody else leads, as a linearizable read needs it. */
  read(done: () => void): void {
    this.#reads.push(done);
    this.#schedule();
  }

  /** What arrived in this turn of the event loop forms one block. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    this.#isScheduled = false;
    const beginsRound = this.#reads.length > 0 && this.#reading === null;
    if (beginsRound) {
      this.#round += 1;
      this.#reading = { number: this.#round, dones: this.#reads };
      this.#reads = [];
    }
    if (this.#builder.count > 0) this.#append();
    else if (beginsRound) this.#tell();
  }

  #append(): void {
    const first = this.#lastIndex + 1;
    const block = this.#builder.build(first, this.#commitIndex, this.#round);
    const { last } = headerOf(block);
    this.#lastIndex = last;
    for (const follower of this.#followers) follower.send(block);
    this.#unapplied.push({ last, block, dones: this.#dones });
    this.#dones = [];
    void this.#store.append(first, block).then(() => {
      this.#matches[0] = last;
      this.#commit();
    });
  }

  #tell(): void {
    const header = new BlockBuilder().build(this.#lastIndex + 1, this.#commitIndex, this.#round);
    for (const follower of this.#followers) follower.send(header);
  }

  #commit(): void {
    const [a = 0, b = 0, c = 0] = this.#matches;
    const majority = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    if (majority <= this.#commitIndex) return;
    this.#commitIndex = majority;
    for (
      let next = this.#unapplied[0];
      next !== undefined && next.last <= majority;
      next = this.#unapplied[0]
    ) {
      this.#unapplied.shift();
      this.#store.apply(next.block);
      for (const done of next.dones) done();
    }
  }

  /** Everything through the index of a round was applied when the round began. */
  #confirm(): void {
    if (this.#reading === null || Math.max(...this.#rounds) < this.#reading.number) return;
    const { dones } = this.#reading;
    this.#reading = null;
    for (const done of dones) done();
    if (this.#reads.length > 0) this.#schedule();
  }
}
