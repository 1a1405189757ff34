import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';

/** Names and values together, of a request's headers, beyond which Node leaves out the rest unless told otherwise. */
const headerPartsMaxDefault = 2_000;

/** Whether a request asks for a WebSocket, among other protocols perhaps. */
export function asksForWebSocket({ headers: { upgrade = '' } }: IncomingMessage): boolean {
  return tokensOf(upgrade).some((protocol) => protocol.toLowerCase() === 'websocket');
}

/**
 * Gives a request that asks for another protocol back to its server, which answers it over HTTP/1.1: the server may
 * ignore an `Upgrade`, and clients that would rather speak `h2c` put one into each request (RFC 9110 §7.8).
 *
 * Once somebody listens for `upgrade`, Node hands over every such request with what has come after its head. So the head
 * goes back in front of that, without what asks for the upgrade, and the connection is a new one to the server. `false`,
 * and nothing is done, if the head is not all there: what is lost could be the length of the body.
 */
export function servePlainly(
  server: Server,
  { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
): boolean {
  const { method, url, httpVersion, rawHeaders } = request;
  const partsMax = 2 * (server.maxHeadersCount ?? headerPartsMaxDefault / 2);
  if (partsMax > 0 && rawHeaders.length >= partsMax) return false;
  const lines = [`${method} ${url} HTTP/${httpVersion}`];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const [name = '', value = ''] = rawHeaders.slice(at, at + 2);
    const kept = keptOf(name.toLowerCase(), value);
    if (kept !== null) lines.push(`${name}: ${kept}`);
  }
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]));
  server.emit('connection', socket);
  return true;
}

/** What is left of a header without the upgrade; `null` if nothing. */
function keptOf(name: string, value: string): string | null {
  if (name === 'upgrade' || name === 'http2-settings') return null;
  if (name !== 'connection') return value;
  const kept = tokensOf(value).filter((token) => !/^(?:upgrade|http2-settings)$/i.test(token));
  return kept.length === 0 ? null : kept.join(', ');
}

function tokensOf(list: string): readonly string[] {
  return list.split(',').flatMap((token) => token.trim() || []);
}
