import { isUtf8 } from 'node:buffer';
import * as v from 'valibot';

/** Bytes in JSON: a string if they are valid UTF-8, else `{"base64": …}`. */
export type JsonBytes = string | { readonly base64: string };

/** Bytes as JSON carries them. */
export function toJsonBytes(bytes: Uint8Array): JsonBytes {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : { base64: buffer.toString('base64') };
}

/** The bytes that a {@link JsonBytes} stands for. */
export function fromJsonBytes(json: JsonBytes): Uint8Array {
  return typeof json === 'string' ? Buffer.from(json, 'utf8') : Buffer.from(json.base64, 'base64');
}

/**
 * Reads bytes from JSON that somebody sent. A string with half a surrogate pair is refused: it has no UTF-8
 * form, and would turn into other bytes without a word.
 */
export const jsonBytesSchema = v.pipe(
  v.union(
    [
      v.pipe(
        v.string(),
        v.check((text) => !/\p{Surrogate}/u.test(text)),
      ),
      v.strictObject({ base64: v.pipe(v.string(), v.base64()) }),
    ],
    'expected a string, or {"base64": "…"} for bytes that are not UTF-8',
  ),
  v.transform(fromJsonBytes),
);
