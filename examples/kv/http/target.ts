import type { HttpBindings } from '@hono/node-server';
import { fromPercent } from '../percent.ts';
import { malformed, tooLarge } from './errors.ts';

/** What Hono's handlers get from Node; absent where a test calls the application directly. */
export type Bindings = Partial<HttpBindings>;

/**
 * The path and query of a request, exactly as they were sent.
 *
 * `Request.url` has been normalized: a key named `..` would be gone, however it was encoded. So the path
 * comes from Node's request line, and falls back to the URL.
 */
export function targetOf(request: Request, env: Bindings | undefined): { path: string; query: string } {
  const sent = env?.incoming?.url ?? request.url;
  return splitTarget(sent.startsWith('/') ? sent : sent.slice(originLength(sent)));
}

/** The path and the query of a request line. */
export function splitTarget(target: string): { path: string; query: string } {
  const at = target.indexOf('?');
  return at === -1 ? { path: target, query: '' } : { path: target.slice(0, at), query: target.slice(at + 1) };
}

/** The key that stands in a path after `prefix`. */
export function keyIn(path: string, prefix: string, keyBytesMax: number): Uint8Array {
  const key = fromPercent(path.slice(prefix.length));
  if (key === null) throw malformed(`a key is percent-encoded, such as ${prefix}a%20b`);
  if (key.byteLength === 0) throw malformed(`a key has at least one byte, such as ${prefix}greeting`);
  if (key.byteLength > keyBytesMax) throw tooLarge('a key', key.byteLength, keyBytesMax);
  return key;
}

/**
 * The parameters of a query string, as bytes: percent-encoded, with `+` for a space. Of a name given twice
 * the first counts.
 */
export class Query {
  readonly #values = new Map<string, string>();

  constructor(query: string) {
    for (const part of query.split('&')) {
      const at = part.indexOf('=');
      const name = at === -1 ? part : part.slice(0, at);
      if (!this.#values.has(name)) this.#values.set(name, at === -1 ? '' : part.slice(at + 1));
    }
  }

  bytes(name: string): Uint8Array | undefined {
    const sent = this.#values.get(name);
    if (sent === undefined) return undefined;
    const bytes = fromPercent(sent.replaceAll('+', ' '));
    if (bytes === null)
      throw malformed(`the parameter ${name} is not percent-encoded: ${JSON.stringify(sent)}`);
    return bytes;
  }

  /** A whole number, written in digits. */
  integer(name: string, bounds: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= bounds.min && value <= bounds.max) return value;
    throw malformed(
      `${name} is a whole number from ${bounds.min} to ${bounds.max}, not ${JSON.stringify(text)}`,
    );
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T | undefined {
    const text = this.text(name);
    const choice = choices.find((each) => each === text);
    if (text !== undefined && choice === undefined) {
      throw malformed(`${name} is one of ${choices.join(', ')}, not ${JSON.stringify(text)}`);
    }
    return choice;
  }

  private text(name: string): string | undefined {
    const bytes = this.bytes(name);
    return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8');
  }
}

/** The length of `http://host` at the start of an absolute URL. */
function originLength(url: string): number {
  return /^[a-z]+:\/\/[^/?]*/i.exec(url)?.[0].length ?? 0;
}
