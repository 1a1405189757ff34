import {
  memoryStorage,
  openSession,
  raftNode,
  reducer,
  type Session,
  type SessionCommand,
  type SessionLimits,
  type SessionResult,
  withSessions,
} from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { index, term } from '../../../src/core/index.ts';
import { requestError } from '../../../src/streams/errors.ts';
import { VirtualCluster } from '../../../src/testing/virtual-cluster.ts';
import { noteMachine } from './note-machine.ts';
import { all, failureOf, type Words, wordsMachine } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

/** Applies one command after the other, as the log would. */
async function machineOf(limits: Partial<SessionLimits> = {}) {
  const machine = withSessions(wordsMachine(), limits);
  await machine.open(memoryStorage().machineStore);
  let at = 0;
  return {
    machine,
    apply(command: SessionCommand<string>, logTimeMs = 0): SessionResult<number> {
      at += 1;
      const decoded = machine.command.decode(machine.command.encode(command));
      const [result] = machine.apply([decoded], { index: index(at), term: term(1), logTimeMs }) as [
        SessionResult<number>,
      ];
      return machine.result.decode(machine.result.encode(result));
    },
    words: () => machine.query(all) as Words,
  };
}

const once = (command: string, sequence: number, lowestUnanswered = 1, session = 1) =>
  ({ type: 'once', command, session, sequence, lowestUnanswered }) as const;

describe('a machine with client sessions that is restored', () => {
  /** Two pieces of a machine, and whether their source was told that no more are needed. */
  function source() {
    const state = { isOpen: false };
    const pieces = {
      *[Symbol.iterator]() {
        state.isOpen = true;
        try {
          yield Uint8Array.of(0, 1);
          yield Uint8Array.of(0, 2);
        } finally {
          state.isOpen = false;
        }
      },
    };
    return { pieces, state };
  }

  it.each([
    [
      'wants the first piece only',
      ([first]: Iterable<Uint8Array>) => expect(first).toEqual(Uint8Array.of(1)),
    ],
    ['wants none', () => undefined],
    [
      'throws',
      () => {
        throw new Error('what it can not read');
      },
    ],
  ] as const)('leaves the store closed where its machine %s', async (_, restore) => {
    const { pieces, state } = source();
    const machine = withSessions({
      ...wordsMachine(),
      restore: async (given: Iterable<Uint8Array>) => void restore(given),
    });

    await Promise.resolve(machine.restore?.(pieces, index(1))).catch(() => undefined);

    expect(state.isOpen).toBe(false);
  });
});

describe('a result of a command of a session', () => {
  it('that JSON changes is what JSON makes of it, at first and again, and stops nobody', async () => {
    const machine = withSessions(
      reducer(0, (count: number, _: string) => [count + 1, [Number.NaN, new Date(0)]]),
    );
    await machine.open(memoryStorage().machineStore);
    const at = (place: number) => ({ index: index(place), term: term(1), logTimeMs: 0 });
    const answer = (place: number) => {
      const [result] = machine.apply([once('a', 1)], at(place)) as readonly SessionResult<unknown>[];
      return machine.result.decode(machine.result.encode(result as never));
    };

    machine.apply([{ type: 'open' }], at(1));

    expect([answer(2), answer(3)]).toEqual(
      Array(2).fill({ type: 'applied', result: [null, '1970-01-01T00:00:00.000Z'] }),
    );
  });
});

