import { type EntryBatch, encodedBytes, setUint53, writeBatch } from '../core/index.ts';

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
  /** A batch in its byte form, without a length. */
  batch(batch: EntryBatch): void;
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
  return encodeInto(new Uint8Array(countWith(write)), write);
}

/** The same, written to the beginning of `target`, which must have room for it; returns the part that was written. */
export function encodeInto(target: Uint8Array, write: (sink: ByteSink) => void): Uint8Array {
  const writer = new ByteWriter(target);
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
    this.length += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.length += 4 + bytes.length;
  }

  batch(batch: EntryBatch): void {
    this.length += encodedBytes(batch);
  }

  string(value: string): void {
    this.length += 2 + Math.min(utf8Bytes(value), stringBytesMax);
  }
}

class ByteWriter implements ByteSink {
  private readonly target: Uint8Array;
  private readonly view: DataView;
  private at = 0;

  constructor(target: Uint8Array) {
    this.target = target;
    this.view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  }

  get written(): Uint8Array {
    return this.target.subarray(0, this.at);
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
    this.target.set(bytes, this.at);
    this.at += bytes.length;
  }

  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  batch(batch: EntryBatch): void {
    writeBatch(batch, this.target, this.at);
    this.at += encodedBytes(batch);
  }

  string(value: string): void {
    const length = Math.min(utf8Bytes(value), stringBytesMax);
    this.u16(length);
    encoder.encodeInto(value, this.target.subarray(this.at, this.at + length));
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
