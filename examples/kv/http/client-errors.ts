import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { answerTo, KvError } from './errors.ts';

/** A request that has no whole answer yet. */
interface Pending {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** How long the rest of a request that can't be read may still come before its connection is cut. */
const lingerMs = 500;

/**
 * Answers in JSON what Node itself turns away, which never becomes a request: what is not HTTP, heads that are too long
 * or too slow, and an `Expect` that nobody can meet.
 */
export function answerClientErrors(server: Server): void {
  const pending = new WeakMap<Duplex, readonly Pending[]>();
  const handled = new WeakSet<Duplex>();
  const note = (request: IncomingMessage, response: ServerResponse): void => {
    const before = unanswered(pending.get(request.socket));
    pending.set(request.socket, [...before, { request, response }]);
  };
  server.prependListener('request', note);
  server.prependListener('checkContinue', note);
  server.on('checkExpectation', refuseExpectation);
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (handled.has(socket)) return; // The rest of what could not be read can't be read, either.
    handled.add(socket);
    const outcome = outcomeOf(unanswered(pending.get(socket)));
    if (outcome === null || !socket.writable || error.code === 'ECONNRESET')
      return void socket.destroy(error);
    socket.end(lastAnswerOf(new KvError(statusOf(error), 'KV_MALFORMED', messageOf(error), { outcome })));
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(timer));
  });
}

function unanswered(requests: readonly Pending[] = []): readonly Pending[] {
  return requests.filter(({ response }) => !response.writableFinished && !response.destroyed);
}

/**
 * What becomes of the request that can't be read to its end; `null` if an answer could be taken for that of another.
 * Whoever reads a body reads it to its end before anything else.
 */
function outcomeOf([first, ...others]: readonly Pending[]): 'notCommitted' | 'unknown' | null {
  if (first === undefined) return 'notCommitted';
  const { request, response } = first;
  if (others.length > 0 || request.complete || response.headersSent) return null;
  return request.readableDidRead ? 'notCommitted' : 'unknown';
}

function refuseExpectation(request: IncomingMessage, response: ServerResponse): void {
  const message = `Expect: ${request.headers.expect} can't be met. Send 100-continue, or no Expect at all`;
  const { status, body } = answerTo(new KvError(417, 'KV_MALFORMED', message), { isRead: false });
  response.shouldKeepAlive = false; // Its body may come or not: nobody knows where the next request begins.
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

function statusOf({ code }: NodeJS.ErrnoException): number {
  if (code === 'HPE_HEADER_OVERFLOW') return 431;
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') return 413;
  return code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
}

function messageOf(error: NodeJS.ErrnoException): string {
  if (statusOf(error) === 431) return 'the headers of the request are too long. Send fewer, or shorter ones';
  return `the request can't be read: ${error.message}`;
}

const reasons: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  431: 'Request Header Fields Too Large',
};

/** An answer with its head, for where Node writes none, and after which the connection ends. */
export function lastAnswerOf(error: KvError): string {
  const { status, body } = answerTo(error, { isRead: false });
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${reasons[status] ?? ''}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(text)}`,
  ];
  return `${head.join('\r\n')}\r\n\r\n${text}`;
}
