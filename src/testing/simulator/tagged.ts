import type { Codec } from '../../streams/state-machine.ts';

/** A command, and the number of the request that brought it: users' commands may be equal. */
export interface Tagged<Command> {
  readonly request: number;
  readonly command: Command;
}

const tagBytes = 4;

/** The user's bytes behind the number of the request. */
export function taggedCodec<Command>(inner: Codec<Command>): Codec<Tagged<Command>> {
  return {
    encode({ request, command }) {
      const payload = inner.encode(command);
      const bytes = new Uint8Array(tagBytes + payload.byteLength);
      new DataView(bytes.buffer).setUint32(0, request);
      bytes.set(payload, tagBytes);
      return bytes;
    },
    decode(bytes) {
      const request = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0);
      return { request, command: inner.decode(bytes.subarray(tagBytes)) };
    },
  };
}
