import { TransportError } from './errors.ts';
import { isPeerUrl } from './member-rules.ts';
import type { MemberAddress } from './transport.ts';

/** Throws `RAFT_BAD_URL`, with the URL, unless the member's {@link isPeerUrl}. */
export function checkUrl({ id, url }: MemberAddress): void {
  if (isPeerUrl(url)) return;
  throw new TransportError(
    'RAFT_BAD_URL',
    `${JSON.stringify(url)}, the address of ${id}, is not a WebSocket URL. No connection was changed. Write it as ws://HOST:PORT`,
    { url },
  );
}
