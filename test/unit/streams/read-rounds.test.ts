import { describe, expect, it } from 'vitest';
import { type Input, index } from '../../../src/core/index.ts';
import type { Answer } from '../../../src/streams/call.ts';
import { type BytesRequests, leaderRequests } from './bytes-requests.ts';
import { Callers, meanOf } from './callers.ts';
import { NotedRoutes } from './noted-routes.ts';

/** What a round takes: a heartbeat and the answer of a majority. */
const roundMs = 2;

/**
 * A leader in virtual time, and who reads from it. One round is under way at a time, as in the core; what comes meanwhile is
 * in the next.
 */
class ReadRounds extends Callers {
  rounds = 0;
  readonly #routes = new NotedRoutes();
  readonly #requests: BytesRequests;
  readonly #asked: number[] = [];
  #isBusy = false;

  constructor() {
    super();
    this.#routes.input = (input) => this.#take(input);
    this.#requests = leaderRequests({
      ...{ routes: this.#routes, time: this.time, turnScheduler: this.turnScheduler },
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
    this.time.schedule(() => {
      this.#isBusy = false;
      for (const id of ids) this.#requests.onConfirmed({ type: 'readStateMachineReq', id, index: index(0) });
      if (this.#asked.length > 0) this.#round();
    }, roundMs);
  }

  protected ask(answer: Answer<unknown>): void {
    this.#requests.read([Uint8Array.of(1)], { consistency: 'linearizable' }, answer);
  }

  /** Lets so much time pass, and forgets what was noted in the first half of it. */
  run(ms: number): this {
    this.time.maxFrames = ms / 2;
    this.time.flush();
    this.rounds = 0;
    this.latenciesMs.length = 0;
    this.time.maxFrames = ms;
    this.time.flush();
    return this;
  }

  get readsPerRound(): number {
    return this.latenciesMs.length / this.rounds;
  }
}

describe('callers who read again once they are answered', () => {
  it('share one round', () => {
    expect(new ReadRounds().addQuick(64).run(400).readsPerRound).toBeGreaterThan(60);
  });

  it('wait no longer than until they are enough', () => {
    const { readsPerRound, latenciesMs } = new ReadRounds().addQuick(400).run(100);

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
    rounds.addEach(0.2);

    expect(meanOf(rounds.run(400).latenciesMs)).toBeLessThan(2.5 * roundMs);
  });
});
