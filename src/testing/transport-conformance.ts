import type { Hello } from '../transport/transport.ts';
import { same } from './same.ts';
import { transportConnectionCases } from './transport-connection-cases.ts';
import { transportFrameCases } from './transport-frame-cases.ts';
import { ackOf } from './transport-frames.ts';
import { type ConformanceCase, codeOf, conform, moment, pick, until } from './transport-kit.ts';
import { transportLinkCases } from './transport-link-cases.ts';

export type { ConformanceCase, TransportUnderTest } from './transport-kit.ts';

/**
 * What every transport does, in whatever test framework:
 * `for (const { name, run } of transportConformance) it(name, () => run(subject))`.
 *
 * Cases wait for things to happen, up to twenty seconds, and assert no durations.
 */
export const transportConformance: readonly ConformanceCase[] = [
  conform('says up in both directions once two nodes dial each other', async (stage) => {
    const [a, b] = await stage.pair();

    await until('both ups on a', () => a.ups().length === 2);
    await until('both ups on b', () => b.ups().length === 2);

    same(
      'directions on a',
      a
        .ups()
        .map((up) => up.direction)
        .sort(),
      ['incoming', 'outgoing'],
    );
    same('whom a sees', a.ups()[0]?.hello, b.hello);
    same('link of a', pick(a.link(), ['isOutgoingOpen', 'isIncomingOpen']), {
      isOutgoingOpen: true,
      isIncomingOpen: true,
    });
  }),
  conform('refuses whom the node does not admit, and both learn the reason', async (stage) => {
    const refusal = { code: 'notAMember', reason: 'b is not known here' } as const;
    const a = await stage.node('a', { admit: () => refusal });
    const b = await stage.node('b');

    b.dial(a);
    await until('refusals', () => a.refusals().length > 0 && b.refusals().length > 0);

    same('on a', a.refusals()[0], { type: 'refused', by: 'us', id: 'b', refusal });
    same('on b', b.refusals()[0], { type: 'refused', by: 'peer', id: 'a', refusal });
    same('ups', [...a.ups(), ...b.ups()], []);
  }),
  conform('refuses to talk to a node that the dialer does not admit', async (stage) => {
    const refusal = { code: 'otherCluster', reason: 'a is of another cluster' } as const;
    const a = await stage.node('a');
    const b = await stage.node('b', { admit: () => refusal });

    b.dial(a);
    await until('refusals', () => a.refusals().length > 0 && b.refusals().length > 0);

    same('on a', a.refusals()[0], { type: 'refused', by: 'peer', id: 'b', refusal });
    same('on b', b.refusals()[0], { type: 'refused', by: 'us', id: 'a', refusal });
    same('ups', [...a.ups(), ...b.ups()], []);
  }),
  conform(
    'asks about whom it dialed with the address that it dialed, and about who dials without',
    async (stage) => {
      const asked = new Set<string>();
      const noted =
        (at: string) =>
        ({ id }: Hello, dialedUrl?: string): null => {
          asked.add(`${at} about ${id}: ${dialedUrl}`); // A network that doubles what is sent has it ask twice.
          return null;
        };
      const a = await stage.node('a', { admit: noted('a') });
      const b = await stage.node('b', { admit: noted('b') });

      b.dial(a);
      await until('up', () => a.ups().length === 1 && b.ups().length === 1);

      same('asked', [...asked].sort(), ['a about b: undefined', `b about a: ${a.url}`]);
    },
  ),
  conform(
    'shows the hello of an empty store that it dials, and lets it in once that is wanted',
    async (stage) => {
      const stores: string[] = [];
      const refusal = { code: 'notAMember', reason: 'not invited yet' } as const;
      const admit = ({ clusterId, storeId }: Hello) => {
        stores.push(`${clusterId} ${storeId}`);
        return stores.length < 2 ? refusal : null;
      };
      const founded = await stage.node('founded', { admit });
      const joiner = await stage.node('joiner', { hello: { clusterId: null, members: [] } });

      founded.dial(joiner);
      await until('up on the dialer', () => founded.ups().length === 1);
      await until('up on the joiner', () => joiner.ups().length === 1);
      founded.transport.send(joiner.peer, ackOf('welcome'));
      await until('frame', () => joiner.frames().length === 1);

      same('stores', stores, ['null store-joiner', 'null store-joiner']);
      same(
        'refusals',
        [founded.refusals()[0], joiner.refusals()[0]],
        [
          { type: 'refused', by: 'us', id: 'joiner', refusal },
          { type: 'refused', by: 'peer', id: 'founded', refusal },
        ],
      );
      same('ups', [founded.ups()[0]?.direction, joiner.ups()[0]?.direction], ['outgoing', 'incoming']);
      same('whom the joiner dials', joiner.transport.links(), []);
    },
  ),
  conform('dials nobody that it was not told of', async (stage) => {
    const founded = await stage.node('founded');
    const joiner = await stage.node('joiner', { hello: { clusterId: null, members: [] } });

    joiner.transport.setPeers([]);
    await moment();

    same('events', [founded.count('up'), founded.count('refused'), joiner.count('up')], [0, 0, 0]);
  }),
  conform('refuses a node that answers at the address of another', async (stage) => {
    const a = await stage.node('a');
    const b = await stage.node('b');

    b.transport.setPeers([{ id: 'c', url: a.url }]);
    await until('refusal', () => b.refusals().length > 0);

    same('code', b.refusals()[0]?.refusal.code, 'notTheNodeDialed');
    same('whom', pick(b.refusals()[0], ['by', 'id']), { by: 'us', id: 'c' });
  }),
  conform('refuses another version of the protocol', async (stage) => {
    const a = await stage.node('a');
    const b = await stage.node('b', { hello: { protocolVersion: 2 } });

    b.dial(a);
    await until('refusals', () => a.refusals().length > 0 && b.refusals().length > 0);

    same(
      'codes',
      [a.refusals()[0]?.refusal.code, b.refusals()[0]?.refusal.code],
      ['protocolVersion', 'protocolVersion'],
    );
  }),
  conform('connects to the peers that are there, whoever else is not', async (stage) => {
    const b = await stage.node('b');
    const { url } = b;
    const a = await stage.node('a');
    a.transport.setPeers([
      { id: 'b', url },
      { id: 'c', url: 'ws://127.0.0.1:1' },
    ]);

    await until('up', () => a.isOutgoingOpen());

    same('ups', a.ups().length, 1);
  }),
  conform('refuses a bad URL and leaves the peers as they were', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    const codes = ['http://127.0.0.1:1', 'ws://', 'nonsense', 'ws://a/#b'].map((url) =>
      codeOf(() => a.transport.setPeers([{ id: 'b', url }])),
    );

    same('codes', codes, Array(4).fill('RAFT_BAD_URL'));
    same('still there', a.transport.send(b.peer, ackOf('c')), true);
  }),
  conform('does not dial itself', async (stage) => {
    const a = await stage.node('a');
    const b = await stage.node('b');

    a.transport.setPeers([
      { id: 'a', url: a.url },
      { id: 'b', url: b.url },
    ]);
    await until('up', () => a.ups().length === 1);

    same('refusals', a.refusals(), []);
  }),
  ...transportFrameCases,
  ...transportConnectionCases,
  ...transportLinkCases,
];
