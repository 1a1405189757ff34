import { crc32, isPayload } from '../core/index.ts';

/** How payloads are written down: by length and checksum, or as they are. */
export type PayloadForm = 'checksums' | 'whole';

/** More than any payload has: a damaged line must not ask for all memory. */
const payloadBytesMax = 256 * 1024 * 1024;

/** Bytes that stand for others of the same length, and the checksum of those. */
const standIns = new WeakMap<Uint8Array, number>();

/**
 * The text of a value in JSON. Bytes become `{"bytes": LENGTH, "crc32": CHECKSUM}`, or `{"base64": TEXT}` if they are
 * to be whole, and always where the core looks into them: in a configuration.
 *
 * Throws a `TypeError` for what JSON can't hold, such as a `bigint`.
 */
export function toJson(value: unknown, form: PayloadForm): string {
  return JSON.stringify(value, function (this: unknown, _key, part: unknown) {
    return part instanceof Uint8Array ? bytesToJson(part, { form, holder: this as Holder }) : part;
  });
}

/**
 * What {@link toJson} has written. Of a payload of which only length and checksum are known the bytes are made up:
 * as many, in as many entries, which is all that the core looks at. Throws a `SyntaxError` or `RangeError`.
 */
export function fromJson(text: string): unknown {
  return JSON.parse(text, function (this: unknown, _key, part: unknown) {
    if (typeof part !== 'object' || part === null) return part;
    if (isWhole(part)) return bytesOf(part.base64);
    return isElided(part) ? standInFor(part, this as Holder) : part;
  });
}

/** What a payload stands in: a batch, a write, or something else. */
interface Holder {
  readonly type?: unknown;
  readonly kind?: unknown;
  readonly count?: unknown;
  readonly payloadChecksum?: unknown;
}

interface Elided {
  readonly bytes: number;
  readonly crc32: number;
}

function bytesToJson(bytes: Uint8Array, { form, holder }: { form: PayloadForm; holder: Holder }): object {
  const known = standIns.get(bytes);
  if (known !== undefined) return { bytes: bytes.byteLength, crc32: known };
  const isRead = holder.kind === 'configuration' || isMalformedWrite(bytes, holder);
  if (form === 'whole' || isRead) return { base64: base64Of(bytes) };
  const { payloadChecksum } = holder; // Of a batch and of a write it is there already.
  return {
    bytes: bytes.byteLength,
    crc32: typeof payloadChecksum === 'number' ? payloadChecksum : crc32(bytes),
  };
}

/** The core refuses a write whose payload is not as many commands as it says; a stand-in would be. */
function isMalformedWrite(bytes: Uint8Array, { type, count }: Holder): boolean {
  return type === 'write' && !(Number.isSafeInteger(count) && isPayload(bytes, count as number));
}

function isElided(part: object): part is Elided {
  return 'bytes' in part && 'crc32' in part && Object.keys(part).length === 2;
}

function isWhole(part: object): part is { readonly base64: string } {
  return 'base64' in part && typeof part.base64 === 'string' && Object.keys(part).length === 1;
}

/** `count` entries: all empty but the last, which has the rest. */
function standInFor({ bytes, crc32: checksum }: Elided, { count }: Holder): Uint8Array {
  if (!Number.isSafeInteger(bytes) || bytes < 0 || bytes > payloadBytesMax) {
    throw new RangeError(`a payload of ${bytes} bytes, expected 0 to ${payloadBytesMax}`);
  }
  const standIn = new Uint8Array(bytes);
  const last = 4 * (Number(count) - 1);
  if (last >= 0 && last + 4 <= bytes) new DataView(standIn.buffer).setUint32(last, bytes - last - 4);
  standIns.set(standIn, checksum);
  return standIn;
}

const sliceBytes = 8192;

/** In slices: a function takes only so many arguments. */
function base64Of(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.byteLength; at += sliceBytes) {
    text += String.fromCharCode(...bytes.subarray(at, at + sliceBytes));
  }
  return btoa(text);
}

function bytesOf(base64: string): Uint8Array {
  const text = atobOrThrow(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

function atobOrThrow(base64: string): string {
  try {
    return atob(base64);
  } catch {
    throw new RangeError('a payload that is not base64');
  }
}
