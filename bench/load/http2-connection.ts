import type { Done } from './client.ts';
import { TurnSocket } from './turn-socket.ts';

const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');
const frameHeaderBytes = 9;
const type = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const flag = { ack: 1, endStream: 1, endHeaders: 4 } as const;
/** The windows that HTTP/2 begins with, and the one that we open for what arrives. */
const windowBytes = 65_535;
const ourWindowBytes = 2 ** 24;
/** The largest payload that the other end takes, unless it says otherwise. */
const frameBytesMax = 16_384;

/** A request on its way: whether a message has come back for it. */
interface Stream {
  readonly done: Done;
  isAnswered: boolean;
}

/**
 * As much of HTTP/2 as unary gRPC takes, written by hand: Node's own spends more on a request than etcd does, and on a
 * machine that both share, it is the client that would be measured. A call that fails has no message in its answer, so
 * that headers need not be read.
 */
export class Http2Connection {
  readonly #socket: TurnSocket;
  readonly #streams = new Map<number, Stream>();
  #nextStream = 1;
  #rest: Buffer = Buffer.alloc(0);
  /** Bytes that may be sent, and what waits until more may be. */
  #window = windowBytes;
  readonly #waiting: { readonly headers: Buffer; readonly message: Buffer; readonly done: Done }[] = [];
  /** Bytes that have arrived since the other end was told to go on. */
  #received = 0;

  static async open(url: string): Promise<Http2Connection> {
    return new Http2Connection(await TurnSocket.open(url));
  }

  private constructor(socket: TurnSocket) {
    this.#socket = socket;
    socket.onData((bytes) => this.#onData(bytes));
    socket.write(preface);
    socket.write(frame(type.settings, 0, 0, settings({ 4: ourWindowBytes })));
    socket.write(frame(type.windowUpdate, 0, 0, u32(ourWindowBytes)));
  }

  /** Makes a call. `headers` is a header block, `message` what goes with it. */
  call(headers: Buffer, message: Buffer, done: Done): void {
    if (this.#waiting.length > 0 || this.#window < message.byteLength) {
      this.#waiting.push({ headers, message, done });
      return;
    }
    this.#window -= message.byteLength;
    const stream = this.#nextStream;
    this.#nextStream += 2;
    this.#streams.set(stream, { done, isAnswered: false });
    this.#socket.write(frame(type.headers, flag.endHeaders, stream, headers));
    for (let at = 0; at < message.byteLength; at += frameBytesMax) {
      const flags = at + frameBytesMax < message.byteLength ? 0 : flag.endStream;
      this.#socket.write(frame(type.data, flags, stream, message.subarray(at, at + frameBytesMax)));
    }
  }

  #onData(bytes: Buffer): void {
    const all = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    let at = 0;
    while (at + frameHeaderBytes <= all.byteLength) {
      const end = at + frameHeaderBytes + all.readUIntBE(at, 3);
      if (end > all.byteLength) break;
      this.#onFrame(all, at, end);
      at = end;
    }
    this.#rest = all.subarray(at);
  }

  #onFrame(bytes: Buffer, at: number, end: number): void {
    const kind = bytes[at + 3] as number;
    const flags = bytes[at + 4] as number;
    const id = bytes.readUInt32BE(at + 5);
    const payload = bytes.subarray(at + frameHeaderBytes, end);
    switch (kind) {
      case type.data:
        this.#onMessage(id, payload.byteLength);
        break;
      case type.reset:
        return this.#end(id, false);
      case type.settings:
        if ((flags & flag.ack) === 0) this.#socket.write(frame(type.settings, flag.ack, 0, Buffer.alloc(0)));
        return;
      case type.ping:
        if ((flags & flag.ack) === 0) this.#socket.write(frame(type.ping, flag.ack, 0, Buffer.from(payload)));
        return;
      case type.windowUpdate:
        if (id === 0) this.#open(payload.readUInt32BE(0));
        return;
      case type.goAway:
        throw new Error('the other end gives the connection up');
    }
    const isEnd = (kind === type.data || kind === type.headers) && (flags & flag.endStream) !== 0;
    if (isEnd) this.#end(id, true);
  }

  #onMessage(id: number, byteLength: number): void {
    const stream = this.#streams.get(id);
    if (stream !== undefined) stream.isAnswered = true;
    this.#received += byteLength;
    if (this.#received < ourWindowBytes / 2) return;
    this.#socket.write(frame(type.windowUpdate, 0, 0, u32(this.#received)));
    this.#received = 0;
  }

  #end(id: number, isGood: boolean): void {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    stream?.done(isGood && stream.isAnswered);
  }

  #open(bytes: number): void {
    this.#window += bytes;
    for (const { headers, message, done } of this.#waiting.splice(0)) this.call(headers, message, done);
  }
}

function frame(kind: number, flags: number, stream: number, payload: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(frameHeaderBytes + payload.byteLength);
  bytes.writeUIntBE(payload.byteLength, 0, 3);
  bytes[3] = kind;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(payload, frameHeaderBytes);
  return bytes;
}

function settings(values: Readonly<Record<number, number>>): Buffer {
  return Buffer.concat(
    Object.entries(values).map(([name, value]) =>
      Buffer.concat([Buffer.from([0, Number(name)]), u32(value)]),
    ),
  );
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
