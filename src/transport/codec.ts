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
