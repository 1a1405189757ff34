import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Done } from './client.ts';

const headEnd = '\r\n\r\n';
const lastChunk = '0\r\n\r\n';

/** Where what arrives is put, on any connection: it is text before anything else can arrive. */
const arrived = Buffer.allocUnsafeSlow(64 * 1024);

/** As much of HTTP/1.1 as a load takes: a connection that is kept, and one request on it at a time. */
export class HttpConnection {
  readonly #socket: Socket;
  #done: Done | null = null;
  #received = '';
  /** Whether the other end has closed it, with no request under way: servers do that to whoever has nothing to ask. */
  isClosed = false;

  /** Connects. An end while a request is under way is an error of the process. */
  static async open(url: string): Promise<HttpConnection> {
    const connection = new HttpConnection(url);
    const fail = (reason: string): void => {
      if (connection.#done !== null) throw new Error(`a connection to ${url} has ended: ${reason}`);
      connection.isClosed = true;
    };
    await once(connection.#socket, 'connect');
    connection.#socket
      .once('error', ({ message }) => fail(message))
      .once('close', () => fail('the other end has closed it'));
    return connection;
  }

  private constructor(url: string) {
    const { hostname, port } = new URL(url);
    const onread = { buffer: arrived, callback: (length: number) => this.#onData(length) };
    this.#socket = connect({ host: hostname, port: Number(port), noDelay: true, onread });
  }

  /** Sends a whole request, head and body, in characters of one byte each. */
  ask(request: string, done: Done): void {
    this.#done = done;
    this.#socket.write(request, 'latin1');
  }

  #onData(length: number): boolean {
    this.#received += arrived.toString('latin1', 0, length);
    if (!isWhole(this.#received)) return true;
    const isGood = this.#received.startsWith('HTTP/1.1 2');
    const done = this.#done;
    this.#received = '';
    this.#done = null;
    done?.(isGood);
    return true; // Goes on reading.
  }
}

/** Whether an answer has come to its end: by its length, or by its last chunk. */
function isWhole(answer: string): boolean {
  const end = answer.indexOf(headEnd);
  if (end < 0) return false;
  const head = answer.slice(0, end);
  const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
  if (length !== undefined) return answer.length >= end + headEnd.length + Number(length);
  return !/\r\ntransfer-encoding: chunked/i.test(head) || answer.endsWith(lastChunk);
}
