import type { ClientSocket } from './web-socket.ts';

/** Watches the bytes of a WebSocket: those of a long message move while no whole message does. */
export class Progress {
  readonly #socket: ClientSocket;
  #sentBytes = 0;
  /** As of the last look. */
  #waitingBytes = 0;
  #leftBytes = 0;
  #arrivedBytes = 0;

  constructor(socket: ClientSocket) {
    this.#socket = socket;
  }

  /** So many bytes are handed to the socket. */
  onSend(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /**
   * Whether, since the last look, bytes have arrived, or some have left although others had to wait. What leaves at once
   * tells nothing: the operating system takes it whether the other end lives or not.
   */
  hasMoved(): boolean {
    const waitingBytes = this.#socket.bufferedAmount;
    const leftBytes = this.#sentBytes - waitingBytes;
    const arrivedBytes = arrivedBytesOf(this.#socket);
    const hasLeft = this.#waitingBytes > 0 && leftBytes > this.#leftBytes;
    const hasArrived = arrivedBytes > this.#arrivedBytes;
    this.#waitingBytes = waitingBytes;
    this.#leftBytes = leftBytes;
    this.#arrivedBytes = arrivedBytes;
    return hasLeft || hasArrived;
  }
}

/** Only a WebSocket of `ws` has a TCP socket to look at; others tell of whole messages, and this stays 0. */
function arrivedBytesOf(socket: object): number {
  const bytes = (socket as { readonly _socket?: { readonly bytesRead?: unknown } | null })._socket?.bytesRead;
  return typeof bytes === 'number' ? bytes : 0;
}
