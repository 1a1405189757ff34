import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beginFounding,
  type FoundedCluster,
  type FoundingAction,
  type FoundingEvent,
  type FoundingState,
  foundingStep,
  isHandingOn,
} from '../../../src/transport/founding.ts';
import type { FoundFrame, Hello, MemberAddress } from '../../../src/transport/transport.ts';

const members: readonly MemberAddress[] = ['n1', 'n2', 'n3'].map((id) => ({ id, url: `ws://${id}:7101` }));
const peer = (id: string) => ({ id, storeId: `store-${id}` });
const voters = members.map(({ id, url }) => ({ id, storeId: `store-${id}`, url }));
const cluster: FoundedCluster = { clusterId: 'c1', voters };
const found: FoundFrame = { type: 'found', ...cluster };
const ack = { type: 'foundAck', clusterId: 'c1' } as const;

function hello(id: string, changes: Partial<Hello> = {}): Hello {
  return { protocolVersion: 1, clusterId: null, ...peer(id), bootCounter: 1, members, ...changes };
}

function node(id: string, changes: Partial<Parameters<typeof beginFounding>[0]> = {}): FoundingState {
  return beginFounding({ self: peer(id), declared: members, founding: null, ...changes });
}

function seen(id: string, changes: Partial<Hello> = {}): FoundingEvent {
  return { type: 'helloSeen', hello: hello(id, changes), newClusterId: 'c1' };
}

function run(
  state: FoundingState,
  ...events: FoundingEvent[]
): { state: FoundingState; actions: FoundingAction[] } {
  const actions: FoundingAction[] = [];
  let current = state;
  for (const event of events) {
    const next = foundingStep(current, event);
    current = next.state;
    actions.push(...next.actions);
  }
  return { state: current, actions };
}

const started: FoundingEvent = { type: 'started', newClusterId: 'c1' };

describe('the lowest name among the declared members', () => {
  it('founds once it has heard every other with an empty store', () => {
    const { actions } = run(node('n1'), started, seen('n3'), seen('n2'));

    expect(actions).toEqual([{ type: 'persistFounding', founding: cluster }]);
  });

  it('founds whatever the order of the lists', () => {
    const reversed = node('n1', { declared: members.toReversed() });

    const { actions } = run(reversed, seen('n2'), seen('n3'));

    expect(actions).toEqual([{ type: 'persistFounding', founding: cluster }]);
  });

  it('waits while one has not been heard', () => {
    expect(run(node('n1'), started, seen('n2')).actions).toEqual([]);
  });

  it('waits when one that was heard has gone', () => {
    expect(run(node('n1'), seen('n2'), { type: 'peerGone', id: 'n2' }, seen('n3')).actions).toEqual([]);
  });

  it('waits to be handed the founding when one has a cluster already', () => {
    expect(run(node('n1'), seen('n2', { clusterId: 'c0' }), seen('n3')).actions).toEqual([]);
  });

  it('waits when one declares another list', () => {
    const others = [...members.slice(0, 2), { id: 'n3', url: 'ws://elsewhere:1' }];

    expect(run(node('n1'), seen('n2', { members: others }), seen('n3')).actions).toEqual([]);
  });

  it('takes the store that a peer came back with last', () => {
    const { state } = run(
      node('n1'),
      seen('n2', { storeId: 'old' }),
      seen('n2', { storeId: 'new' }),
      seen('n3'),
    );

    expect(state.founding?.voters[1]).toMatchObject({ id: 'n2', storeId: 'new' });
  });

  it('tells nobody before the founding is durable, and then everyone', () => {
    const before = run(node('n1'), seen('n2'), seen('n3'), seen('n2'), { type: 'resendDue' });
    const after = run(before.state, { type: 'foundDurable' });

    expect(before.actions.filter(({ type }) => type === 'send')).toEqual([]);
    expect(after.actions).toEqual([
      { type: 'send', to: peer('n2'), frame: found },
      { type: 'send', to: peer('n3'), frame: found },
    ]);
  });
});

