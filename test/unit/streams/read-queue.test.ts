import { describe, expect, it } from 'vitest';
import { index0 } from '../../../src/core/index.ts';
import { type Answered, FailedQuery } from '../../../src/streams/read-call.ts';
import { ReadQueue } from '../../../src/streams/read-queue.ts';
import { NotedRoutes } from './noted-routes.ts';
import { failureOf } from './words.ts';

const pendingMax = 4;
const patient = { deadlineMs: 1000, signal: undefined };

/** A machine that doubles numbers, fails at 13, takes its time for 100, and for ever for 99. */
function machine(query: number): number | Promise<number> {
  if (query === 13) throw new Error('unlucky');
  if (query === 99) return new Promise(() => undefined);
  return query === 100 ? Promise.resolve(200) : 2 * query;
}

function queueOf(): { routes: NotedRoutes; queue: ReadQueue<number, number> } {
  const routes = new NotedRoutes();
  routes.leader = 'self';
  const queried = { query: machine, appliedIndex: () => index0, isInstalling: () => false };
  return { routes, queue: new ReadQueue<number, number>(routes, queried, pendingMax) };
}

function answered(queue: ReadQueue<number, number>, queries: readonly number[]): Promise<Answered<number>> {
  return new Promise((resolve, reject) => queue.add(queries, patient, { resolve, reject }));
}

describe('a read that could not be taken', () => {
  it('takes up no room', async () => {
    const { queue } = queueOf();
    const signal = {} as AbortSignal; // Nobody can listen to it.
    const answer = { resolve: () => undefined, reject: () => undefined };

    expect(() => queue.add([1, 2, 3], { deadlineMs: 1000, signal }, answer)).toThrow(TypeError);

    const all = answered(queue, [1, 2, 3, 4]);
    queue.flush();
    queue.onConfirmed(1);
    expect((await all).values).toEqual([2, 4, 6, 8]);
  });
});

describe('single reads of one turn', () => {
  it('share a read index, and each is told of its own query', async () => {
    const { routes, queue } = queueOf();
    const reads = [1, 2].map((query) => queue.addOne(query, 1000));
    queue.flush();

    queue.onConfirmed(1);

    expect(routes.inputs).toEqual([{ type: 'read', id: 1 }]);
    expect(await Promise.all(reads)).toEqual([
      { value: 2, index: 0, ageMs: 0 },
      { value: 4, index: 0, ageMs: 0 },
    ]);
  });

  it('are not spoiled by one that the machine throws at, nor by one that takes its time', async () => {
    const { queue } = queueOf();
    const [bad, slow, good] = [13, 100, 5].map((query) => queue.addOne(query, 1000));
    queue.flush();

    queue.onConfirmed(1);

    await expect(bad).rejects.toThrow('unlucky');
    expect(await slow).toMatchObject({ value: 200 });
    expect(await good).toMatchObject({ value: 10 });
  });

  it('are answered, though the machine never answers another one, which is given up in its time', async () => {
    const { queue } = queueOf();
    const [hung, good] = [99, 5].map((query) => queue.addOne(query, 100));
    queue.flush();

    queue.onConfirmed(1);

    expect(await good).toEqual({ value: 10, index: 0, ageMs: 0 });
    queue.expire(100);
    await expect(hung).rejects.toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'notCommitted' });
    const all = answered(queue, [1, 2, 3, 4]); // There is room for all.
    queue.flush();
    queue.onConfirmed(2);
    expect((await all).values).toEqual([2, 4, 6, 8]);
  });

  it('take an answer that is like a promise', async () => {
    // biome-ignore lint/suspicious/noThenProperty: a machine may use a promise of any library.
    const thenable = { then: (done: (value: number) => void) => done(7) };
    const routes = new NotedRoutes();
    routes.leader = 'self';
    const odd = new ReadQueue<number, unknown>(
      routes,
      { query: () => thenable, appliedIndex: () => index0, isInstalling: () => false },
      pendingMax,
    );
    const read = odd.addOne(1, 100);
    odd.flush();
    odd.onConfirmed(1);

    expect(await read).toMatchObject({ value: 7 });
  });

  it('leave a later turn to ask for a read index of its own', async () => {
    const { routes, queue } = queueOf();
    void queue.addOne(1, 1000);
    queue.flush();
    const late = queue.addOne(2, 1000);

    queue.onConfirmed(1);
    queue.flush();
    queue.onConfirmed(2);

    expect(routes.inputs).toHaveLength(2);
    expect(await late).toMatchObject({ value: 4 });
  });

  it('count one by one towards the limit, until they are answered', async () => {
    const { queue } = queueOf();
    const reads = [1, 2, 3, 4].map((query) => queue.addOne(query, 1000));
    await expect(queue.addOne(5, 1000)).rejects.toMatchObject({ code: 'RAFT_OVERLOADED' });
    await expect(answered(queue, [5])).rejects.toMatchObject({ code: 'RAFT_OVERLOADED' });

    queue.flush();
    queue.onConfirmed(1);
    await Promise.all(reads);

    const again = answered(queue, [1, 2, 3, 4]);
    queue.flush();
    queue.onConfirmed(2);
    expect((await again).values).toEqual([2, 4, 6, 8]);
  });

  it('are given up in their time, and make room', async () => {
    const { routes, queue } = queueOf();
    routes.leader = null;
    const reads = [1, 2, 3, 4].map((query) => queue.addOne(query, 100));
    queue.flush();

    queue.expire(100);

    for (const read of reads) await expect(read).rejects.toMatchObject({ code: 'RAFT_NO_LEADER' });
    routes.leader = 'self';
    const later = queue.addOne(1, 100);
    queue.flush();
    queue.onConfirmed(1);
    expect(await later).toMatchObject({ value: 2 });
  });
});

describe('reads that were asked together', () => {
  it('are answered together, with what was thrown in its place', async () => {
    const { queue } = queueOf();
    const together = answered(queue, [1, 13, 100]);
    queue.flush();

    queue.onConfirmed(1);

    const { values } = await together;
    expect(values).toEqual([2, expect.any(FailedQuery), 200]);
  });
});

describe('a single read after one whose time was over while reads were held back', () => {
  it('has a time of its own, leaves, and takes up no room once it is answered', async () => {
    const { routes, queue } = queueOf();
    const codes: string[] = [];
    for (let round = 0; round < 2 * pendingMax; round++) {
      const late = queue.addOne(1, 5);

      routes.time += 5;
      queue.expire(routes.time); // Nothing was sent off: reads are held back.

      codes.push((await failureOf(late)).code);
    }
    expect(codes).toEqual(Array.from({ length: 2 * pendingMax }, () => 'RAFT_TIMEOUT'));
    const next = queue.addOne(2, 5);
    queue.flush();
    queue.onConfirmed(1);
    expect(await next).toMatchObject({ value: 4 });
  });
});
