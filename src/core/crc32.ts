/** A CRC-32 over bytes, as an unsigned 32-bit integer (the polynomial of IEEE 802.3, as in zlib). */
export type Crc32 = (bytes: Uint8Array) => number;

const table = tableOf(0xedb88320);

/** CRC-32 in plain JavaScript, for where there is no `node:zlib`; the two agree (tested). */
export const crc32: Crc32 = (bytes) => {
  let crc = 0xffffffff;
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] as number)) & 0xff] as number);
  }
  return (crc ^ 0xffffffff) >>> 0;
};

function tableOf(polynomial: number): Uint32Array {
  const entries = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let entry = byte;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ polynomial : entry >>> 1;
    entries[byte] = entry >>> 0;
  }
  return entries;
}
