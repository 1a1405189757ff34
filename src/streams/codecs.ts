import type { Codec } from './state-machine.ts';

/** Bytes as they are. */
export const bytesCodec: Codec<Uint8Array> = { encode: (value) => value, decode: (bytes) => bytes };

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
