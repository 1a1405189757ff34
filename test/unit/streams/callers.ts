import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import type { Answer } from '../../../src/streams/call.ts';

/** Who asks a node in virtual time, and how long each waited for its answer. */
export abstract class Callers {
  readonly latenciesMs: number[] = [];
  protected readonly time = new VirtualTimeScheduler();
  /** A turn of the event loop takes a hundredth of a millisecond. */
  protected readonly turnScheduler = {
    now: () => this.time.frame,
    schedule: (work: () => void) => this.time.schedule(work, 0.01),
  } as unknown as SchedulerLike;

  /** Asks the node. */
  protected abstract ask(answer: Answer<unknown>): void;

  /** A caller who asks again so long after each answer. */
  add(thinkMs: number): void {
    const again = () => this.#ask(() => this.time.schedule(again, thinkMs));
    this.time.schedule(again, thinkMs);
  }

  /** Callers, one each so many milliseconds, who ask once. */
  addEach(ms: number): void {
    const again = () => {
      this.#ask(() => undefined);
      this.time.schedule(again, ms);
    };
    this.time.schedule(again, ms);
  }

  #ask(onAnswer: () => void): void {
    const startedAtMs = this.time.frame;
    const resolve = () => {
      this.latenciesMs.push(this.time.frame - startedAtMs);
      onAnswer();
    };
    this.ask({ resolve, reject: () => undefined });
  }

  /** So many callers who are quick, of whom a sixteenth each come back at once, within a millisecond. */
  addQuick(count: number): this {
    for (let caller = 0; caller < count; caller++) this.add((1 + (caller % 16)) / 16);
    return this;
  }
}

export const meanOf = (numbers: readonly number[]): number =>
  numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
