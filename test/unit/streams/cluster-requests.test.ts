import { getEventListeners } from 'node:events';
import { jsonCodec, reducer } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { VirtualCluster } from '../../../src/testing/virtual-cluster.ts';
import { all, failureOf, startedCluster, type WordsCluster, wordsCluster, wordsMachine } from './words.ts';

/** Virtual time is short, and machines are slow. */
vi.setConfig({ testTimeout: 60_000 });

let cluster: WordsCluster;

afterEach(() => cluster.close());

async function started(options: Parameters<typeof wordsCluster>[0] = {}) {
  const parts = await startedCluster(options);
  cluster = parts.cluster;
  return { leader: parts.leader, follower: parts.followers[0] as (typeof parts.followers)[number] };
}

describe('three nodes', () => {
  it('take writes and linearizable reads on any of them', async () => {
    await started();

    for (const node of cluster.nodes) await cluster.settle(node.write(`by ${node.id}`));

    for (const node of cluster.nodes) {
      const { value } = await cluster.settle(node.read(all));
      expect(value).toEqual(['by n1', 'by n2', 'by n3']);
    }
  });

  it('answer each of many writes once, with a place and a result of its own', async () => {
    await started();

    const writes = Array.from({ length: 3000 }, (_, at) => cluster.nodes[at % 3]?.write(`w${at}`));
    const answers = await cluster.settle(Promise.all(writes));

    const places = answers.map((answer) => answer?.index ?? 0);
    expect(new Set(places).size).toBe(3000);
    expect(answers.map((answer) => answer?.result).sort((a, b) => Number(a) - Number(b))).toEqual(
      Array.from({ length: 3000 }, (_, at) => at + 1),
    );
  });

  it('answer the queries of readAll together, or with the first error', async () => {
    const { follower } = await started();
    await cluster.settle(follower.write('a'));

    const answers = await cluster.settle(follower.readAll([all, all]));
    const again = await follower.readAll([all], { consistency: 'stale' });

    expect(answers.map(({ value }) => value)).toEqual([['a'], ['a']]);
    expect(answers.map(({ ageMs }) => ageMs)).toEqual([0, 0]);
    expect(again).toMatchObject([{ value: ['a'], index: answers[0]?.index }]);
    expect(await follower.readAll([])).toEqual([]);
    const thrower = (): never => {
      throw new Error('no such word');
    };
    await expect(cluster.settle(follower.readAll([all, thrower]))).rejects.toThrow('no such word');
  });

  it('keep the order in which one node was asked', async () => {
    const { follower } = await started();

    const writes = Array.from({ length: 50 }, (_, at) => follower.write(`w${at}`));
    await cluster.settle(Promise.all(writes));

    const { value } = await cluster.settle(follower.read(all));
    expect(value).toEqual(Array.from({ length: 50 }, (_, at) => `w${at}`));
  });

  it('give the commands of writeAll places that follow each other', async () => {
    const { follower } = await started();

    const answers = await cluster.settle(follower.writeAll(['a', 'b', 'c']));

    const first = answers[0]?.index ?? 0;
    expect(answers.map(({ index, result }) => [index - first, result])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
    expect(await follower.writeAll([])).toEqual([]);
  });

  it('take commands as bytes, where they are encoded already', async () => {
    const { leader, follower } = await started();
    const encoded = ['a', 'b'].map((word) => wordsMachine().command.encode(word));

    const { index, results } = await cluster.settle(follower.writeEncoded(encoded));

    expect(results).toEqual([1, 2]);
    expect(leader.status().lastIndex).toBe(index + 1);
    expect((await cluster.settle(leader.read(all))).value).toEqual(['a', 'b']);
  });

  it('let a reader see its own write on another node, by its index', async () => {
    const { leader, follower } = await started();
    const { index } = await cluster.settle(leader.write('mine'));

    const answer = await cluster.settle(follower.read(all, { consistency: 'session', index }));

    expect(answer.value).toEqual(['mine']);
    expect(answer.index).toBeGreaterThanOrEqual(index);
  });
});

describe('a request', () => {
  it('that nobody can take is not committed at its deadline', async () => {
    cluster = wordsCluster();
    const node = await cluster.start('n1');

    const write = failureOf(node.write('x', { timeoutMs: 200 }));
    const read = failureOf(node.read(all, { timeoutMs: 200 }));

    expect(await cluster.settle(write)).toEqual({ code: 'RAFT_NO_LEADER', outcome: 'notCommitted' });
    expect(await cluster.settle(read)).toEqual({ code: 'RAFT_NO_LEADER', outcome: 'notCommitted' });
    expect(cluster.scheduler.now()).toBeLessThan(300);
  });

  it('that no majority acknowledged is unknown at its deadline; a read is not committed', async () => {
    const { leader } = await started();
    cluster.network.partition([[leader.id], cluster.ids.filter((id) => id !== leader.id)]);

    const write = failureOf(leader.write('x', { timeoutMs: 100 }));
    const read = failureOf(leader.read(all, { timeoutMs: 100 }));

    expect(await cluster.settle(write)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'unknown' });
    expect(await cluster.settle(read)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'notCommitted' });
  });

  it('that is given up before it has left is not committed, afterwards unknown', async () => {
    const { leader } = await started();
    const [early, late] = [new AbortController(), new AbortController()];

    const unsent = failureOf(leader.write('x', { signal: early.signal }));
    early.abort();
    const sent = failureOf(leader.write('y', { signal: late.signal }));
    await cluster.run(0);
    late.abort();

    expect(await unsent).toEqual({ code: 'RAFT_ABORTED', outcome: 'notCommitted' });
    expect(await sent).toEqual({ code: 'RAFT_ABORTED', outcome: 'unknown' });
    await cluster.settle(leader.write('z'));
    const { value } = await cluster.settle(leader.read(all));
    expect(value).toEqual(['y', 'z']);
  });

  it('that was given up before it was made is refused', async () => {
    const { leader } = await started();
    const signal = AbortSignal.abort();

    expect(await failureOf(leader.write('x', { signal }))).toEqual({
      code: 'RAFT_ABORTED',
      outcome: 'notCommitted',
    });
    expect(await failureOf(leader.read(all, { signal }))).toEqual({
      code: 'RAFT_ABORTED',
      outcome: 'notCommitted',
    });
  });

  it('beyond what may wait is answered overloaded, and room comes back with each answer', async () => {
    const { leader } = await started({ node: { pendingMax: 2 } });

    const taken = [leader.write('a'), leader.write('b')];
    const reads = [leader.read(all), leader.read(all)];
    expect(await failureOf(leader.write('c'))).toEqual({ code: 'RAFT_OVERLOADED', outcome: 'notCommitted' });
    expect(await failureOf(leader.read(all))).toEqual({ code: 'RAFT_OVERLOADED', outcome: 'notCommitted' });

    await cluster.settle(Promise.all([...taken, ...reads]));
    expect((await cluster.settle(leader.write('d'))).result).toBe(3);
  });

  it.each([
    ['a time limit of 0', { timeoutMs: 0 }],
    ['a time limit that is no number', { timeoutMs: Number.NaN }],
    ['an unknown consistency', { consistency: 'eventual' as 'stale' }],
    ['a session index below 0', { consistency: 'session' as const, index: -1 }],
  ])('with %s is refused', async (_what, options) => {
    const { leader } = await started();

    expect(await failureOf(leader.read(all, options))).toEqual({
      code: 'RAFT_BAD_REQUEST',
      outcome: 'notCommitted',
    });
  });

  it.each([
    ['the controller that has it', new AbortController()],
    ['null', null],
    ['a text', 'now'],
  ])('with a signal that is none but %s is refused, and takes up no room', async (_what, none) => {
    const { leader } = await started({ node: { pendingMax: 2 } });
    const signal = none as unknown as AbortSignal;
    const requests = [
      leader.write('x', { signal }),
      leader.writeAll(['x', 'y'], { signal }),
      leader.read(all, { signal }),
      leader.readAll([all, all], { signal }),
      leader.read(all, { signal, consistency: 'stale' }),
      leader.changeMembers([{ type: 'remove', id: 'n9' }], { signal }),
    ];

    for (const request of requests) {
      expect(await failureOf(request)).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
    }
    expect(() => leader.commits({ signal })).toThrow(/expected an AbortSignal/);
    const rest = [leader.write('z'), leader.write('z'), leader.read(all), leader.read(all)];
    await cluster.settle(Promise.all(rest));
    expect((await leader.read(all, { consistency: 'stale' })).value).toEqual(['z', 'z']);
  });

  it("with a command that is too large or can't be encoded is refused", async () => {
    const { leader } = await started({ node: { commandBytesMax: 100 } });
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);

    const tooLarge = { code: 'RAFT_COMMAND_TOO_LARGE', outcome: 'notCommitted' };
    expect(await failureOf(leader.write('x'.repeat(99)))).toEqual(tooLarge); // And two quotes.
    expect((await cluster.settle(leader.write('x'.repeat(98)))).result).toBe(1);
    expect(await failureOf(leader.writeAll(['x'.repeat(50), 'x'.repeat(50)]))).toEqual(tooLarge);
    expect(await failureOf(leader.write(cyclic as unknown as string))).toEqual({
      code: 'RAFT_BAD_COMMAND',
      outcome: 'notCommitted',
    });
  });

  it('that JSON would change is refused', async () => {
    const { leader } = await started();

    expect(await failureOf(leader.write(new Set() as unknown as string))).toEqual({
      code: 'RAFT_BAD_COMMAND',
      outcome: 'notCommitted',
    });
    expect((await cluster.settle(leader.read(all))).value).toEqual([]);
  });

  it("passed on, whose result the leader can't encode, is unknown and was carried out", async () => {
    const { leader, follower } = await started({
      machine: () => ({
        ...wordsMachine(),
        result: {
          ...jsonCodec<number>(),
          encode() {
            throw new Error('no bytes');
          },
        },
      }),
    });

    const failure = await cluster.settle(failureOf(follower.write('x')));

    expect(failure).toEqual({ code: 'RAFT_BAD_RESULT', outcome: 'unknown' });
    expect((await cluster.settle(leader.read(all))).value).toEqual(['x']);
  });
});

