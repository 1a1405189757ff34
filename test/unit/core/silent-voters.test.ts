import { describe, expect, it } from 'vitest';
import {
  defaultConfig,
  index,
  type MemberChange,
  type Message,
  type State,
} from '../../../src/core/index.ts';
import { BareCluster } from '../../../src/testing/bare-cluster.ts';
import { ack, establishedLeader, from, n2, n3, only, run, vote, wait } from './builders.ts';
import { change } from './builders-membership.ts';

/** A follower's word that its log is another one at an index. */
function refusal(inTerm: number, rejected: number): Message {
  return { ...ack(inTerm, 0), success: false, rejectedIndex: index(rejected) } as Message;
}

/** Three voters that have worked together for a while; then `silent` dies, and the leader, n1, has seen that. */
function withSilent(silent: string): BareCluster {
  const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
  cluster.elect('n1');
  cluster.wait('n1', 1000);
  cluster.crash(silent);
  cluster.wait('n1', 2000);
  return cluster;
}

describe('a change of members after which the voters that answer are no majority', () => {
  it.each<readonly MemberChange[]>([[{ type: 'remove', id: 'n3' }], [{ type: 'demote', id: 'n3' }]])(
    'is refused, and the cluster goes on: %j',
    (change) => {
      const cluster = withSilent('n2');

      const asked = cluster.changeMembers('n1', [change]);
      cluster.settle();
      cluster.wait('n1', 2000);
      const written = cluster.write('n1', ['x']);
      cluster.settle();

      expect(cluster.answer(asked)).toMatchObject({
        type: 'refused',
        reason: { type: 'busy', detail: expect.stringContaining('without n2, silent at the moment') },
      });
      expect(cluster.answer(written)).toMatchObject({ type: 'committed' });
    },
  );

  it('is refused among five by a majority, not by one', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    cluster.elect('n1');
    cluster.wait('n1', 1000);
    for (const id of ['n4', 'n5']) cluster.crash(id);
    cluster.wait('n1', 2000);

    const live = cluster.changeMembers('n1', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();
    const dead = cluster.changeMembers('n1', [{ type: 'remove', id: 'n4' }]);
    cluster.settle();

    expect(cluster.answer(live)).toMatchObject({ type: 'refused', reason: { type: 'busy' } });
    expect(cluster.answer(dead)).toEqual({ type: 'ok' });
  });

  it('is carried out once they are back', () => {
    const cluster = withSilent('n2');
    cluster.restart('n2');
    cluster.wait('n1', 1000);

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });
});

describe('a leader that was elected a moment ago', () => {
  it('takes nobody for alive who has not answered it: the voter that died is counted on neither before its first look nor after', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.wait('n1', 1000);
    cluster.crash('n1');
    cluster.elect('n2');
    cluster.settle();

    const atOnce = cluster.changeMembers('n2', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();
    cluster.wait('n2', 500);
    const afterOneLook = cluster.changeMembers('n2', [{ type: 'remove', id: 'n3' }]);
    cluster.settle();
    const written = cluster.write('n2', ['x']);
    cluster.settle();

    const refused = { type: 'refused', reason: { detail: expect.stringContaining('without n1, silent') } };
    expect(cluster.answer(atOnce)).toMatchObject(refused);
    expect(cluster.answer(afterOneLook)).toMatchObject(refused);
    expect(cluster.answer(written)).toMatchObject({ type: 'committed' });
  });

  it.each<[string, Message, boolean]>([
    ['takes entries', ack(4, 3), true],
    ['refuses entries, since its log is another one', refusal(4, 3), true],
    ['answers a heartbeat before its snapshot has arrived', ack(4, 0), true],
    ['answers the leader of an earlier term', ack(3, 2), false],
    ['has voted for it', vote(4), false],
  ])('knows whether a voter is alive that %s', (_what, message, isAlive) => {
    const elected = establishedLeader({ terms: [1, 1, 2], currentTerm: 3 });

    const { outputs } = run(elected, from(n3, message), change(1, { type: 'remove', id: 'n2' }));

    const busy = { result: { type: 'refused', reason: { type: 'busy' } } };
    expect(only(outputs, 'adminRes')).toMatchObject(isAlive ? [] : [busy]);
  });
});

describe('a voter that has answered just before CheckQuorum looks', () => {
  const { electionTimeoutMsMin: betweenLooksMs, heartbeatIntervalMs, tickIntervalMs } = defaultConfig;
  const windowMs = 2 * heartbeatIntervalMs; // Time for a heartbeat to be sent and answered.

  /** The leader so long after its look, through which n3 alone answers. */
  function afterLook(looked: State, ms: number): State {
    let state = looked;
    for (let passed = 0; passed < ms; passed += tickIntervalMs)
      state = run(wait(state, tickIntervalMs).state, from(n3, ack(1, 1))).state;
    return state;
  }

  /** A leader that has just looked; both others have answered before, n2 on the last tick. */
  function hasLooked(): State {
    const before = afterLook(establishedLeader(), betweenLooksMs - tickIntervalMs);
    return afterLook(run(before, from(n2, ack(1, 1))).state, tickIntervalMs);
  }

  /** Whether n2 is counted on: with n1 alone, there is no majority without n3. */
  function isCountedOn(state: State): boolean {
    const { outputs } = run(state, change(1, { type: 'remove', id: 'n3' }));
    return only(outputs, 'adminRes').length === 0;
  }

  it('is counted on until a heartbeat can have been answered since, and no longer', () => {
    expect(hasLooked().role).toMatchObject({ type: 'leader', quorumElapsedMs: 0 });
    expect(isCountedOn(afterLook(hasLooked(), 0))).toBe(true);
    expect(isCountedOn(afterLook(hasLooked(), windowMs))).toBe(true);
    expect(isCountedOn(afterLook(hasLooked(), windowMs + tickIntervalMs))).toBe(false);
  });

  it('is not counted on at the next look, nor after it, if it was silent in between', () => {
    const silent = afterLook(hasLooked(), betweenLooksMs);

    expect(silent.role).toMatchObject({ type: 'leader', quorumElapsedMs: 0 });
    expect(isCountedOn(silent)).toBe(false);
    expect(isCountedOn(afterLook(silent, windowMs))).toBe(false);
  });

  it('is counted on through the whole time between two looks if it answers right after the first, and a while longer', () => {
    const answered = run(hasLooked(), from(n2, ack(1, 1))).state;

    expect(isCountedOn(afterLook(answered, betweenLooksMs - tickIntervalMs))).toBe(true);
    expect(isCountedOn(afterLook(answered, betweenLooksMs + windowMs))).toBe(true);
    expect(isCountedOn(afterLook(answered, betweenLooksMs + windowMs + tickIntervalMs))).toBe(false);
  });
});

describe('a change of members that takes a silent voter away', () => {
  it('is carried out', () => {
    const cluster = withSilent('n2');

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n2' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });

  it('is carried out just when CheckQuorum has looked, and nobody can have answered since', () => {
    const cluster = withSilent('n2');
    const elapsed = () => {
      const { role } = cluster.state('n1');
      return role.type === 'leader' ? role.quorumElapsedMs : Number.NaN;
    };
    while (elapsed() !== 0) {
      cluster.tick('n1');
      if (elapsed() !== 0) cluster.settle();
    }

    const asked = cluster.changeMembers('n1', [{ type: 'remove', id: 'n2' }]);
    cluster.settle();

    expect(cluster.answer(asked)).toEqual({ type: 'ok' });
  });
});
