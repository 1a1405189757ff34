/** Turns values into bytes and back. `decode(encode(value))` equals `value`, on every node alike. */
export interface Codec<T> {
  /** The bytes of a value. */
  encode(value: T): Uint8Array;
  /**
   * Throws on bytes that `encode` can't have made. For commands: on everything that `apply` can't take, since that is
   * how a leader refuses what a node of a later version passes on, before every node has to apply it.
   */
  decode(bytes: Uint8Array): T;
}

/** What a codec makes of a value. Throws where that is not bytes, as well as where the codec does. */
export function encodedBy<T>(codec: Codec<T>, value: T): Uint8Array {
  const bytes: unknown = codec.encode(value);
  if (bytes instanceof Uint8Array) return bytes;
  throw new TypeError(`encode gave ${typeof bytes}, expected a Uint8Array`);
}
