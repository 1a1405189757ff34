import { type SchedulerLike, VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { type Input, index } from '../../../src/core/index.ts';
import { type BytesRequests, leaderRequests } from './bytes-requests.ts';
import { NotedRoutes } from './noted-routes.ts';

/** What a round takes: a heartbeat and the answer of a majority. */
const roundMs = 2;

/**
 * A leader in virtual time, and who reads from it. One round is under way at a time, as in the core; what comes meanwhile is
 * in the next.
 */
class ReadRounds {
  readonly latenciesMs: number[] = [];
  rounds = 0;
  readonly #routes = new NotedRoutes();
  readonly #time = new VirtualTimeScheduler();
  readonly #requests: BytesRequests;
  readonly #asked: number[] = [];
  #isBusy = false;

  constructor() {
    this.#routes.input = (input) => this.#take(input);
    const turnScheduler = {
      now: () => this.#time.frame,
      schedule: (work: () => void) => this.#time.schedule(work, 0.01),
    } as unknown as SchedulerLike;
    this.#requests = leaderRequests({
      ...{ routes: this.#routes, time: this.#time, turnScheduler },
      limits: {
        ...{ pendingMax: 10_000, commandBytesMax: 1_000, timeoutMs: 60_000, uncommittedBytesMax: 10_000 },
      },
    });
  }

  #take(input: Input): void {
    if (input.type !== 'read') return;
    this.#asked.push(input.id);
    if (!this.#isBusy) this.#round();
  }

  #round(): void {
    const ids = this.#asked.splice(0);
    this.#isBusy = true;
    this.rounds += 1;
    this.#time.schedule(() => {
      this.#isBusy = false;
      for (const id of ids) this.#requests.onConfirmed({ type: 'readStateMachineReq', id, index: index(0) });
      if (this.#asked.length > 0) this.#round();
    }, roundMs);
  }

  /** A caller who reads again so long after each answer. */
  add(thinkMs: number): void {
    const again = () => this.#read(() => this.#time.schedule(again, thinkMs));
    this.#time.schedule(again, thinkMs);
  }

  /** Reads, one each so many milliseconds, that wait for no answer. */
  readEach(ms: number): void {
    const again = () => {
      this.#read(() => undefined);
      this.#time.schedule(again, ms);
    };
    this.#time.schedule(again, ms);
  }

  #read(onAnswer: () => void): void {
    const startedAtMs = this.#time.frame;
    const resolve = () => {
      this.latenciesMs.push(this.#time.frame - startedAtMs);
      onAnswer();
    };
    const limits = { consistency: 'linearizable' } as const;
    this.#requests.read([Uint8Array.of(1)], limits, { resolve, reject: () => undefined });
  }

  /** Lets so much time pass, and forgets what was noted in the first half of it. */
  run(ms: number): this {
    this.#time.maxFrames = ms / 2;
    this.#time.flush();
    this.rounds = 0;
    this.latenciesMs.length = 0;
    this.#time.maxFrames = ms;
    this.#time.flush();
    return this;
  }

  get readsPerRound(): number {
    return this.latenciesMs.length / this.rounds;
  }
}

const meanOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;

/** So many callers, of whom a sixteenth each come back at once, within a millisecond. */
function quickCallers(count: number): ReadRounds {
  const rounds = new ReadRounds();
  for (let caller = 0; caller < count; caller++) rounds.add((1 + (caller % 16)) / 16);
  return rounds;
}

describe('callers who read again once they are answered', () => {
  it('share one round', () => {
    expect(quickCallers(64).run(400).readsPerRound).toBeGreaterThan(60);
  });

  it('wait no longer than until they are enough', () => {
    const { readsPerRound, latenciesMs } = quickCallers(400).run(100);

    expect(readsPerRound).toBeGreaterThan(120);
    expect(meanOf(latenciesMs)).toBeLessThan(3 * roundMs); // A round under way, and their own.
  });

  it('wait for nobody if they are alone', () => {
    const rounds = new ReadRounds();
    rounds.add(1);

    const { latenciesMs } = rounds.run(400);

    expect(Math.max(...latenciesMs)).toBeCloseTo(roundMs + 0.01);
  });

  it('hardly wait for others who do not come back', () => {
    const rounds = new ReadRounds();
    rounds.readEach(0.2);

    expect(meanOf(rounds.run(400).latenciesMs)).toBeLessThan(2.5 * roundMs);
  });
});
