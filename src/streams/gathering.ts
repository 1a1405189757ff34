/** So many commands are enough for a batch: with more of them, each costs hardly less. */
const enoughCommands = 256;
/** For so long after their answer, in milliseconds, callers are expected back: a write that comes later waits for nobody. */
const returnMsMax = 2;
/** After waits in vain, at most so many batches leave without one. */
const passingMax = 255;

/** How many of a node's commands have no answer. */
export interface Unanswered {
  /** Those that have not left. */
  readonly waiting: number;
  /** All of them. */
  readonly all: number;
}

/**
 * Tells whether writes that wait should wait for more, which are about to come (docs/decisions/0029). Callers who have
 * had an answer mostly ask again: what goes off before all of them are back splits them into groups, each of which then
 * costs batches of its own, round by round. Where more don't come in time, this waits less and less often.
 */
export class Gathering {
  /** As many had no answer before the last answers; 0 if nobody is expected back. */
  #expected = 0;
  #untilMs = 0;
  /** What the batch does that leaves next. */
  #next: 'leaves' | 'waits' | 'passes' = 'leaves';
  /** So many batches leave without a wait, and so many of them have. */
  #passing = 0;
  #passed = 0;

  /** So many commands were given their answer at once; `unanswered` are the others. */
  onAnswered(count: number, { waiting, all }: Unanswered, nowMs: number): void {
    const isMost = all === waiting && waiting * 2 < count;
    this.#expected = isMost ? all + count : 0;
    this.#untilMs = nowMs + returnMsMax;
  }

  /** Whether what waits should go on waiting. Who asks sees to it that it does not for ever. */
  isWorthwhile(unanswered: Unanswered, nowMs: number): boolean {
    const isLate = unanswered.all === unanswered.waiting && nowMs >= this.#untilMs;
    if (isLate || !this.#wantsMore(unanswered)) return false;
    if (this.#next === 'leaves') this.#next = this.#waitOrPass();
    return this.#next === 'waits';
  }

  #waitOrPass(): 'waits' | 'passes' {
    if (this.#passed >= this.#passing) return 'waits';
    this.#passed += 1;
    return 'passes';
  }

  #wantsMore({ waiting, all }: Unanswered): boolean {
    if (waiting === 0 || waiting >= enoughCommands) return false;
    const sent = all - waiting;
    if (sent > 0) return waiting * 2 < sent; // A few, which go with the many once these are back.
    return all < this.#expected;
  }

  /** What waited leaves. */
  onSent(unanswered: Unanswered): void {
    if (this.#next === 'waits') {
      this.#passing = this.#wantsMore(unanswered) ? Math.min(passingMax, this.#passing * 2 + 1) : 0;
      this.#passed = 0;
    }
    this.#next = 'leaves';
    this.#expected = 0;
  }
}