describe('a machine with client sessions', () => {
  it('applies a command of a session once, and gives a retry the first result', async () => {
    const { apply, words } = await machineOf();
    expect(apply({ type: 'open' })).toEqual({ type: 'opened', session: 1 });

    expect(apply(once('a', 1))).toEqual({ type: 'applied', result: 1 });
    expect(apply({ type: 'plain', command: 'b' })).toEqual({ type: 'applied', result: 2 });
    expect(apply(once('a', 1))).toEqual({ type: 'applied', result: 1 });

    expect(words()).toEqual(['a', 'b']);
  });

  it('never executes what is below the lowest unanswered sequence, said now or before', async () => {
    const { apply, words } = await machineOf();
    apply({ type: 'open' });
    apply(once('a', 2, 2));

    expect(apply(once('late', 1, 1))).toEqual({ type: 'sessionExpired' });
    expect(apply(once('odd', 3, 4))).toEqual({ type: 'sessionExpired' });

    expect(words()).toEqual(['a']);
  });

  it('executes nothing of a session that is unknown or has expired by the clock of the log', async () => {
    const { apply, words } = await machineOf({ sessionTtlMs: 1000 });
    apply({ type: 'open' }, 0);
    apply(once('a', 1), 1000);
    apply(once('b', 2), 2000);

    expect(apply(once('c', 3), 3001)).toEqual({ type: 'sessionExpired' });
    expect(apply(once('d', 1, 1, 77), 3001)).toEqual({ type: 'sessionExpired' });

    expect(words()).toEqual(['a', 'b']);
  });

  it('refuses a session too many and evicts nobody but who has expired', async () => {
    const { apply } = await machineOf({ sessionsMax: 1, sessionTtlMs: 1000 });
    apply({ type: 'open' }, 0);
    apply(once('a', 1), 0);

    expect(apply({ type: 'open' }, 1000)).toEqual({ type: 'overloaded' });
    expect(apply(once('a', 1), 1000)).toEqual({ type: 'applied', result: 1 });
    expect(apply({ type: 'open' }, 2001)).toEqual({ type: 'opened', session: 5 });
    expect(apply(once('a', 1), 2001)).toEqual({ type: 'sessionExpired' });
  });

  it('refuses results too many until it is told which have arrived', async () => {
    const { apply } = await machineOf({ resultsMax: 2 });
    apply({ type: 'open' });
    apply(once('a', 1));
    apply(once('b', 2));

    expect(apply(once('c', 3))).toEqual({ type: 'overloaded' });
    expect(apply(once('b', 2))).toEqual({ type: 'applied', result: 2 });
    expect(apply(once('c', 3, 2))).toEqual({ type: 'applied', result: 3 });
    expect(apply(once('d', 400, 300))).toEqual({ type: 'applied', result: 4 }); // A gap that is walked.
  });

  it('gives sessions and data to a snapshot, as they were then, and takes them from there', async () => {
    const { machine, apply } = await machineOf();
    apply({ type: 'open' });
    for (let sequence = 1; sequence <= 600; sequence++) apply(once(`w${sequence}`, sequence));
    const pieces = machine.snapshot?.() ?? [];
    apply(once('later', 601));
    const taken: Uint8Array[] = [];
    for await (const piece of pieces) taken.push(piece);
    const other = await machineOf();

    await other.machine.restore?.(taken, index(601));

    expect(other.words()).toHaveLength(600);
    expect(other.apply(once('w600', 600))).toEqual({ type: 'applied', result: 600 });
    expect(other.apply(once('later', 601))).toEqual({ type: 'applied', result: 601 });
  });

  it('gives no snapshots if the machine in it gives none', () => {
    const { snapshot: _, restore: __, ...plain } = wordsMachine();

    expect(withSessions(plain).snapshot).toBeUndefined();
    expect(withSessions(noteMachine([])).snapshot).toBeUndefined(); // Its data in the store are one.
  });
});

type Cluster = VirtualCluster<
  SessionCommand<string>,
  SessionResult<number>,
  (words: Words) => unknown,
  unknown
>;

