import type { Link } from './link.ts';

/** What a client knows of its servers: which to try next, and why some were of no use. */
export class ServerList {
  readonly #urls: readonly string[];
  readonly #nodeIds = new Map<string, string>();
  /** Why a server could not be reached, for whoever waits in vain. */
  readonly #failures = new Map<string, string>();
  /** Servers that were no help since somebody last knew more. */
  readonly #tried = new Set<string>();
  #hintedUrl: string | null = null;
  #nextAt = 0;
  #failuresInARow = 0;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** How often every server has been tried in vain, one after the other. */
  get roundsInVain(): number {
    return Math.floor(this.#failuresInARow / this.#urls.length);
  }

  /** Why no server can be reached, in words. */
  get problems(): string {
    return [...this.#failures].map(([url, why]) => `${url}: ${why}`).join('; ');
  }

  /**
   * The server to try next, if another one would be better than what there is.
   *
   * @param isLeaderless - whether it is time to leave a server that knows of no leader.
   */
  next(current: Link | null, isLeaderless: boolean): string | null {
    if (current === null) return this.#hinted(null) ?? this.#anyUrl();
    if (current.isOver) return this.#hinted(current) ?? this.#untriedUrl(current);
    if (current.leads) return null;
    if (current.leaderId !== null) return this.#hinted(current) ?? this.#untriedUrl(current);
    return isLeaderless ? this.#untriedUrl(current) : null;
  }

  /** Where the leader is, if somebody has said so and it has not turned out to be wrong. */
  #hinted(current: Link | null): string | null {
    const url = this.#hintedUrl;
    return url === null || url === current?.url || this.#tried.has(url) ? null : url;
  }

  #anyUrl(): string {
    return this.#urls[this.#nextAt % this.#urls.length] as string;
  }

  /** Of the servers that may be the leader, one that was not asked yet. */
  #untriedUrl(current: Link): string | null {
    const others = this.#urls.filter((url) => url !== current.url && !this.#tried.has(url));
    return others[this.#nextAt % Math.max(1, others.length)] ?? null;
  }

  /** A server is dialed: the next one is another. */
  onDial(): void {
    this.#nextAt += 1;
  }

  /** A server has let us in. */
  onWelcome({ url }: Link, nodeId: string): void {
    this.#nodeIds.set(url, nodeId);
    this.#failures.delete(url);
  }

  /** Takes down what a server says about the leader. */
  heed({ leaderId, leaderUrl }: Link): void {
    if (leaderId === null) return;
    const named = [...this.#nodeIds].find(([, id]) => id === leaderId)?.[0];
    this.#hintedUrl = leaderUrl ?? named ?? null;
  }

  /** A server was there, and no better than the one that we have. */
  onNoHelp(url: string): void {
    this.#tried.add(url);
  }

  /** A server could not be reached, or is gone. */
  onFailed(url: string, why: string): void {
    this.#failures.set(url, why);
    this.#failuresInARow += 1;
    this.#tried.add(url);
    if (this.#hintedUrl === url) this.#hintedUrl = null;
  }

  /** A server answers: the next failure is a first one. */
  onAnswer(): void {
    this.#failuresInARow = 0;
  }

  /** Servers that were no help may be one now. */
  tryAllAgain(): void {
    this.#tried.clear();
  }
}
