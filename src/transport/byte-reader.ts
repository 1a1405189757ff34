import { getUint53 } from '../core/index.ts';

/** Why bytes are not what they should be. */
export type FrameErrorKind =
  /** The bytes end before the value does. */
  | 'truncated'
  /** Bytes are left over behind the value. */
  | 'trailingBytes'
  /** A type of message or frame that this version does not know. */
  | 'unknownType'
  /** A number, a name or a text outside its range. */
  | 'outOfRange'
  /** A list longer than its limit. */
  | 'tooMany'
  /** A text that is not UTF-8. */
  | 'badText'
  /** A batch that does not decode; `detail` says why. */
  | 'badBatch'
  /** Commands whose checksum or lengths are wrong. */
  | 'badPayload'
  /** A piece of a snapshot whose checksum or length is wrong. */
  | 'badChunk'
  /** A configuration that does not decode. */
  | 'badConfiguration';

/** Where decoding stopped, and why. */
export interface FrameError {
  readonly type: 'error';
  readonly kind: FrameErrorKind;
  /** Bytes from the beginning of the message. */
  readonly offset: number;
  readonly detail: string;
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads fields from bytes that nobody vouches for. It never throws: after the first thing that is wrong it
 * holds the `error`, and every further field reads as zero or empty.
 */
export class ByteReader {
  error: FrameError | null = null;
  at = 0;
  private readonly source: Uint8Array;
  private readonly view: DataView;
  private end: number;

  constructor(bytes: Uint8Array) {
    this.source = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.byteLength;
  }

  /** Bytes left, up to the limit set by {@link ByteReader.within}. */
  get remaining(): number {
    return this.end - this.at;
  }

  /** Records the first error, and ends the reading. */
  fail(kind: FrameErrorKind, detail: string): void {
    this.error ??= { type: 'error', kind, offset: this.at, detail };
    this.at = this.end;
  }

  u8(): number {
    const start = this.take(1);
    return start < 0 ? 0 : this.view.getUint8(start);
  }

  u16(): number {
    const start = this.take(2);
    return start < 0 ? 0 : this.view.getUint16(start);
  }

  u32(): number {
    const start = this.take(4);
    return start < 0 ? 0 : this.view.getUint32(start);
  }

  u53(): number {
    const start = this.take(8);
    const value = start < 0 ? 0 : getUint53(this.view, start);
    if (value >= 0) return value;
    this.fail('outOfRange', 'an integer is beyond the safe ones');
    return 0;
  }

  bool(): boolean {
    const value = this.u8();
    if (value > 1) this.fail('outOfRange', `a flag is ${value}`);
    return value === 1;
  }

  /** The next bytes as a view. */
  raw(length: number): Uint8Array {
    const start = this.take(length);
    return start < 0 ? this.source.subarray(0, 0) : this.source.subarray(start, start + length);
  }

  /** A u32 length and as many bytes, as a view. */
  bytes(): Uint8Array {
    return this.raw(this.u32());
  }

  /** Passes over the rest. */
  skip(): void {
    this.at = this.end;
  }

  /** A text of at most so many bytes. */
  text(bytesMax: number): string {
    const length = this.u16();
    if (length > bytesMax) this.fail('outOfRange', `a text of ${length} bytes is over ${bytesMax}`);
    const bytes = this.raw(this.error === null ? length : 0);
    try {
      return decoder.decode(bytes);
    } catch {
      this.fail('badText', 'a text is not UTF-8');
      return '';
    }
  }

  /** A text that matches a pattern. */
  name(pattern: RegExp, bytesMax: number): string {
    const name = this.text(bytesMax);
    if (this.error === null && !pattern.test(name))
      this.fail('outOfRange', `${JSON.stringify(name)} is not a name`);
    return name;
  }

  /** How long a list is: at most `countMax`, and no more than fit into the bytes that are left. */
  count(length: number, { countMax, itemBytesMin }: { countMax: number; itemBytesMin: number }): number {
    if (length > countMax) this.fail('tooMany', `a list of ${length} is over ${countMax}`);
    else if (length * itemBytesMin > this.remaining)
      this.fail('truncated', `a list of ${length} does not fit`);
    return this.error === null ? length : 0;
  }

  /** Reads a value that has to fill the next `length` bytes exactly. */
  within<Value>(length: number, read: () => Value): Value | undefined {
    const start = this.take(length);
    if (start < 0) return undefined;
    const outerEnd = this.end;
    this.at = start;
    this.end = start + length;
    const value = read();
    this.expectEnd();
    this.end = outerEnd;
    return this.error === null ? value : undefined;
  }

  /** Nothing may be left over. */
  expectEnd(): void {
    if (this.at < this.end) this.fail('trailingBytes', `${this.remaining} bytes are left over`);
  }

  /** Passes over so many bytes; returns where they begin, or -1 if there are not so many, or something was wrong before. */
  private take(length: number): number {
    const start = this.at;
    const end = start + length;
    if (this.error !== null || end > this.end) {
      this.fail('truncated', `${length} bytes are needed, ${this.remaining} are left`);
      return -1;
    }
    this.at = end;
    return start;
  }
}

/**
 * Bytes that pin little more memory than they hold: copied when their buffer is more than twice as large.
 * A small view of a received message would keep up to 64 KiB of the socket's buffer alive.
 */
export function detached(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 2 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes;
}
