import { type Crc32, crc32 as portable } from '../core/index.ts';

/** CRC-32: that of `node:zlib` on Node, which takes a fraction of the time, else the core's own. */
export const crc32: Crc32 = nodeCrc32() ?? portable;

function nodeCrc32(): Crc32 | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (name: string) => unknown } };
  const zlib = process?.getBuiltinModule?.('node:zlib') as { crc32?: Crc32 } | undefined;
  return zlib?.crc32 === undefined ? undefined : (bytes) => (zlib.crc32 as Crc32)(bytes);
}
