import { Agent, request } from 'node:http';

const agent = new Agent({ keepAlive: true, maxSockets: 256 });

/** What a server answered. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Sends a request, such as `PUT /kv/key`, and reads the answer. Rejects if none comes within `timeoutMs`. */
export function ask(
  url: string,
  line: string,
  { body, timeoutMs = 10_000 }: { readonly body?: string; readonly timeoutMs?: number } = {},
): Promise<Answer> {
  const [method = '', path = ''] = line.split(' ');
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: hostname, port, method, path });
    const timer = setTimeout(() => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    sent.once('close', () => clearTimeout(timer));
    sent.once('error', reject);
    sent.once('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.once('error', reject);
      response.once('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    sent.end(body);
  });
}
