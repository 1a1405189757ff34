import type { Client, Done } from './client.ts';
import type { LoadOptions } from './load-process.ts';
import { TurnSocket } from './turn-socket.ts';

const connections = 16;
const lineEnd = Buffer.from('\r\n', 'latin1');

/** The stream that the load writes to: on three nodes, in files. */
export const natsStream = { name: 'bench', subject: 'bench.key' } as const;

/** Clients of NATS JetStream: its protocol is lines, and an answer goes to a subject that the request names. */
export async function natsClient({ urls: [url = ''], bytes }: LoadOptions): Promise<Client> {
  const open = await Promise.all(
    Array.from({ length: connections }, (_, at) => NatsConnection.open(url, at)),
  );
  return {
    write: (key, done, caller) => {
      const value = Buffer.alloc(bytes - 4, key % 251);
      (open[caller % connections] as NatsConnection).ask(`${natsStream.subject}.${key}`, value, (answer) =>
        done(!answer.includes('"error"') && answer.includes('"seq"')),
      );
    },
    read: (_, __, done: Done) => setImmediate(done, false), // It has no read that a majority confirms.
    close: () => undefined,
  };
}

/** One connection, and who waits for which answer on it. */
export class NatsConnection {
  readonly #socket: TurnSocket;
  readonly #inbox: string;
  readonly #waiting = new Map<string, (answer: string) => void>();
  #lastReply = 0;
  #received: Buffer = Buffer.alloc(0);

  static async open(url: string, number: number): Promise<NatsConnection> {
    return new NatsConnection(await TurnSocket.open(url), `_INBOX.${process.pid}-${number}`);
  }

  private constructor(socket: TurnSocket, inbox: string) {
    this.#socket = socket;
    this.#inbox = inbox;
    socket.onData((bytes) => this.#onData(bytes));
    socket.write(Buffer.from(`CONNECT {"verbose":false,"pedantic":false}\r\nSUB ${inbox}.* 1\r\n`, 'latin1'));
  }

  /** Publishes, and calls with what is sent back. */
  ask(subject: string, payload: Uint8Array, onAnswer: (answer: string) => void): void {
    this.#lastReply += 1;
    const reply = `${this.#inbox}.${this.#lastReply}`;
    this.#waiting.set(reply, onAnswer);
    const line = `PUB ${subject} ${reply} ${payload.byteLength}\r\n`;
    this.#socket.write(Buffer.concat([Buffer.from(line, 'latin1'), payload, lineEnd]));
  }

  close(): void {
    this.#socket.close();
  }

  #onData(bytes: Buffer): void {
    const all = this.#received.byteLength === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    let at = 0;
    for (let end = this.#lineEnd(all, at); end >= 0; end = this.#lineEnd(all, at)) {
      const next = this.#onLine(all, at, end);
      if (next < 0) break;
      at = next;
    }
    this.#received = all.subarray(at);
  }

  #lineEnd(bytes: Buffer, from: number): number {
    return bytes.indexOf(lineEnd, from);
  }

  /** Where the next line begins; -1 if the message of this one is not all there. */
  #onLine(bytes: Buffer, at: number, end: number): number {
    const line = bytes.toString('latin1', at, end);
    const next = end + lineEnd.byteLength;
    if (line === 'PING') this.#socket.write(Buffer.from('PONG\r\n', 'latin1'));
    if (line.startsWith('-ERR')) throw new Error(`NATS refuses: ${line}`);
    if (!line.startsWith('MSG ')) return next;
    const [, subject = ''] = line.split(' ');
    const messageEnd = next + Number(line.slice(line.lastIndexOf(' '))); // A subject to reply to may be in between.
    if (messageEnd + lineEnd.byteLength > bytes.byteLength) return -1;
    const onAnswer = this.#waiting.get(subject);
    this.#waiting.delete(subject);
    onAnswer?.(bytes.toString('latin1', next, messageEnd));
    return messageEnd + lineEnd.byteLength;
  }
}
