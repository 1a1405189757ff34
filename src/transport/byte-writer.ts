import { type EntryBatch, encodedBytes, setUint53, writeBatch } from '../core/index.ts';
import { copied } from './copied.ts';

/** The longest string that a u16 length can announce, in bytes. */
const stringBytesMax = 0xffff;
const encoder = new TextEncoder();

/** Writes fields one behind the other. All integers are big-endian. */
export class ByteWriter {
  private target: Uint8Array;
  private view: DataView;
  private at = 0;

  /** Writes to the beginning of `target`, and to other memory once that is full. */
  constructor(target: Uint8Array) {
    this.target = target;
    this.view = viewOf(target);
  }

  /** What has been written, as a view. */
  get written(): Uint8Array {
    return this.target.subarray(0, this.at);
  }

  /** How many bytes that were. */
  get length(): number {
    return this.at;
  }

  /** What there is room for without taking more memory. */
  get room(): number {
    return this.target.length;
  }

  /** Begins anew, in the same memory. */
  clear(): void {
    this.at = 0;
  }

  u8(value: number): void {
    const start = this.take(1);
    this.view.setUint8(start, value);
  }

  u16(value: number): void {
    const start = this.take(2);
    this.view.setUint16(start, value);
  }

  u32(value: number): void {
    const start = this.take(4);
    this.view.setUint32(start, value);
  }

  /** A non-negative safe integer, as a u64. */
  u53(value: number): void {
    const start = this.take(8);
    setUint53(this.view, start, value);
  }

  /** A u8, 0 or 1. */
  bool(value: boolean): void {
    this.u8(value ? 1 : 0);
  }

  /** The bytes as they are, without a length. */
  raw(bytes: Uint8Array): void {
    const start = this.take(bytes.length);
    this.target.set(bytes, start);
  }

  /** A u32 length and the bytes. */
  bytes(bytes: Uint8Array): void {
    this.u32(bytes.length);
    this.raw(bytes);
  }

  /** A batch in its byte form, without a length. */
  batch(batch: EntryBatch): void {
    const start = this.take(encodedBytes(batch));
    writeBatch(batch, this.target, start);
  }

  /** A u16 length and as many bytes of UTF-8. */
  string(value: string): void {
    const length = Math.min(utf8Bytes(value), stringBytesMax);
    this.u16(length);
    const start = this.take(length);
    encoder.encodeInto(value, this.target.subarray(start, start + length));
  }

  /** Makes room for the u32 length of what comes next; {@link endLength} writes it there. */
  beginLength(): number {
    return this.take(4);
  }

  endLength(start: number): void {
    this.view.setUint32(start, this.at - start - 4);
  }

  /** Passes over so many bytes; returns where they begin. */
  private take(length: number): number {
    const start = this.at;
    this.at = start + length;
    if (this.at > this.target.length) this.grow(start);
    return start;
  }

  private grow(used: number): void {
    const larger = new Uint8Array(Math.max(this.at, 2 * this.target.length));
    larger.set(this.target.subarray(0, used));
    this.target = larger;
    this.view = viewOf(larger);
  }
}

/** Counts what it is given, and copies no payload for it. */
class ByteCounter extends ByteWriter {
  /** Bytes that were passed over. */
  private uncopied = 0;

  override get length(): number {
    return super.length + this.uncopied;
  }

  override clear(): void {
    super.clear();
    this.uncopied = 0;
  }

  override raw(bytes: Uint8Array): void {
    this.uncopied += bytes.length;
  }

  override batch(batch: EntryBatch): void {
    this.uncopied += encodedBytes(batch);
  }
}

/** Memory up to this size is kept for the next use. */
const keptBytesMax = 64 * 1024;
const newMemory = (): Uint8Array => new Uint8Array(1024);
const counter = new ByteCounter(newMemory());
let kept = new ByteWriter(newMemory());

/** The byte form of what `write` writes, in an array of just that length. */
export function encodeWith(write: (writer: ByteWriter) => void): Uint8Array {
  kept.clear();
  write(kept);
  const bytes = copied(kept.written);
  if (kept.room > keptBytesMax) kept = new ByteWriter(newMemory());
  return bytes;
}

/** How many bytes {@link encodeWith} would give. Payloads are not copied for it. */
export function countWith(write: (writer: ByteWriter) => void): number {
  counter.clear();
  write(counter);
  return counter.length;
}

/** Writes to the beginning of `target`; returns what was written, which is elsewhere only if it does not fit there. */
export function encodeInto(target: Uint8Array, write: (writer: ByteWriter) => void): Uint8Array {
  const writer = new ByteWriter(target);
  write(writer);
  return writer.written;
}

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
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
