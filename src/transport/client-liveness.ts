import type { Duplex } from 'node:stream';
import { TcpProgress } from './tcp-progress.ts';

/** Pings in a row without a byte from a client, or to one that has to wait, until it counts as gone. */
const silentPingsMax = 3;

/** Whether a client is there: it says so, or the bytes of a long message move, which lets nobody say anything. */
export class ClientLiveness {
  readonly #progress: TcpProgress;
  #silentPings = 0;
  /** Bytes that had arrived at the last look. */
  #seenBytes = 0;
  /** Whether a message has arrived since then. */
  #hasHeard = false;

  constructor(tcp: Duplex) {
    this.#progress = new TcpProgress(tcp);
  }

  /** A whole message has arrived. */
  onMessage(): void {
    this.#silentPings = 0;
    this.#hasHeard = true;
  }

  /** The WebSocket of the client has answered a ping. */
  onPong(): void {
    this.#silentPings = 0;
  }

  /**
   * Counts a ping that is sent now; `false` if too many were in vain. A client that is not read from can't answer: it is
   * there while it takes what waits for it.
   */
  countPing(): boolean {
    if (this.#progress.hasMoved()) this.#silentPings = 0;
    if (this.#silentPings >= silentPingsMax) return false;
    this.#silentPings += 1;
    return true;
  }

  /** Whether a long message is arriving: since the last look bytes have come, and the end of no message. */
  isReceiving(): boolean {
    const { arrivedBytes } = this.#progress;
    const isReceiving = arrivedBytes > this.#seenBytes && !this.#hasHeard;
    this.#seenBytes = arrivedBytes;
    this.#hasHeard = false;
    return isReceiving;
  }
}
