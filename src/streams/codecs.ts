import { copied } from '../transport/copied.ts';
import { jsonLoss } from './json-loss.ts';
import type { Codec } from './state-machine.ts';

/**
 * Bytes as they are when they are given: the caller may use the array again at once. Those that are read are not to be changed, and their
 * `buffer` may hold others, too.
 */
export const bytesCodec: Codec<Uint8Array> = {
  encode: (value) => (value instanceof Uint8Array ? copied(value) : value),
  decode: (bytes) => bytes,
};

/** Whether it is that one: whoever copies bytes anyway need not have it copy them. */
export function isBytesCodec(codec: unknown): boolean {
  return codec === bytesCodec;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Values as JSON: readable, and good for anything JSON can hold. What it can't hold (functions, `NaN`, dates, a `Map`) is changed
 * by it, as by `JSON.stringify`; `undefined` alone becomes `null`. {@link strictJsonCodec} refuses that.
 */
export function jsonCodec<T>(): Codec<T> {
  return {
    encode: (value) => encoder.encode(JSON.stringify(value) ?? 'null'),
    decode: (bytes) => JSON.parse(decoder.decode(bytes)) as T,
  };
}

/**
 * As {@link jsonCodec}, for commands: `encode` throws a `TypeError` at what JSON would change, such as a `Map`, a `Date`, a function or
 * `NaN`. `undefined` alone becomes `null`, a key with `undefined` is not there any more, and `-0` is 0. Not for results: a
 * write that is carried out has one, whatever it holds.
 */
export function strictJsonCodec<T>(): Codec<T> {
  const json = jsonCodec<T>();
  const encode = (value: T): Uint8Array => {
    const loss = value === undefined ? undefined : jsonLoss(value);
    if (loss === undefined) return json.encode(value);
    throw new TypeError(
      `it has ${loss}, which JSON can't hold: keep plain data in it, or give it another codec`,
    );
  };
  return { ...json, encode };
}
