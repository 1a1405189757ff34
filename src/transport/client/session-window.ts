import type { WriteCall } from './calls.ts';

/**
 * The commands of one client session that are under way (thesis §6.3).
 *
 * The cluster keeps the result of each until it hears that the answer has arrived, and it keeps a limited number. So
 * no command leaves whose number is `requestsMax` or more above the lowest that has no answer.
 */
export class SessionWindow {
  /** The index of the command that opened it. */
  readonly id: number;
  readonly #requestsMax: number;
  /** Numbers whose caller still waits, ascending: they are given out in order. */
  readonly #unanswered = new Set<number>();
  #last = 0;

  constructor(id: number, requestsMax: number) {
    this.id = id;
    this.#requestsMax = requestsMax;
  }

  /** The lowest number whose answer has not arrived. */
  get lowestUnanswered(): number {
    const [lowest = this.#last + 1] = this.#unanswered;
    return lowest;
  }

  /** How many further commands may leave now. */
  get room(): number {
    return this.#requestsMax - (this.#last + 1 - this.lowestUnanswered);
  }

  /** Numbers a command that leaves for the first time. */
  number(call: WriteCall): void {
    this.#last += 1;
    this.#unanswered.add(this.#last);
    call.session = this.id;
    call.sequence = this.#last;
  }

  /** The caller has its answer, whatever it was: the command is not sent again. */
  settle(sequence: number): void {
    this.#unanswered.delete(sequence);
  }
}