describe('a result', () => {
  it('is no part of the state of the node that gives it', async () => {
    const lists = new VirtualCluster({
      seed: 1,
      machine: () => reducer<string[], string, string[]>([], (list, item) => [[...list, item], list]),
    });
    await lists.startAll();
    const leader = await lists.leader();
    const follower = lists.nodes.find(({ id }) => id !== leader.id) as typeof leader;

    await lists.settle(leader.write('a'));
    const { result } = await lists.settle(leader.write('b')); // The list before, which a reducer may go on using.
    const { results: own } = await lists.settle(leader.writeEncoded([jsonCodec<string>().encode('c')]));
    const elsewhere = await lists.settle(follower.write('d'));
    result.push('what nobody wrote');
    const read = await lists.settle(leader.read((list) => list));
    await lists.close();

    expect(result).toEqual(['a', 'what nobody wrote']);
    expect(own).toEqual([['a', 'b']]);
    expect(elsewhere.result).toEqual(['a', 'b', 'c']);
    expect(read.value).toEqual(['a', 'b', 'c', 'd']);
  });

  it('goes through a codec that is an object of a class', async () => {
    class ListCodec {
      readonly #json = jsonCodec<string[]>();
      encode(list: string[]) {
        return this.#json.encode(list);
      }
      decode(bytes: Uint8Array) {
        return this.#json.decode(bytes);
      }
    }
    const machine = () => ({
      ...wordsMachine(),
      result: new ListCodec(),
      apply: (words: readonly string[]) => words.map((word) => [word]),
    });
    const { leader, follower } = await started({ machine: machine as never });

    const results = [leader, follower].map(async (node) => (await cluster.settle(node.write('a'))).result);

    expect(await Promise.all(results)).toEqual([['a'], ['a']]);
  });

  it('is the same on the leader as elsewhere: one that its codec changes, too', async () => {
    const upper = {
      ...jsonCodec<string>(),
      encode: (text: string) => jsonCodec<string>().encode(`<${text}>`),
    };
    const machine = () => ({
      ...wordsMachine(),
      result: upper,
      apply: (words: readonly string[]) => words.map((word) => [word]),
    });
    const { leader, follower } = await started({ machine: machine as never });

    const here = await cluster.settle(leader.write('a'));
    const there = await cluster.settle(follower.write('a'));

    expect(here.result).toBe('<a>');
    expect(there.result).toEqual(here.result);
  });

  it("that can't be encoded is unknown on the leader, too", async () => {
    const machine = () => ({
      ...wordsMachine(),
      apply: (words: readonly string[]) => words.map((word) => (word === 'x' ? 1n : [word])),
    });
    const { leader, follower } = await started({ machine: machine as never });

    const failures = [leader, follower].map((node) => cluster.settle(failureOf(node.write('x'))));
    const unreadable = { code: 'RAFT_BAD_RESULT', outcome: 'unknown' };
    expect(await Promise.all(failures)).toEqual([unreadable, unreadable]);

    const [good, bad, own] = [
      leader.writeAll(['a']),
      failureOf(leader.writeAll(['b', 'x'])),
      leader.writeEncoded([jsonCodec<string>().encode('x')]),
    ];

    expect((await cluster.settle(good)).map(({ result }) => result)).toEqual([['a']]);
    expect(await cluster.settle(bad)).toEqual(unreadable);
    expect((await cluster.settle(own)).results).toEqual([1n]);
  });
});