describe('a node that is not the lowest', () => {
  it('never founds', () => {
    expect(run(node('n2'), started, seen('n1'), seen('n3')).actions).toEqual([]);
  });

  it('makes a founding that lists it durable, and acknowledges then', () => {
    const received = run(node('n2'), seen('n1'), { type: 'foundReceived', from: peer('n1'), found });
    const durable = run(received.state, { type: 'foundDurable' });

    expect(received.actions).toEqual([{ type: 'persistFounding', founding: cluster }]);
    expect(durable.actions).toEqual([{ type: 'send', to: peer('n1'), frame: ack }]);
  });

  it('acknowledges everyone who handed it on before it was durable', () => {
    const from = (id: string): FoundingEvent => ({ type: 'foundReceived', from: peer(id), found });

    const { actions } = run(node('n3'), seen('n1'), seen('n2', { clusterId: 'c1' }), from('n1'), from('n2'), {
      type: 'foundDurable',
    });

    expect(actions.slice(1)).toEqual([
      { type: 'send', to: peer('n1'), frame: ack },
      { type: 'send', to: peer('n2'), frame: ack },
    ]);
  });

  it('hands the founding on to a listed store that still has none', () => {
    const { actions } = run(
      node('n2'),
      seen('n1'),
      seen('n3'),
      { type: 'foundReceived', from: peer('n1'), found },
      { type: 'foundDurable' },
    );

    expect(actions).toContainEqual({ type: 'send', to: peer('n3'), frame: found });
  });
});

describe('a cluster of one declared member', () => {
  it('is founded at once', () => {
    const alone = node('n1', { declared: members.slice(0, 1) });

    const { actions } = run(alone, started);

    expect(actions).toEqual([
      { type: 'persistFounding', founding: { clusterId: 'c1', voters: voters.slice(0, 1) } },
    ]);
  });

  it('is not founded by a node that the list does not name', () => {
    expect(run(node('n9', { declared: members.slice(0, 1) }), started).actions).toEqual([]);
  });
});

describe('a founder that crashed after its founding was durable and before anyone had it', () => {
  it('hands the same founding on after its restart', () => {
    const restarted = node('n1', { founding: cluster });

    const { actions } = run(restarted, started, seen('n2'), seen('n3'));

    expect(actions).toEqual([
      { type: 'send', to: peer('n2'), frame: found },
      { type: 'send', to: peer('n3'), frame: found },
    ]);
  });
});

describe('a founder that crashed before its founding was durable', () => {
  it('founds anew, since nobody had heard of it', () => {
    const { actions } = run(node('n1'), started, seen('n2'), {
      type: 'helloSeen',
      hello: hello('n3'),
      newClusterId: 'c2',
    });

    expect(actions).toEqual([{ type: 'persistFounding', founding: { clusterId: 'c2', voters } }]);
  });
});

describe('a member that crashed after the founding was durable and before its acknowledgement', () => {
  it('counts as served when its new hello names the cluster', () => {
    const { state, actions } = run(
      node('n1', { founding: cluster }),
      seen('n2'),
      { type: 'peerGone', id: 'n2' },
      seen('n2', { clusterId: 'c1', bootCounter: 2 }),
      { type: 'resendDue' },
    );

    expect(actions).toHaveLength(1);
    expect(isHandingOn(state)).toBe(false);
  });

  it('acknowledges at once when it is handed the same founding again', () => {
    const { actions } = run(node('n2', { founding: cluster }), {
      type: 'foundReceived',
      from: peer('n1'),
      found,
    });

    expect(actions).toEqual([{ type: 'send', to: peer('n1'), frame: ack }]);
  });
});

describe('a member whose store was wiped between its hello and the founding', () => {
  it('does not take the founding that lists the store it was', () => {
    const wiped = node('n2', { self: { id: 'n2', storeId: 'fresh' } });

    const { state, actions } = run(wiped, { type: 'foundReceived', from: peer('n1'), found });

    expect(state.founding).toBeNull();
    expect(actions).toEqual([
      {
        type: 'hangUp',
        id: 'n1',
        refusal: {
          code: 'wipedStore',
          reason: expect.stringMatching(/store-n2.*fresh.*rxraft remove n2.*--join/),
        },
      },
    ]);
  });

  it('is not handed a founding either', () => {
    const { actions } = run(node('n1', { founding: cluster }), seen('n2', { storeId: 'fresh' }));

    expect(actions).toEqual([]);
  });
});

