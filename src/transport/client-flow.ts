import type { WebSocket } from 'ws';

/** Bytes that may wait for a client: those of its endpoint. */
export interface FlowLimits {
  /** Above it, the client is not read from until it has read half of them. */
  readonly bufferedBytesMax: number;
  /** Above it, besides one answer that is larger than others, the client is cut off. */
  readonly bufferedBytesCut: number;
}

/** Flow control: what is sent to a client gets so far ahead of its reading, and no farther. */
export class ClientFlow {
  readonly #webSocket: WebSocket;
  readonly #limits: FlowLimits;
  readonly #onRoom: () => void;
  /** The size of the largest answer to a query, or frame of results. */
  #answerBytesMax = 0;
  readonly #onSent = (): void => {
    const isRead = this.#webSocket.bufferedAmount <= this.#limits.bufferedBytesMax / 2;
    if (this.#webSocket.isPaused && isRead) this.#webSocket.resume();
    if (isRead) this.#onRoom();
  };

  /** `onRoom` is called when a client that was behind has read half of what may wait. */
  constructor(webSocket: WebSocket, limits: FlowLimits, onRoom: () => void) {
    this.#webSocket = webSocket;
    this.#limits = limits;
    this.#onRoom = onRoom;
  }

  /** Whether more may be sent, with so many bytes about to leave. */
  hasRoom(bytes: number): boolean {
    return this.#webSocket.bufferedAmount + bytes <= this.#limits.bufferedBytesMax;
  }

  /** There was room for an answer, whatever its size: the client is not cut off for that. */
  allow(answerBytes: number): void {
    this.#answerBytesMax = Math.max(this.#answerBytesMax, answerBytes);
  }

  /** Sends a message. */
  send(message: Uint8Array): void {
    const buffered = this.#webSocket.bufferedAmount + message.byteLength;
    // Whatever waits for the client to read comes after that much. To be called back takes a turn of the event loop.
    const mayStop = buffered > this.#limits.bufferedBytesMax / 2;
    this.#webSocket.send(message, mayStop ? this.#onSent : undefined);
  }

  /** After messages were sent: a client that does not read is not read from; one that lets answers pile up is cut off. */
  check(): void {
    const { bufferedBytesMax, bufferedBytesCut } = this.#limits;
    const { bufferedAmount } = this.#webSocket;
    if (bufferedAmount - this.#answerBytesMax > bufferedBytesCut) this.#webSocket.terminate();
    else if (bufferedAmount > bufferedBytesMax) this.#webSocket.pause();
  }
}
