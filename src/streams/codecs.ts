import { jsonLoss } from './json-loss.ts';
import type { Codec } from './state-machine.ts';

/** Bytes as they are when they are given: the caller may use the array again at once. Those that are read are not to be changed. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => (value instanceof Uint8Array ? new Uint8Array(value) : value),
  decode: (bytes) => bytes,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Values as JSON: readable, and good for anything JSON can hold. `encode` throws a `TypeError` at what it would change, such as a
 * `Map`, a `Date`, a function or `NaN`: what other nodes read must be what was written. `undefined` alone becomes `null`, a key with
 * `undefined` is not there any more, and `-0` is 0.
 */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => encoder.encode(value === undefined ? 'null' : JSON.stringify(checked(value))),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

function checked<T>(value: T): T {
  const loss = jsonLoss(value);
  if (loss === undefined) return value;
  throw new TypeError(
    `it has ${loss}, which JSON can't hold: keep plain data in it, or give it another codec`,
  );
}
