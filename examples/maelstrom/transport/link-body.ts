/**
 * What the two ends of a link say to each other, as bodies of messages. A link leads from the node that dialed it to
 * the node that accepted it, and frames go that way only.
 *
 * Nothing that the network does to these messages is taken for granted. `link` is drawn at random by the dialer for
 * each attempt, `token` by the acceptor for each answer, so that what comes late, twice, or after a restart belongs
 * to no link that lives. `data` is a message of the library, in base64.
 */
export type LinkBody =
  /** The dialer introduces itself; said again until there is an answer. */
  | { readonly type: 'rxraft_hello'; readonly link: string; readonly data: string }
  /** The acceptor introduces itself, or refuses. Whoever sends frames with this token has heard it. */
  | { readonly type: 'rxraft_welcome'; readonly link: string; readonly token: string; readonly data: string }
  /** The frames of one turn, counted from 1 on each link; without `data`, a question whether anyone is there. */
  | {
      readonly type: 'rxraft_frames';
      readonly link: string;
      readonly token: string;
      readonly seq: number;
      readonly data: string | null;
    }
  /** The acceptor has everything through `seq`. */
  | { readonly type: 'rxraft_ack'; readonly link: string; readonly seq: number }
  /** There is no such link, or no longer. The dialer's `data`, if any, is why it refuses the acceptor. */
  | { readonly type: 'rxraft_end'; readonly link: string; readonly data: string | null };

/** Whether the body of a message is one of a link, whatever else may be wrong with it. */
export function isLinkType(type: unknown): boolean {
  return typeof type === 'string' && type.startsWith('rxraft_');
}

/** Reads a body that nobody vouches for; `null` if it is none of a link. */
export function linkBodyOf(body: Readonly<Record<string, unknown>>): LinkBody | null {
  const { type, link, token, seq } = body;
  const data = body['data'] ?? null;
  if (!isId(link)) return null;
  const isText = typeof data === 'string';
  switch (type) {
    case 'rxraft_hello':
      return isText ? { type, link, data } : null;
    case 'rxraft_welcome':
      return isText && isId(token) ? { type, link, token, data } : null;
    case 'rxraft_frames':
      return isId(token) && isCount(seq) && (isText || data === null)
        ? { type, link, token, seq, data }
        : null;
    case 'rxraft_ack':
      return isCount(seq) ? { type, link, seq } : null;
    case 'rxraft_end':
      return isText || data === null ? { type, link, data } : null;
    default:
      return null;
  }
}

/** 64 random bits, as 16 hexadecimal digits. */
export function randomId(): string {
  const words = crypto.getRandomValues(new Uint32Array(2));
  return Array.from(words, (word) => word.toString(16).padStart(8, '0')).join('');
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 64;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
