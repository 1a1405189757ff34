import type { Peer } from 'rxraft';
import type { Hello } from 'rxraft/transport';
import { randomId } from './link-body.ts';
import { fromText, type LinkHost } from './link-host.ts';

/** A link that a peer dialed. It sends, we receive: each message once, in the order in which it was sent. */
export class IncomingLink {
  readonly link: string;
  /** Whoever knows it has heard our answer to this very hello. */
  readonly token = randomId();
  /** The name of the node that dialed, where answers go. */
  readonly name: string;
  readonly hello: Hello;
  heardMs: number;
  readonly #host: LinkHost;
  readonly #from: Peer;
  #deliveredSeq = 0;
  /** What came before its time. */
  readonly #early = new Map<number, string>();
  #isClosed = false;

  constructor({ link, name, hello }: { link: string; name: string; hello: Hello }, host: LinkHost) {
    this.link = link;
    this.name = name;
    this.hello = hello;
    this.#host = host;
    this.#from = { id: hello.id, storeId: hello.storeId };
    this.heardMs = host.now();
  }

  /** Nothing more is delivered, not even what has arrived. */
  close(): void {
    this.#isClosed = true;
    this.#early.clear();
  }

  /** A message came, perhaps again, perhaps before another that was sent earlier. */
  receive(seq: number, data: string | null): void {
    this.heardMs = this.#host.now();
    const isAhead = seq > this.#deliveredSeq && seq <= this.#deliveredSeq + this.#host.limits.windowMax;
    if (data !== null && isAhead) this.#early.set(seq, data);
    this.#deliver();
    this.#host.flushSoon(this);
  }

  /** Tells the dialer what has arrived. */
  flush(): void {
    if (this.#isClosed) return;
    this.#host.post(this.name, { type: 'rxraft_ack', link: this.link, seq: this.#deliveredSeq });
  }

  #deliver(): void {
    for (let data = this.#next(); data !== undefined; data = this.#next()) {
      this.#early.delete(this.#deliveredSeq + 1);
      this.#deliveredSeq += 1;
      this.#deliverOne(data);
    }
  }

  #next(): string | undefined {
    return this.#early.get(this.#deliveredSeq + 1);
  }

  /** Nothing of a message that is malformed reaches the node; its link goes. */
  #deliverOne(data: string): void {
    const message = fromText(data);
    if (message.type !== 'frames') {
      const detail = message.type === 'error' ? message.detail : `a ${message.type} came out of turn`;
      return this.#host.onViolation(this.hello.id, detail);
    }
    const { bootCounter } = this.hello;
    for (const frame of message.frames) {
      if (this.#isClosed) return; // Hung up on from inside an event.
      this.#host.emit({ type: 'frame', from: this.#from, bootCounter, frame });
    }
  }
}
