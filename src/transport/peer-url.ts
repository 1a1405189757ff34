import { TransportError } from './errors.ts';
import { urlBytesMax } from './handshake-codec.ts';
import type { MemberAddress } from './transport.ts';

/**
 * Throws `RAFT_BAD_URL` unless the member's URL is one to dial: `ws:` or `wss:`, printable ASCII, no
 * fragment, at most {@link urlBytesMax} bytes.
 */
export function checkUrl({ id, url }: MemberAddress): void {
  const isPlain = url.length <= urlBytesMax && /^wss?:\/\/[\x21-\x7e]+$/.test(url) && !url.includes('#');
  if (isPlain && URL.canParse(url)) return;
  throw new TransportError(
    'RAFT_BAD_URL',
    `${JSON.stringify(url)}, the address of ${id}, is not a WebSocket URL. No connection was changed. Write it as ws://HOST:PORT`,
  );
}