describe('a founded node', () => {
  it('hands on at every new hello and every resend, until acknowledged', () => {
    const handing = run(node('n1', { founding: cluster }), seen('n2'), seen('n2'), { type: 'resendDue' });
    const served = run(handing.state, { type: 'ackReceived', from: peer('n2'), clusterId: 'c1' }, seen('n2'));

    expect(handing.actions).toHaveLength(3);
    expect(isHandingOn(handing.state)).toBe(true);
    expect(served.actions).toEqual([]);
    expect(isHandingOn(served.state)).toBe(false);
  });

  it('takes no acknowledgement for another cluster or from another store', () => {
    const { state } = run(
      node('n1', { founding: cluster }),
      seen('n2'),
      { type: 'ackReceived', from: peer('n2'), clusterId: 'c9' },
      { type: 'ackReceived', from: { id: 'n2', storeId: 'fresh' }, clusterId: 'c1' },
    );

    expect(isHandingOn(state)).toBe(true);
  });

  it('refuses a founding of another cluster', () => {
    const other: FoundFrame = { ...found, clusterId: 'c9' };

    const { state, actions } = run(node('n2', { founding: cluster }), {
      type: 'foundReceived',
      from: peer('n1'),
      found: other,
    });

    expect(state.founding).toEqual(cluster);
    expect(actions).toMatchObject([{ type: 'hangUp', id: 'n1', refusal: { code: 'otherCluster' } }]);
  });

  it('refuses a founding of the same name with other voters', () => {
    const other: FoundFrame = { ...found, voters: voters.slice(0, 2) };

    const { actions } = run(node('n2', { founding: cluster }), {
      type: 'foundReceived',
      from: peer('n1'),
      found: other,
    });

    expect(actions).toMatchObject([{ type: 'hangUp', id: 'n1', refusal: { code: 'otherCluster' } }]);
  });

  it('hands the founding on to a store that a later configuration lists', () => {
    const { actions } = run(node('n1', { founding: cluster }), seen('n4'), {
      type: 'membersChanged',
      members: [...voters, peer('n4')],
    });

    expect(actions).toEqual([{ type: 'send', to: peer('n4'), frame: found }]);
  });
});

describe('a node that joins', () => {
  it('takes the founding although it is not among the founders', () => {
    const joining = node('n4', { declared: [] });

    const { actions } = run(joining, started, { type: 'foundReceived', from: peer('n1'), found });

    expect(actions).toEqual([{ type: 'persistFounding', founding: cluster }]);
  });

  it('takes none that names nobody or one node twice', () => {
    for (const list of [[], [voters[0], voters[0]] as typeof voters]) {
      const frame: FoundFrame = { ...found, voters: list };

      const { actions } = run(node('n4', { declared: [] }), {
        type: 'foundReceived',
        from: peer('n1'),
        found: frame,
      });

      expect(actions).toMatchObject([{ type: 'hangUp', refusal: { code: 'otherMembers' } }]);
    }
  });
});

describe('any run of events', () => {
  it('asks for at most one founding, and sends none before it is durable', () => {
    const id = fc.constantFrom('n1', 'n2', 'n3');
    const clusterId = fc.constantFrom(null, 'c1', 'c2');
    const event: fc.Arbitrary<FoundingEvent> = fc.oneof(
      fc.record({
        type: fc.constant('helloSeen' as const),
        hello: fc.tuple(id, clusterId).map(([name, of]) => hello(name, { clusterId: of })),
        newClusterId: fc.constant('c1'),
      }),
      fc.record({
        type: fc.constant('foundReceived' as const),
        from: id.map(peer),
        found: fc.constantFrom(found, { ...found, clusterId: 'c2' }),
      }),
      fc.record({
        type: fc.constant('ackReceived' as const),
        from: id.map(peer),
        clusterId: fc.constantFrom('c1', 'c2'),
      }),
      fc.record({ type: fc.constant('peerGone' as const), id }),
      fc.constantFrom<FoundingEvent>(started, { type: 'foundDurable' }, { type: 'resendDue' }),
    );

    fc.assert(
      fc.property(id, fc.array(event, { maxLength: 40 }), (self, events) => {
        let state = Object.freeze(node(self));
        let persists = 0;
        for (const next of events) {
          const step = foundingStep(state, next);
          state = Object.freeze(step.state);
          persists += step.actions.filter(({ type }) => type === 'persistFounding').length;
          const sends = step.actions.filter(({ type }) => type === 'send');
          if (sends.length > 0) expect(state.isDurable).toBe(true);
        }
        expect(persists).toBeLessThanOrEqual(1);
      }),
    );
  });
});
