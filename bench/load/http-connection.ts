import type { Done } from './client.ts';
import { TurnSocket } from './turn-socket.ts';

const headEnd = Buffer.from('\r\n\r\n', 'latin1');
const lastChunk = Buffer.from('0\r\n\r\n', 'latin1');

/** As much of HTTP/1.1 as a load takes: a connection that is kept, and one request on it at a time. */
export class HttpConnection {
  readonly #socket: TurnSocket;
  #done: Done | null = null;
  #received: Buffer = Buffer.alloc(0);

  static async open(url: string): Promise<HttpConnection> {
    return new HttpConnection(await TurnSocket.open(url));
  }

  private constructor(socket: TurnSocket) {
    this.#socket = socket;
    socket.onData((bytes) => this.#onData(bytes));
  }

  /** Sends a whole request, head and body. */
  ask(request: Uint8Array, done: Done): void {
    this.#done = done;
    this.#socket.write(request);
  }

  #onData(bytes: Buffer): void {
    this.#received = this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf(headEnd);
    if (end < 0) return;
    const head = this.#received.toString('latin1', 0, end).toLowerCase();
    if (!this.#isWhole(head, end + headEnd.byteLength)) return;
    const isGood = head.startsWith('http/1.1 2');
    const done = this.#done;
    this.#received = Buffer.alloc(0);
    this.#done = null;
    done?.(isGood);
  }

  #isWhole(head: string, bodyAt: number): boolean {
    const lengthAt = head.indexOf('content-length: ');
    if (lengthAt >= 0) {
      const length = Number.parseInt(head.slice(lengthAt + 'content-length: '.length), 10);
      return this.#received.byteLength >= bodyAt + length;
    }
    const isChunked = head.includes('transfer-encoding: chunked');
    return !isChunked || this.#received.subarray(-lastChunk.byteLength).equals(lastChunk);
  }
}
