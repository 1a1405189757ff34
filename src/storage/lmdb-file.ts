import { type FileHandle, open } from 'node:fs/promises';
import { endianness } from 'node:os';

/** LMDB's numbers (its `mdb.c`, format version 2), which the prebuilt binaries of lmdb 3.5 write. */
const magic = 0xbeefc0de;
const formatVersion = 2;
const headerBytes = 24;
const flags = { branch: 0x01, leaf: 0x02, overflow: 0x04, meta: 0x08 } as const;
const bigData = 0x01;
const noPage = 2n ** 64n - 1n;

/** Where fields stand in a meta page. */
const meta = { magic: 24, version: 28, pageBytes: 48, freeRoot: 88, mainRoot: 136, lastPage: 144, txn: 152 };
const metaBytes = 168;

const isLittleEndian = endianness() === 'LE';

interface Meta {
  readonly pageBytes: number;
  readonly roots: readonly bigint[];
  readonly pageCount: number;
  readonly txn: bigint;
}

/** Pages looked at in a file that seems whole: 4 MiB, up to 35 ms on a busy machine. */
const pagesVisitedMax = 1024;

/**
 * What is wrong with a data file, in words; `undefined` if nothing is seen, or there is no file yet.
 *
 * LMDB maps the file into memory and trusts it: a page beyond the end of the file ends the process with
 * SIGBUS, and one that is not what it should be with a failed assertion, where nobody can catch it. So the
 * headers and the upper pages of both trees are looked at before LMDB sees them. A file that is shorter than
 * its header says is looked at whole: nearly always it was cut off, but LMDB does not write pages at the end
 * that it took and gave back in one transaction (docs/decisions/0020).
 */
export async function problemOfFile(path: string): Promise<string | undefined> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return await problemOf(file);
  } finally {
    await file.close();
  }
}

async function problemOf(file: FileHandle): Promise<string | undefined> {
  const { size } = await file.stat();
  if (size === 0) return undefined; // Created, and killed before the first write.
  const first = await readMeta(file, 0);
  if (typeof first === 'string') return first;
  const second = await readMeta(file, first.pageBytes);
  if (typeof second === 'string') return second;
  const newest = first.txn >= second.txn ? first : second;
  const { roots, pageBytes, pageCount } = newest;
  const isWhole = pageCount * pageBytes <= size;
  return problemOfTrees(file, {
    roots,
    pageBytes,
    size,
    visitedMax: isWhole ? pagesVisitedMax : size / pageBytes,
  });
}

async function readMeta(file: FileHandle, at: number): Promise<Meta | string> {
  const bytes = await read(file, at, metaBytes);
  if (bytes === undefined) return `it ends within the header at byte ${at}`;
  const u32 = (offset: number) => bytes.getUint32(offset, isLittleEndian);
  const u64 = (offset: number) => bytes.getBigUint64(offset, isLittleEndian);
  const isMeta = (bytes.getUint16(18, isLittleEndian) & flags.meta) !== 0 && u32(meta.magic) === magic;
  if (!isMeta) return `there is no LMDB header at byte ${at}`;
  const version = u32(meta.version) & 0xffff;
  if (version !== formatVersion)
    return `its LMDB format is version ${version}, and this is for ${formatVersion}`;
  const pageBytes = u32(meta.pageBytes);
  const isPageSize = pageBytes >= 256 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0;
  const lastPage = u64(meta.lastPage);
  if (!isPageSize || lastPage < 1n || lastPage >= 2n ** 48n)
    return `the LMDB header at byte ${at} is garbled`;
  const roots = [u64(meta.freeRoot), u64(meta.mainRoot)];
  return { pageBytes, roots, pageCount: Number(lastPage) + 1, txn: u64(meta.txn) };
}

interface Trees {
  readonly roots: readonly bigint[];
  readonly pageBytes: number;
  readonly size: number;
  readonly visitedMax: number;
}

/** Looks at pages, from the roots down, whether they are what they should be and what they name is there. */
async function problemOfTrees(
  file: FileHandle,
  { roots, pageBytes, size, visitedMax }: Trees,
): Promise<string | undefined> {
  const pending = roots.filter((root) => root !== noPage).map(Number);
  const ended = `it ends at byte ${size}, within its data`;
  for (let visited = 0; visited < pending.length && visited < visitedMax; visited++) {
    const page = pending[visited] as number;
    const bytes = await read(file, page * pageBytes, pageBytes);
    if (bytes === undefined) return ended;
    const named = pagesNamedBy(bytes, page);
    if (named === undefined) return `page ${page} is garbled`;
    for (const { at, count } of named.overflow) if ((at + count) * pageBytes > size) return ended;
    pending.push(...named.children);
  }
  return undefined;
}

interface Named {
  readonly children: readonly number[];
  readonly overflow: readonly { readonly at: number; readonly count: number }[];
}

/** The pages that a page of a tree refers to; `undefined` if it is none. */
function pagesNamedBy(bytes: DataView, page: number): Named | undefined {
  const u16 = (offset: number) => bytes.getUint16(offset, isLittleEndian);
  if (bytes.getBigUint64(0, isLittleEndian) !== BigInt(page)) return undefined; // Each page holds its number.
  const kind = u16(18);
  const isBranch = (kind & flags.branch) !== 0;
  if (!isBranch && (kind & flags.leaf) === 0) return undefined;
  const children: number[] = [];
  const overflow: { at: number; count: number }[] = [];
  const keyCount = u16(20) >> 1;
  if (headerBytes + keyCount * 2 > bytes.byteLength) return undefined;
  for (let key = 0; key < keyCount; key++) {
    const node = u16(headerBytes + key * 2) + headerBytes;
    if (node + 8 > bytes.byteLength) return undefined;
    const low = u16(node) + u16(node + 2) * 0x1_0000;
    if (isBranch) {
      children.push(low + u16(node + 4) * 0x1_0000_0000);
    } else if ((u16(node + 4) & bigData) !== 0) {
      const data = node + 8 + u16(node + 6);
      if (data + 24 > bytes.byteLength) return undefined;
      const u64 = (offset: number) => Number(bytes.getBigUint64(offset, isLittleEndian));
      overflow.push({ at: u64(data), count: u64(data + 16) });
    }
  }
  return { children, overflow };
}

async function read(file: FileHandle, at: number, length: number): Promise<DataView | undefined> {
  const bytes = new DataView(new ArrayBuffer(length));
  const { bytesRead } = await file.read(bytes, 0, length, at);
  return bytesRead === length ? bytes : undefined;
}
