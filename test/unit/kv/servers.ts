import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

/** The URL of a server that answers like this, until the test is over. */
export async function listening(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A URL where nobody listens. */
export async function deserted(): Promise<string> {
  const url = await listening(() => undefined);
  await new Promise((resolve) => servers.pop()?.close(resolve));
  return url;
}

/** What a server was asked: `POST /path`, and the body as JSON. */
export interface Asked {
  readonly line: string;
  readonly body: unknown;
}

/** A server that gives these answers in JSON, one after the other and the last one from then on. */
export async function answering(...answers: readonly { readonly status?: number; readonly body: object }[]) {
  const asked: Asked[] = [];
  const url = await listening((request, response) => {
    void textOf(request).then((sent) => {
      const { status = 200, body } = answers[Math.min(asked.length, answers.length - 1)] ?? { body: {} };
      asked.push({ line: `${request.method} ${request.url}`, body: sent === '' ? null : JSON.parse(sent) });
      response.statusCode = status;
      response.end(JSON.stringify(body));
    });
  });
  return { url, asked };
}

/** An error as a server answers it. */
export function refusal(status: number, code: string, outcome = 'notCommitted') {
  return { status, body: { error: { code, message: `${code} it is`, outcome } } };
}

/** The answer to who adds a member: it is one, at that URL. */
export function taken(memberUrl: string) {
  const { status, body } = refusal(400, 'RAFT_BAD_REQUEST');
  return { status, body: { error: { ...body.error, memberUrl } } };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
