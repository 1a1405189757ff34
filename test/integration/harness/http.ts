import { Agent, request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { ErrorBody } from '../../../examples/kv/http/errors.ts';
import type { StatusBody } from '../../../examples/kv/http/status-body.ts';
import { deadlineMs } from './until.ts';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** What goes with a request. */
export interface Sending {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** How long the answer may take. Default 30 seconds. */
  readonly timeoutMs?: number;
}

/** An answer that was read to its end. */
export class Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;

  constructor({ statusCode, headers }: IncomingMessage, body: Buffer) {
    this.status = statusCode ?? 0;
    this.headers = headers;
    this.body = body;
  }

  get text(): string {
    return this.body.toString('utf8');
  }

  get json(): unknown {
    return JSON.parse(this.text);
  }

  /** The error in the body. */
  get error(): ErrorBody['error'] & { readonly leaderId?: string; readonly snapshotIndex?: number } {
    return (this.json as ErrorBody).error;
  }
}

/** Sends a request and reads the answer. The path is sent as it is. Rejects if no answer comes. */
export async function ask(url: string, line: string, sending: Sending = {}): Promise<Answer> {
  const response = await open(url, line, sending);
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk);
  return new Answer(response, Buffer.concat(chunks));
}

/** Sends a request such as `GET /watch`, and resolves with the head of the answer. */
export function open(
  url: string,
  line: string,
  { body, headers = {}, timeoutMs = deadlineMs }: Sending = {},
): Promise<IncomingMessage> {
  const [method = '', path = ''] = line.split(' ');
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest({ agent, host: hostname, port, method, path, headers });
    const timer = setTimeout(
      () => request.destroy(new Error(`no answer to ${line} in ${timeoutMs} ms`)),
      timeoutMs,
    );
    request.once('close', () => clearTimeout(timer));
    request.once('response', resolve);
    request.once('error', reject);
    request.end(body);
  });
}

/** `/status` of a server. */
export async function statusOf(url: string): Promise<StatusBody> {
  const answer = await ask(url, 'GET /status');
  if (answer.status !== 200) throw new Error(`${url}/status answers ${answer.status}: ${answer.text}`);
  return answer.json as StatusBody;
}

/** Every key with this prefix and its value, as this node has them itself. */
export async function storedOn(url: string, prefix: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let from: string | null = prefix; from !== null; ) {
    const query: string = new URLSearchParams({
      prefix,
      from,
      limit: '1000',
      consistency: 'stale',
    }).toString();
    const answer = await ask(url, `GET /range?${query}`);
    if (answer.status !== 200) throw new Error(`${url}/range answers ${answer.status}: ${answer.text}`);
    const page = answer.json as { items: { key: string; value: string }[]; next: string | null };
    for (const { key, value } of page.items) found.set(key, value);
    from = page.next;
  }
  return found;
}