describe('a signal', () => {
  it('ends all the requests that it was given to, and none that is answered', async () => {
    const { leader } = await started();
    const { signal, abort } = signalOf();
    const answered = await cluster.settle(leader.write('before', { signal }));
    const requests = Array.from({ length: 2000 }, (_, at) =>
      at % 2 === 0 ? leader.write(`w${at}`, { signal }) : leader.read(all, { signal }),
    );
    const failures = requests.map(failureOf);

    abort();

    const given = { code: 'RAFT_ABORTED', outcome: 'notCommitted' };
    expect(answered.result).toBe(1);
    for (const failure of failures) expect(await failure).toEqual(given);
    expect(listenersOf(signal)).toBe(0);
  });

  it('is let go of when everything is answered', async () => {
    const { leader } = await started();
    const { signal } = signalOf();

    const requests = Array.from({ length: 20 }, () => leader.write('w', { signal }));
    expect(listenersOf(signal)).toBe(1);
    await cluster.settle(Promise.all(requests));

    expect(listenersOf(signal)).toBe(0);
  });
});

function signalOf(): { signal: AbortSignal; abort: () => void } {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}

function listenersOf(signal: AbortSignal): number {
  return getEventListeners(signal, 'abort').length;
}

describe('a query', () => {
  it('that throws gives the caller its error', async () => {
    const { leader } = await started();

    const read = leader.read(() => {
      throw new RangeError('mine');
    });

    await expect(cluster.settle(read)).rejects.toThrow(new RangeError('mine'));
  });

  it('that takes its time is waited for, up to the deadline', async () => {
    const { leader } = await started();

    const soon = leader.read(() => Promise.resolve('later'));
    const never = failureOf(leader.read(() => new Promise(() => {}), { timeoutMs: 500 }));

    expect((await cluster.settle(soon)).value).toBe('later');
    expect(await cluster.settle(never)).toEqual({ code: 'RAFT_TIMEOUT', outcome: 'notCommitted' });
  });
});

describe('a node that closes', () => {
  it('answers what is outstanding, and refuses what comes', async () => {
    const { leader } = await started();
    cluster.network.partition([[leader.id], cluster.ids.filter((id) => id !== leader.id)]);
    const sent = failureOf(leader.write('sent'));
    const asked = failureOf(leader.read(all));
    await cluster.run(5);
    const waiting = failureOf(leader.write('waiting'));

    await cluster.stop(leader.id);

    expect(await sent).toEqual({ code: 'RAFT_CLOSED', outcome: 'unknown' });
    expect(await asked).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
    expect(await waiting).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
    expect(await failureOf(leader.write('late'))).toEqual({ code: 'RAFT_CLOSED', outcome: 'notCommitted' });
    expect(await failureOf(leader.read(all, { consistency: 'stale' }))).toEqual({
      code: 'RAFT_CLOSED',
      outcome: 'notCommitted',
    });
    await leader.closed;
  });
});