describe.each(['memory', 'store'] as const)('a session with a machine in %s', (keeps) => {
  let cluster: Cluster;

  afterEach(() => cluster.close());

  async function started(limits: Partial<SessionLimits> = {}): Promise<Session<string, number>> {
    const machine = () => withSessions(keeps === 'memory' ? wordsMachine() : noteMachine([]), limits);
    cluster = new VirtualCluster({ seed: 3, machine, node: { timeoutMs: 20_000 } });
    await cluster.startAll();
    await cluster.leader();
    return cluster.settle(openSession(cluster.node('n1'), { clock: () => cluster.scheduler.now() }));
  }

  const wordsOn = async (id: string) => (await cluster.settle(cluster.node(id).read(all))).value as Words;

  it('applies every command once while leaders come and go', async () => {
    const session = await started();
    const written: Promise<unknown>[] = [];
    for (let at = 0; at < 60; at++) {
      written.push(session.write(`w${at}`, { timeoutMs: 60_000 }));
      await cluster.run(20);
      const { leaderId } = cluster.node('n2').status();
      if (at % 15 === 7 && leaderId !== null && leaderId !== 'n1') {
        cluster.losePower(leaderId);
        await cluster.run(50);
        await cluster.start(leaderId);
      }
    }
    await cluster.settle(Promise.all(written), 60_000);

    const words = await wordsOn('n1');
    expect([...words].sort()).toEqual(Array.from({ length: 60 }, (_, at) => `w${at}`).sort());
  });

  it('survives a snapshot and a restart', async () => {
    const session = await started();
    await cluster.settle(session.write('a'));
    for (const node of cluster.nodes) await cluster.settle(node.snapshot());
    for (const id of ['n2', 'n3']) cluster.losePower(id);
    await cluster.startAll();
    await cluster.leader();

    expect((await cluster.settle(session.write('b'))).result).toBe(2);
    const stamp = { session: session.id, sequence: 2, lowestUnanswered: 2 };
    const again = cluster.node('n2').write({ type: 'once', command: 'b', ...stamp });
    expect((await cluster.settle(again)).result).toEqual({ type: 'applied', result: 2 });
    expect(await wordsOn('n3')).toEqual(['a', 'b']);
  });

  it('says so when it has expired', async () => {
    const session = await started({ sessionTtlMs: 1000 });
    await cluster.run(2000);

    const expired = await cluster.settle(failureOf(session.write('a')));

    expect(expired).toEqual({ code: 'RAFT_SESSION_EXPIRED', outcome: 'unknown' });
    expect(await wordsOn('n1')).toEqual([]);
  });
});

describe('a session whose node closes', () => {
  it('does not go on trying', async () => {
    const machine = withSessions(reducer(0, (sum: number, add: number) => [sum + add, sum + add] as const));
    const node = await raftNode({ id: 'n1', machine, storage: memoryStorage() });
    const session = await openSession<number, number>(node);
    expect((await session.write(5)).result).toBe(5);

    const late = failureOf(session.write(1));
    await node.close();

    expect((await late).code).toBe('RAFT_CLOSED');
  });
});

describe('a command of a session that had to be sent again', () => {
  it.each(['RAFT_NO_LEADER', 'RAFT_ABORTED', 'RAFT_OVERLOADED', 'RAFT_CLOSED'] as const)(
    'is unknown when that ends with %s, since the first copy may be in the log (rule 22)',
    async (code) => {
      const endings = [
        requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', '…'),
        requestError(code, 'notCommitted', '…'),
      ];
      const session = await openSession<string, number>({
        async write(command) {
          if (command.type === 'open')
            return { index: index(1), term: term(1), result: { type: 'opened', session: 1 } };
          throw endings.shift();
        },
      });

      expect(await failureOf(session.write('pay'))).toEqual({ code, outcome: 'unknown' });
    },
  );

  it('is unknown while its first copy, on a follower, is committed by the next leader', async () => {
    const machine = () => withSessions(wordsMachine());
    const cluster = new VirtualCluster({ seed: 3, machine });
    await cluster.startAll();
    const leader = await cluster.leader();
    const others = cluster.nodes.filter((node) => node !== leader);
    const clock = () => cluster.scheduler.now();
    const session: Session<string, number> = await cluster.settle(openSession(leader, { clock }));
    const { lastIndex } = leader.status();

    const payment = failureOf(session.write('pay', { timeoutMs: 3000 }));
    await cluster.until(() => others.some((node) => node.status().lastIndex > lastIndex));
    cluster.network.partition([[leader.id], others.map((node) => node.id)]);
    const { outcome } = await cluster.settle(payment);
    cluster.network.heal();
    const { value } = await cluster.settle((await cluster.leader()).read(all));
    await cluster.close();

    expect({ outcome, value }).toEqual({ outcome: 'unknown', value: ['pay'] });
  });
});
