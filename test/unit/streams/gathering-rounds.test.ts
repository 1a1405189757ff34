import { describe, expect, it } from 'vitest';
import { type Index, type Input, index, term } from '../../../src/core/index.ts';
import type { Answer } from '../../../src/streams/call.ts';
import { type BytesRequests, leaderRequests } from './bytes-requests.ts';
import { Callers, meanOf } from './callers.ts';
import { NotedRoutes } from './noted-routes.ts';

interface Batch {
  readonly id: number;
  readonly first: Index;
  readonly count: number;
}

/**
 * A leader in virtual time, and who writes to it. One transaction is under way at a time, as on the leader's disk so on the
 * followers'; what comes meanwhile is in the next.
 */
class Rounds extends Callers {
  readonly batches: number[] = [];
  readonly #diskMs: number;
  readonly #wayMs: number;
  readonly #routes = new NotedRoutes();
  readonly #requests: BytesRequests;
  readonly #asked: Batch[] = [];
  #lastIndex = 0;

  /** `wayMs`, there and back, is what a majority takes longer than a disk. */
  constructor({ diskMs, wayMs = 0 }: { readonly diskMs: number; readonly wayMs?: number }) {
    super();
    this.#diskMs = diskMs;
    this.#wayMs = wayMs;
    this.#routes.input = (input) => this.#take(input);
    this.#requests = leaderRequests({
      routes: this.#routes,
      time: this.time,
      turnScheduler: this.turnScheduler,
      limits: {
        pendingMax: 10_000,
        commandBytesMax: 1_000_000,
        timeoutMs: 60_000,
        uncommittedBytesMax: 10_000_000,
      },
    });
  }

  #take(input: Input): void {
    if (input.type !== 'write') return;
    const { id, count } = input;
    const first = index(this.#lastIndex + 1);
    this.#lastIndex += count;
    this.batches.push(count);
    this.#asked.push({ id, first, count });
    if (!this.#routes.isBusy) this.#flush();
  }

  #flush(): void {
    this.#routes.isBusy = true;
    const batches = this.#asked.splice(0);
    this.time.schedule(() => {
      this.#routes.isBusy = false;
      this.time.schedule(() => this.#commitAll(batches), this.#wayMs);
      if (this.#asked.length > 0) this.#flush();
      this.#requests.onFlushed();
    }, this.#diskMs);
  }

  #commitAll(batches: readonly Batch[]): void {
    for (const batch of batches) this.#commit(batch);
  }

  #commit({ id, first, count }: Batch): void {
    const results = Array.from({ length: count }, () => new Uint8Array());
    this.#requests.keepResults(first, results);
    const result = { type: 'committed', index: first, term: term(1) } as const;
    this.#requests.onWriteRes({ type: 'writeRes', id, result });
  }

  protected ask(answer: Answer<unknown>): void {
    this.#requests.writeEncoded([Uint8Array.of(1)], {}, answer);
  }

  /** Lets so much time pass, and forgets what was noted in the first half of it. */
  run(ms: number): this {
    const tick = () => {
      this.#requests.onTick();
      this.time.schedule(tick, 25);
    };
    this.time.schedule(tick, 25);
    this.time.maxFrames = ms / 2;
    this.time.flush();
    this.batches.length = 0;
    this.latenciesMs.length = 0;
    this.time.maxFrames = ms;
    this.time.flush();
    return this;
  }
}

describe('callers who write again once they are answered', () => {
  it.each([0.8, 2.5, 4, 8])('form one batch of all, where a transaction takes %s ms', (diskMs) => {
    const { batches } = new Rounds({ diskMs }).addQuick(64).run(2_000);

    expect(meanOf(batches)).toBeGreaterThan(60);
  });

  it('form one batch of all who are quick, with a few among them who are not', () => {
    const rounds = new Rounds({ diskMs: 4 }).addQuick(64);
    for (let caller = 0; caller < 5; caller++) rounds.add(40 + 7 * caller);

    const { batches, latenciesMs } = rounds.run(2_000);

    expect(meanOf(batches)).toBeGreaterThan(50);
    expect(meanOf(latenciesMs)).toBeLessThan(6.5); // A commit, the quick ones' return, and a lull now and then.
  });

  it('hardly wait for others who are on a long way', () => {
    const rounds = new Rounds({ diskMs: 1, wayMs: 40 });
    rounds.addEach(1);

    const { latenciesMs } = rounds.run(4_000);

    expect(meanOf(latenciesMs)).toBeLessThan(42.5);
  });
});
