import type { Codec } from './state-machine.ts';

/** Bytes as they are when they are given: the caller may use the array again at once. Those that are read are not to be changed. */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => (value instanceof Uint8Array ? new Uint8Array(value) : value),
  decode: (bytes) => bytes,
};

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Values as JSON: readable, and good for anything JSON can hold. What it can't hold (`undefined`, functions,
 * `NaN`, dates) is changed by it, as by `JSON.stringify`; `undefined` alone becomes `null`.
 */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => encoder.encode(JSON.stringify(value) ?? 'null'),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}
