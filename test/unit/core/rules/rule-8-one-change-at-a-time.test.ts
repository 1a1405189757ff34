import { describe, expect, it } from 'vitest';
import { configurationOf, type State } from '../../../../src/core/index.ts';
import { BareCluster } from '../../../../src/testing/bare-cluster.ts';
import {
  ack,
  appendEntries,
  batchOf,
  establishedLeader,
  flush,
  from,
  leader,
  n2,
  n3,
  n4,
  node,
  only,
  run,
  votersOf,
} from '../builders.ts';
import { adding, change, configurationBatch } from '../builders-membership.ts';

const namesOf = (state: State) => configurationOf(state).voters.map(({ id }) => id);

describe('rule 8: a configuration takes effect when appended, and goes when truncated; one change at a time', () => {
  it('a leader uses the new configuration before it is committed', () => {
    const { state } = run(establishedLeader(), change(1, { type: 'remove', id: 'n3' }));

    expect(state.commitIndex).toBe(1);
    expect(configurationOf(state)).toMatchObject({
      voters: [{ id: 'n1' }, { id: 'n2' }],
      votersOutgoing: [{ id: 'n1' }, { id: 'n2' }, { id: 'n3' }],
    });
  });

  it('a follower takes it on when it is appended, and drops it when it is truncated', () => {
    const pair = configurationBatch(1, 1, {
      ...votersOf(n2, n3),
      votersOutgoing: votersOf(n2, n3, n4).voters,
    });
    const appended = run(
      node({ configuration: votersOf(n2, n3, n4) }),
      from(n2, appendEntries({ term: 1, batches: [pair] })),
    ).state;

    const truncated = run(appended, from(n3, appendEntries({ term: 2, batches: [batchOf(1, 2)] }))).state;

    expect(namesOf(appended)).toEqual(['n2', 'n3']);
    expect(namesOf(truncated)).toEqual(['n2', 'n3', 'n4']);
  });

  it('refuses a second change while the first is under way', () => {
    const { state, outputs } = run(
      establishedLeader(),
      change(1, { type: 'remove', id: 'n3' }),
      change(2, { type: 'remove', id: 'n2' }),
    );

    expect(only(outputs, 'adminRes')).toMatchObject([{ id: 2, result: { reason: { type: 'busy' } } }]);
    expect(state.configurations).toHaveLength(2);
  });

  it('refuses a change before the leader has committed an entry of its own term', () => {
    const answered = run(leader(), from(n2, ack(1, 0))).state; // It lives, and does not hold the entry yet.

    const { state, outputs } = run(answered, change(1, { type: 'remove', id: 'n3' }));

    expect(only(outputs, 'adminRes')).toMatchObject([{ id: 1, result: { reason: { type: 'busy' } } }]);
    expect(state.configurations).toHaveLength(1);
  });

  it('refuses a change that counts on another configuration', () => {
    const request = { ...change(1, { type: 'remove', id: 'n3' }), expectedIndex: 7 } as ReturnType<
      typeof change
    >;

    const { outputs } = run(establishedLeader(), request);

    expect(only(outputs, 'adminRes')).toMatchObject([{ result: { reason: { type: 'conflict' } } }]);
  });

  it('answers once the new configuration alone is committed, not the joint one', () => {
    const joint = flush(run(establishedLeader(), change(1, { type: 'remove', id: 'n3' })).state).state;
    const between = run(joint, from(n2, ack(1, 2)));
    const after = run(flush(between.state).state, from(n2, ack(1, 3)));

    expect(only(between.outputs, 'adminRes')).toEqual([]);
    expect(configurationOf(between.state).votersOutgoing).toEqual([]);
    expect(only(after.outputs, 'adminRes')).toEqual([{ type: 'adminRes', id: 1, result: { type: 'ok' } }]);
  });

  it('a snapshot brings the configuration that is committed, not the one under way', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'] });
    cluster.elect('n1');
    cluster.crash('n3');
    cluster.write('n1', ['x']);
    cluster.settle();
    cluster.compact('n1');
    cluster.settle();
    cluster.restart('n3');
    cluster.tick('n1', 100);
    for (let rounds = 0; rounds < 3; rounds++)
      for (const envelope of [...cluster.inFlight]) cluster.deliver(envelope);
    cluster.changeMembers('n1', [{ type: 'remove', id: 'n2' }]);

    const outputs = cluster.ship('n1');

    expect(namesOf(cluster.state('n1'))).toEqual(['n1', 'n3']);
    const [asked] = only(outputs, 'message').map(({ message }) => message);
    expect(asked).toMatchObject({ type: 'installSnapshot', snapshot: { index: 2 } });
    const brought = asked?.type === 'installSnapshot' ? asked.snapshot.configuration : undefined;
    expect(brought?.configuration.voters.map(({ id }) => id)).toEqual(['n1', 'n2', 'n3']);
  });

  it('adds a learner, and makes it a voter by itself once it has caught up', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3'], joiners: ['n4'] });
    cluster.elect('n1');

    const added = cluster.changeMembers('n1', [adding(n4)]);
    cluster.settle();
    const learning = configurationOf(cluster.state('n1')).learners.map(({ id }) => id);
    for (let passed = 0; passed < 2000; passed += 100) {
      cluster.tick('n1', 100);
      cluster.settle();
    }

    expect(cluster.answer(added)).toEqual({ type: 'ok' });
    expect(learning).toEqual(['n4']);
    expect(namesOf(cluster.state('n1'))).toEqual(['n1', 'n2', 'n3', 'n4']);
    expect(namesOf(cluster.state('n4'))).toEqual(['n1', 'n2', 'n3', 'n4']);
  });
});
