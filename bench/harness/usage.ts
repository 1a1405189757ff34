import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';

/** What processes have used so far. */
export interface Usage {
  /** Milliseconds of processor time, of all threads, in user mode and in the system. */
  readonly cpuMs: number;
  /** Flushes that were asked for and waited for; `null` where they can't be counted. */
  readonly flushes: number | null;
}

/** Clock ticks a second in `/proc`: a constant of Linux, whatever the kernel's own is. */
const ticksPerSecond = 100;

/** The processor time of a process, in milliseconds, in steps of 10. */
export function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}

/** Memory of a process that is its own, in bytes: the heap, buffers, stacks, and not the pages of files. */
export function ownMemoryOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1]) * 1024;
}

const pageBytes = 4096;
/** Where a meta page of LMDB has the number of the transaction that wrote it. */
const txnAt = 152;

/** Transactions that LMDB has committed to a store: each flushes the data, and then the page that points to them. */
export function commitsOf(folder: string): number {
  const file = openSync(join(folder, 'data.mdb'), 'r');
  try {
    const page = Buffer.alloc(2 * pageBytes);
    readSync(file, page, 0, page.byteLength, 0);
    const txns = [0, pageBytes].map((at) => Number(page.readBigUInt64LE(at + txnAt)));
    return Math.max(...txns);
  } finally {
    closeSync(file);
  }
}
