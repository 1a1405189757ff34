/** So many commands are enough for a batch: with more of them, each costs hardly less. */
const enoughCommands = 256;
/** For so long after their answer, in milliseconds, callers are expected back. */
const returnMsMax = 2;
/** After waits in vain, at most so many answers pass without another one. */
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
 * costs batches of its own, round by round. If they don't come, this waits less and less often.
 */
export class Gathering {
  /** As many had no answer before the last answers; 0 if nobody is expected back. */
  #expected = 0;
  #untilMs = 0;
  /** So many answers pass without a wait, and so many of them have. */
  #passing = 0;
  #passed = 0;

  /** So many commands were given their answer at once; `unanswered` are the others. */
  onAnswered(count: number, { waiting, all }: Unanswered, nowMs: number): void {
    this.#expected = 0;
    const isMost = all === waiting && waiting * 2 < count;
    if (!isMost) return;
    if (this.#passed < this.#passing) this.#passed += 1;
    else {
      this.#expected = all + count;
      this.#untilMs = nowMs + returnMsMax;
    }
  }

  /** Whether what waits should go on waiting, as far as this is concerned. */
  isWorthwhile({ waiting, all }: Unanswered, nowMs: number): boolean {
    if (waiting >= enoughCommands) return false;
    const sent = all - waiting;
    if (sent > 0) return waiting * 2 < sent; // A few, which go with the many once these are back.
    return all < this.#expected && nowMs < this.#untilMs;
  }

  /** What waited leaves. */
  onSent({ waiting, all }: Unanswered): void {
    if (this.#expected === 0) return;
    const areBack = all >= this.#expected || waiting >= enoughCommands;
    this.#passing = areBack ? 0 : Math.min(passingMax, this.#passing * 2 + 1);
    this.#passed = 0;
    this.#expected = 0;
  }
}
