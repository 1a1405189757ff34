import { request as httpRequest, type IncomingMessage } from 'node:http';

/** A request to a server. */
export interface Ask {
  readonly method: 'GET' | 'PUT' | 'POST' | 'DELETE';
  /** Path and query, sent as they are: an address parser would make another key out of `/kv/%2E%2E`. */
  readonly path: string;
  readonly body?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the head of the answer must be there, and again for its body. */
  readonly timeoutMs: number;
  /** How long servers may let it wait, in all: each is told in the query what is left. By default each decides for itself. */
  readonly waitMs?: number;
}

/** An answer whose body has been read. */
export interface Answer {
  readonly url: string;
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** What the server says went wrong, and whatever else it says of that, such as `leaderId` or `snapshotIndex`. */
export interface ErrorText {
  readonly code: string;
  readonly message: string;
  readonly outcome: string;
  readonly [fact: string]: unknown;
}

/** No answer came. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer';
  /** Whether the request may have reached the server: what it asked for may then have happened. */
  readonly isSent: boolean;

  constructor(message: string, isSent: boolean) {
    super(message);
    this.isSent = isSent;
  }
}

/** Sends a request, and resolves with the head of the answer; the body is still to be read. */
export function open(
  url: string,
  { method, path, body, headers = {}, timeoutMs }: Ask,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    // A connection of its own: one that was kept open may break for reasons that are not this request's.
    const to = { host, port: port === '' ? 80 : port, agent: false };
    const request = httpRequest({ ...to, method, path, headers });
    let isSent = false;
    request.once('socket', (socket) => socket.once('connect', () => (isSent = true)));
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    request.once('close', () => clearTimeout(timer));
    request.once('response', (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    request.on('error', (error) => reject(new NoAnswer(`${url}: ${error.message || String(error)}`, isSent)));
    request.end(body);
  });
}

/** Sends a request and reads the whole answer. */
export async function ask(url: string, request: Ask): Promise<Answer> {
  const response = await open(url, request);
  const timer = setTimeout(() => response.destroy(new Error('the answer broke off')), request.timeoutMs);
  try {
    const body = await bodyOf(response);
    return { url, status: response.statusCode ?? 0, headers: response.headers, body };
  } catch (error) {
    throw new NoAnswer(`${url}: ${error instanceof Error ? error.message : String(error)}`, true);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Asks one server after the other, until one answers for good.
 *
 * Goes on only where that is safe: to ask again for something that may have happened could undo what others
 * did in between. And only while enough is left of `waitMs`, which servers that refuse may have used up.
 */
export async function askAny(urls: readonly string[], request: Ask): Promise<Answer> {
  const failures: NoAnswer[] = [];
  let refusal: Answer | undefined;
  let waitedMs = 0;
  for (const url of urls) {
    const begunMs = performance.now();
    try {
      const answer = await ask(url, waiting(request, waitedMs));
      waitedMs += performance.now() - begunMs;
      if (!isRetryable(answer) || isOver(request, waitedMs)) return answer;
      refusal = answer;
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      failures.push(error);
      if (error.isSent && request.method !== 'GET') throw error;
    }
  }
  if (refusal !== undefined) return refusal;
  throw new NoAnswer(
    failures.map(({ message }) => message).join('\n       '),
    failures.some(({ isSent }) => isSent),
  );
}

/** The request as the next server gets it. */
function waiting(request: Ask, waitedMs: number): Ask {
  const { path, waitMs, timeoutMs } = request;
  if (waitMs === undefined) return request;
  const leftMs = Math.max(1, Math.ceil(waitMs - waitedMs));
  const query = `${path.includes('?') ? '&' : '?'}timeoutMs=${leftMs}`;
  return { ...request, path: path + query, timeoutMs: timeoutMs - (waitMs - leftMs) };
}

/** With less than a tenth left, the next server would hardly be asked before it had to give up. */
function isOver({ waitMs }: Ask, waitedMs: number): boolean {
  return waitMs !== undefined && waitMs - waitedMs < waitMs / 10;
}

/** The body of an answer. */
export async function bodyOf(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The error in an answer, or one that stands for it where a stranger answered. */
export function errorIn({ url, status, body }: Pick<Answer, 'url' | 'status' | 'body'>): ErrorText {
  try {
    const { error } = JSON.parse(body.toString('utf8'));
    const { code, message, outcome, ...facts } = error;
    return { code: String(code), message: String(message), outcome: String(outcome), ...facts };
  } catch {
    return {
      code: `HTTP_${status}`,
      message: `${url} answered ${status}, and is no rxraft server`,
      outcome: 'unknown',
    };
  }
}

function isRetryable(answer: Answer): boolean {
  return answer.status === 503 && errorIn(answer).outcome === 'notCommitted';
}
