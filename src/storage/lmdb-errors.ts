import { damaged } from './damage.ts';

/** LMDB's codes for a file that is not as it should be: a page is gone, garbled, or of another format. */
const damageCodes: readonly unknown[] = [-30797, -30796, -30794, -30793, -30782];

/** An error as it came, or `RAFT_STORE_DAMAGED` if LMDB stumbled over its own file. */
export function readError(error: unknown, file: string): unknown {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return damageCodes.includes(code) ? damaged(`${file} is damaged: ${String(message)}`, error) : error;
}
