import { encodedBy } from '../transport/codec.ts';
import { isBytesCodec } from './codecs.ts';
import type { Codec } from './state-machine.ts';

/**
 * Results as a node that does not lead would give them, through their bytes. Strings, booleans and numbers are what they are: nothing of
 * them can be changed; nor of an empty array that is no view of anything. Throws what the codec throws, and at what are no bytes.
 */
export function asElsewhere<Result>(results: readonly Result[], codec: Codec<Result>): readonly Result[] {
  const isOfBytes = isBytesCodec(codec);
  let place = 0;
  while (place < results.length && isSame(results[place], isOfBytes)) place += 1;
  if (place === results.length) return results;
  return results.map((result) =>
    isSame(result, isOfBytes) ? result : codec.decode(encodedBy(codec, result)),
  );
}

/** Whether nothing of it can be changed, nor lost on the way: most results. */
function isSame(result: unknown, isOfBytes: boolean): boolean {
  return (
    typeof result === 'string' ||
    typeof result === 'boolean' ||
    (typeof result === 'number' && Number.isFinite(result)) ||
    (isOfBytes && isNothing(result))
  );
}

/** No bytes, and none behind it, as there are where a machine gives a part of its own. */
function isNothing(result: unknown): boolean {
  return (
    result instanceof Uint8Array &&
    result.length === 0 &&
    result.constructor === Uint8Array && // Other nodes give no `Buffer`.
    result.buffer.byteLength === 0
  );
}
