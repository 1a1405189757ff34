import { describe, expect, it } from 'vitest';
import { crc32, type Input, index, lastOf, type State, step } from '../../../src/core/index.ts';
import { bytesMadeIn } from '../streams/allocations.ts';
import { ack, appendEntries, batchOf, flush, from, leader, n2, n3, node, run, write } from './builders.ts';

/** How many objects a value consists of. */
function sizeOf(value: unknown, seen = new Set<unknown>()): number {
  if (typeof value !== 'object' || value === null || seen.has(value)) return seen.size;
  seen.add(value);
  for (const child of Object.values(value)) sizeOf(child, seen);
  return seen.size;
}

/** How many properties of the state a step reads: its work, whatever the machine and its load. */
function readsOf(state: State, input: Input): number {
  let reads = 0;
  const proxies = new WeakMap<object, object>();
  const counted = <Value>(value: Value): Value => {
    if (typeof value !== 'object' || value === null) return value;
    const known = proxies.get(value) ?? new Proxy(value, handler);
    proxies.set(value, known);
    return known as Value;
  };
  const handler: ProxyHandler<object> = {
    get(target, key) {
      reads += 1;
      return counted(Reflect.get(target, key));
    },
  };
  step(counted(state), input);
  return reads;
}

/** A follower that holds ten batches of so many entries each, in three terms. */
function followerWith(entries: number): State {
  let state = node();
  for (let at = 0; at < 10; at++) {
    const term = 1 + Math.floor(at / 4);
    const batch = { ...batchOf(state.log.lastIndex + 1, term), count: entries };
    const prev = [state.log.lastIndex, state.log.terms.at(-1)?.term ?? 0] as const;
    const message = appendEntries({ term, prev, batches: [batch], commit: lastOf(batch) });
    state = flush(run(state, from(n2, message)).state).state;
  }
  return state;
}

/** A leader that has replicated so many writes of so many commands each to everybody. */
function leaderAfter(writes: number, { count }: { readonly count: number }): State {
  const payload = new Uint8Array(4 * count); // Commands without a byte.
  const payloadChecksum = crc32(payload);
  let state = flush(leader()).state;
  for (let id = 0; id < writes; id++) {
    state = flush(run(state, { type: 'write', id, payload, payloadChecksum, count }).state).state;
    const { lastIndex } = state.log;
    state = run(state, from(n2, ack(1, lastIndex)), from(n3, ack(1, lastIndex))).state;
    const { applySeq: seq, commitIndex: appliedIndex } = state;
    state = run(state, { type: 'applyRes', seq, appliedIndex, durableIndex: index(0) }).state;
  }
  return state;
}

describe('a node with ten million entries', () => {
  const short = followerWith(1);
  const long = followerWith(1_000_000);

  it('is made of as many objects as one with ten', () => {
    expect(long.log.lastIndex).toBe(10_000_000);

    expect(sizeOf(long)).toBe(sizeOf(short));
  });

  it('does as much work for an append as one with ten', () => {
    const append = (state: State) => {
      const at = state.log.lastIndex;
      return from(n2, appendEntries({ term: 3, prev: [at, 3], batches: [batchOf(at + 1, 3)], commit: at }));
    };

    expect(readsOf(long, append(long))).toBe(readsOf(short, append(short)));
  });

  it('does as much work for a refusal as one with ten', () => {
    const conflict = (state: State) =>
      from(n2, appendEntries({ term: 4, prev: [state.log.lastIndex + 1, 4], commit: 0 }));

    expect(readsOf(long, conflict(long))).toBe(readsOf(short, conflict(short)));
  });
});

describe('a follower that was away through many elections', () => {
  /** A message of so many batches, each of another term. */
  const message = (count: number) => {
    const batches = Array.from({ length: count }, (_, at) => batchOf(at + 1, at + 1));
    return from(n2, appendEntries({ term: count, prev: [0, 0], batches, commit: 0 }));
  };

  it('makes no more of each entry of a term of its own where there are many of them', async () => {
    const bytesFor = (count: number) => {
      const input = message(count);
      return bytesMadeIn(async () => {
        expect(step(node(), input).state.log.terms).toHaveLength(count);
      });
    };
    await bytesFor(1_000); // Warms up.

    const [few, many] = [await bytesFor(4_000), await bytesFor(16_000)];

    expect(many / few).toBeLessThan(8); // Four times as many: with a copy for each it would be sixteen.
  });
});

describe('a leader that has replicated ten million entries', () => {
  const early = leaderAfter(10, { count: 100 });
  const late = leaderAfter(1000, { count: 10_000 });

  it('is made of as many objects as after a thousand', () => {
    expect(early.log.lastIndex).toBe(1001);
    expect(late.log.lastIndex).toBe(10_000_001);

    expect(sizeOf(late)).toBe(sizeOf(early));
  });

  it.each([
    ['a write', () => write(5000, 'y')],
    ['a read', (): Input => ({ type: 'read', id: 5000 })],
    ['a tick', (state: State): Input => ({ type: 'tick', now: state.now + 25 })],
    ['an acknowledgement', (state: State) => from(n2, ack(1, state.log.lastIndex))],
    ['a flush', (state: State): Input => ({ type: 'persistRes', seq: state.persistSeq })],
  ])('does as much work for %s as after a thousand', (_what, input) => {
    expect(readsOf(late, input(late))).toBe(readsOf(early, input(early)));
  });
});
