/** The body of a message: what it asks, or what it answers. */
export type Body = Readonly<Record<string, unknown>>;

/** A message of Maelstrom, as far as everything has one thing in common. */
export interface Message {
  readonly src: string;
  readonly dest: string;
  readonly body: Body;
}

/** Reads a line that nobody vouches for; `null` if it is no message. */
export function messageOf(line: string): Message | null {
  const value = parsed(line);
  if (!isObject(value)) return null;
  const { src, dest, body } = value;
  if (typeof src !== 'string' || typeof dest !== 'string' || !isObject(body)) return null;
  return { src, dest, body };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is Body {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The codes of errors that a node answers with. All but `crash` promise that nothing happened. */
export const errorCode = {
  notSupported: 10,
  temporarilyUnavailable: 11,
  malformed: 12,
  crash: 13,
  keyDoesNotExist: 20,
  preconditionFailed: 22,
} as const;

/** A body that says what went wrong. */
export function errorBody(code: number, text: string): Body {
  return { type: 'error', code, text };
}
