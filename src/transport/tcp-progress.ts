import type { Duplex } from 'node:stream';

/** What a socket of `node:net` tells of its bytes; one of another kind may tell less. */
interface Tcp {
  readonly bytesRead?: number;
  readonly _handle?: { readonly bytesWritten?: number; readonly writeQueueSize?: number } | null;
}

/** What counts as moving, in bytes between two looks: whoever sends byte by byte would keep the memory of a long message for good. */
const movedBytesMin = 16_384;

/** Watches the bytes of a TCP socket: those of a long message move while no whole message does. */
export class TcpProgress {
  readonly #tcp: Tcp;
  /** As of the last look. */
  #waitingBytes = 0;
  #leftBytes = 0;
  #arrivedBytes = 0;

  constructor(tcp: Duplex) {
    this.#tcp = tcp as Tcp;
  }

  /** Bytes that have arrived so far. */
  get arrivedBytes(): number {
    return this.#tcp.bytesRead ?? 0;
  }

  /**
   * Whether, since the last look, 16 KiB have arrived, or have left although others had to wait. What leaves at once
   * tells nothing: the operating system takes it whether the other end lives or not.
   *
   * Asks libuv, as `setTimeout` of a socket does: `bufferedAmount` falls only when a whole message has left.
   */
  hasMoved(): boolean {
    const { bytesWritten = 0, writeQueueSize = 0 } = this.#tcp._handle ?? {};
    const { arrivedBytes } = this;
    const leftBytes = bytesWritten - writeQueueSize;
    const hasLeft = this.#waitingBytes > 0 && leftBytes >= this.#leftBytes + movedBytesMin;
    const hasArrived = arrivedBytes >= this.#arrivedBytes + movedBytesMin;
    this.#waitingBytes = writeQueueSize;
    this.#leftBytes = leftBytes;
    this.#arrivedBytes = arrivedBytes;
    return hasLeft || hasArrived;
  }
}
