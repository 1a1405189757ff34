import type { NodeId } from '../core/index.ts';
import type { MemberAddress } from '../transport/transport.ts';

/** Where one node may be. */
export interface Whereabouts {
  readonly id: NodeId;
  /** The likeliest first; at least one. */
  readonly urls: readonly string[];
  /** Whether the open connection leads to the store that is meant: it is kept then, wherever it leads. */
  readonly isReached: boolean;
  /** Whether the first is asked for a moment at a time, since the node may be needed where it is now. */
  readonly isFirstBrief: boolean;
}

/** Where one node is dialed now. */
interface Attempt {
  readonly urls: readonly string[];
  readonly url: string;
  readonly untilMs: number;
  /** How often all of them have been dialed in vain. */
  readonly rounds: number;
  readonly isReached: boolean;
}

/** Milliseconds that one address is dialed before the next; twice as long in each further round. */
const attemptMsMin = 1_000;
/** The longest, for a handshake over a slow network. */
const attemptMsMax = 8_000;

/**
 * Chooses where each node is dialed. A transport dials one address a name: of several, one after the other, until the
 * store that is meant has answered. The connection with it is kept; once it is down, the likeliest comes first again.
 */
export class AddressSearch {
  readonly #clock: () => number;
  readonly #briefMs: number;
  #attempts: ReadonlyMap<NodeId, Attempt> = new Map();

  constructor({ clock, briefMs }: { readonly clock: () => number; readonly briefMs: number }) {
    this.#clock = clock;
    this.#briefMs = briefMs;
  }

  /** Where to dial these nodes now; the others are forgotten. */
  choose(all: readonly Whereabouts[]): readonly MemberAddress[] {
    const attempts = new Map(all.map((node) => [node.id, this.#attempt(node)]));
    this.#attempts = attempts;
    return [...attempts].map(([id, { url }]) => ({ id, url }));
  }

  /** Whether a node is to be dialed elsewhere by now. `isOpen`: whether a connection to that node is. */
  isDue(isOpen: (id: NodeId) => boolean): boolean {
    for (const [id, { urls, untilMs, isReached }] of this.#attempts) {
      if (urls.length === 1) continue;
      if (isReached ? !isOpen(id) : this.#clock() >= untilMs) return true;
    }
    return false;
  }

  /** The node says where it is: that is dialed next, unless it has been reached. Gives whether it is. */
  turnTo({ id, url }: MemberAddress): boolean {
    const attempt = this.#attempts.get(id);
    if (attempt === undefined || attempt.isReached || attempt.url === url || !attempt.urls.includes(url))
      return false;
    this.#attempts = new Map([...this.#attempts, [id, this.#begin(attempt, url)]]);
    return true;
  }

  #attempt(node: Whereabouts): Attempt {
    const { urls, isReached } = node;
    const first = urls[0] as string;
    const before = this.#attempts.get(node.id);
    if (before === undefined) return this.#begin(node, first);
    if (isReached) return { ...before, urls, isReached, rounds: 0 };
    const isFirst = before.isReached || before.urls[0] !== first || !urls.includes(before.url);
    if (isFirst) return this.#begin(node, first);
    const fresh = urls.find((url) => !before.urls.includes(url));
    if (fresh !== undefined) return this.#begin(node, fresh);
    if (this.#clock() < before.untilMs) return { ...before, urls };
    const place = (urls.indexOf(before.url) + 1) % urls.length;
    const rounds = before.rounds + (place === 0 ? 1 : 0);
    return this.#begin(node, urls[place] as string, rounds);
  }

  #begin(
    { urls, ...node }: Pick<Whereabouts, 'urls'> & { isFirstBrief?: boolean },
    url: string,
    rounds = 0,
  ): Attempt {
    const isBrief = node.isFirstBrief === true && url === urls[0];
    const ms = isBrief ? this.#briefMs : Math.min(attemptMsMax, attemptMsMin * 2 ** Math.min(rounds, 30));
    return { urls, url, untilMs: this.#clock() + ms, rounds, isReached: false };
  }
}
