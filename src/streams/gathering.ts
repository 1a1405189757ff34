/** Nothing waits longer than twice the time that a commit has taken lately, but for so many milliseconds at least and at most. */
const patienceMsMin = 2;
const patienceMsMax = 10;
/** Who has not come for so many milliseconds, while others have, is not waited for. */
const lullMs = 1;
/** The share of the latest commit in the mean of their times. */
const latestShare = 1 / 8;
/** After waits in vain, at most so many batches leave without one. */
const passingMax = 255;

/** How many of a node's commands have no answer. */
export interface Unanswered {
  /** Those that have not left. */
  readonly waiting: number;
  /** All of them. */
  readonly all: number;
}

/** When commands that are answered now left, in milliseconds. */
export interface Moments {
  readonly sentAtMs: number;
  readonly nowMs: number;
}

/**
 * Tells whether writes that wait should wait for more, which are about to come (docs/decisions/0029). Callers who have
 * had an answer mostly ask again: what goes off before all of them are back splits them into groups, each of which then
 * costs batches of its own, round by round. Where more don't come in time, this waits less and less often.
 */
export class Gathering {
  readonly #enough: number;
  /** As many had no answer before the last answers; 0 if nobody is expected back. */
  #expected = 0;
  #answeredAtMs = 0;
  #commitMs = 0;
  /** What the batch does that leaves next. */
  #next: 'leaves' | 'waits' | 'passes' = 'leaves';
  /** So many waited when the wait began. */
  #first = 0;
  /** So many wait now, and since when. */
  #latest = 0;
  #latestAtMs = 0;
  /** So many batches leave without a wait, and so many of them have. */
  #passing = 0;
  #passed = 0;

  /** @param enough - with more than so many at once, each costs hardly less: they wait for nobody. */
  constructor(enough: number) {
    this.#enough = enough;
  }

  /** So long, in milliseconds, what has come first may wait; and callers who have been answered are expected back. */
  get patienceMs(): number {
    return Math.min(patienceMsMax, Math.max(patienceMsMin, 2 * this.#commitMs));
  }

  /** So many commands were given their answer at once; `unanswered` are the others. */
  onAnswered(count: number, { waiting, all }: Unanswered, { sentAtMs, nowMs }: Moments): void {
    const isMost = all === waiting && waiting * 2 < count;
    this.#expected = isMost ? all + count : 0;
    this.#answeredAtMs = nowMs;
    const commitMs = Math.min(patienceMsMax, Math.max(0, nowMs - sentAtMs)); // One that stalled is one among others.
    this.#commitMs += (commitMs - this.#commitMs) * latestShare;
  }

  /** Whether what waits should go on waiting. Who asks sees to it that it does not for ever. */
  isWorthwhile(unanswered: Unanswered, nowMs: number): boolean {
    const isLate = unanswered.all === unanswered.waiting && nowMs >= this.#answeredAtMs + this.patienceMs;
    if (isLate || !this.#wantsMore(unanswered)) return false;
    if (this.#next === 'leaves') {
      this.#next = this.#waitOrPass();
      this.#first = unanswered.waiting;
    }
    return this.#next === 'waits' && !this.#isLull(unanswered, nowMs);
  }

  /** Enough are back for this wait to be worth it, and nobody comes any more: those who are missing are others, who take their time. */
  #isLull(unanswered: Unanswered, nowMs: number): boolean {
    if (unanswered.waiting !== this.#latest) this.#latestAtMs = nowMs;
    this.#latest = unanswered.waiting;
    return this.#isGain(unanswered) && nowMs >= this.#latestAtMs + lullMs;
  }

  /** What waits has doubled, and those on their way are back, too. */
  #isGain({ waiting, all }: Unanswered): boolean {
    return all === waiting && waiting >= 2 * this.#first;
  }

  #waitOrPass(): 'waits' | 'passes' {
    if (this.#passed >= this.#passing) return 'waits';
    this.#passed += 1;
    return 'passes';
  }

  #wantsMore({ waiting, all }: Unanswered): boolean {
    if (waiting === 0 || waiting >= this.#enough) return false;
    const sent = all - waiting;
    if (sent > 0) return waiting * 2 < sent; // A few, which go with the many once these are back.
    return all < this.#expected;
  }

  /** What waited leaves. */
  onSent(unanswered: Unanswered): void {
    if (this.#next === 'waits') {
      const isInVain = !this.#isGain(unanswered) && this.#wantsMore(unanswered);
      this.#passing = isInVain ? Math.min(passingMax, this.#passing * 2 + 1) : 0;
      this.#passed = 0;
    }
    this.#next = 'leaves';
    this.#expected = 0;
  }
}
