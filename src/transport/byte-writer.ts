import { setUint53 } from '../core/index.ts';

/** Where an encoder puts its fields. All integers are big-endian. */
export interface ByteSink {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  /** A non-negative safe integer, as a u64. */
  u53(value: number): void;
  /** A u8, 0 or 1. */
  bool(value: boolean): void;
  /** The bytes as they are, without a length. */
  raw(bytes: Uint8Array): void;
  /** A u32 length and the bytes. */
  bytes(bytes: Uint8Array): void;
  /** A u16 length and as many bytes of UTF-8. */
  string(value: string): void;
}

/**
 * The byte form of what `write` puts into its sink.
 *
 * `write` runs twice, first to count and then to fill one array of just that length: so the layout stands
 * in one place, and the bytes of a batch are copied once.
 */
export function encodeWith(write: (sink: ByteSink) => void): Uint8Array {
  const writer = new ByteWriter(countWith(write));
  write(writer);
  return writer.written;
}

/** How many bytes {@link encodeWith} would give. */
export function countWith(write: (sink: ByteSink) => void): number {
  const counter = new ByteCounter();
  write(counter);
  return counter.length;
}

/** The longest string that a u16 length can announce, in bytes. */
const stringBytesMax = 0xffff;
const encoder = new TextEncoder();

class ByteCounter implements ByteSink {
  length = 0;

  u8(_value: number): void {
    this.length += 1;
  }

  u16(_value: number): void {
    this.length += 2;
  }

  u32(_value: number): void {
    this.length += 4;
  }

  u53(_value: number): void {
    this.length += 8;
  }

  bool(_value: boolean): void {
    this.length += 1;
  }

  raw(bytes: Uint8Array): void {
    this.length += bytes.byteLength;
  }

  bytes(bytes: Uint8Array): void {
    this.length += 4 + bytes.byteLength;
  }

  string(value: string): void {
    this.length += 2 + Math.min(utf8Bytes(value), stringBytesMax);
  }
}

class ByteWriter implements ByteSink {
  readonly written: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(length: number) {
    this.written = new Uint8Array(length);
    this.view = new DataView(this.written.buffer);
  }

  u8(value: number): void {
    this.view.setUint8(this.at, value);
    this.at += 1;
  }

  u16(value: number): void {
    this.view.setUint16(this.at, value);
    this.at += 2;
  }

  u32(value: number): void {
    this.view.setUint32(this.at, value);
    this.at += 4;
  }

  u53(value: number): void {
    setUint53(this.view, this.at, value);
    this.at += 8;
  }

  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  raw(bytes: Uint8Array): void {
    this.written.set(bytes, this.at);
    this.at += bytes.byteLength;
  }

  bytes(bytes: Uint8Array): void {
    this.u32(bytes.byteLength);
    this.raw(bytes);
  }

  string(value: string): void {
    const length = Math.min(utf8Bytes(value), stringBytesMax);
    this.u16(length);
    encoder.encodeInto(value, this.written.subarray(this.at, this.at + length));
    this.at += length;
  }
}

/** The length of a string in UTF-8; a lone surrogate counts as the U+FFFD that stands for it. */
function utf8Bytes(value: string): number {
  let length = value.length;
  for (let at = 0; at < value.length; at++) {
    const unit = value.charCodeAt(at);
    if (unit < 0x80) continue;
    length += unit < 0x800 ? 1 : 2;
    if (isLeading(unit) && isTrailing(value.charCodeAt(at + 1))) at++; // A pair: four bytes for two units.
  }
  return length;
}

function isLeading(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isTrailing(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}
