import type { Hello } from '../transport/transport.ts';
import { ackOf, type ConformanceCase, codeOf, conform, pick, pieceOf, same, until } from './transport-kit.ts';

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
  conform('delivers frames in the order sent, with who sent them', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    const taken = [1, 2, 3].map((count) => a.transport.send(b.peer, ackOf(`c${count}`)));
    await until('three frames', () => b.frames().length === 3);

    same('taken', taken, [true, true, true]);
    same(
      'frames',
      b.frames().map(({ frame }) => frame),
      [ackOf('c1'), ackOf('c2'), ackOf('c3')],
    );
    same('sender', pick(b.frames()[0], ['from', 'bootCounter']), {
      from: a.peer,
      bootCounter: a.hello.bootCounter,
    });
  }),
  conform('takes no frame for a peer that is not connected, and counts it', async (stage) => {
    const a = await stage.node('a');
    a.transport.setPeers([{ id: 'b', url: 'ws://127.0.0.1:1' }]);

    const isTaken = a.transport.send({ id: 'b', storeId: 'store-b' }, ackOf('c'));

    same('taken', isTaken, false);
    same('dropped', a.link()?.droppedFrames, 1);
    same('to a stranger', a.transport.send({ id: 'z', storeId: 'store-z' }, ackOf('c')), false);
  }),
  conform('takes no frame for another store than the one that answered', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    same('taken', a.transport.send({ id: b.hello.id, storeId: 'another' }, ackOf('c')), false);
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
    await new Promise((resolve) => setTimeout(resolve, 100));

    same('events', [founded.count('up'), founded.count('refused'), joiner.count('up')], [0, 0, 0]);
  }),
  conform('takes pieces of a snapshot while there is room, and delivers every one it took', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    let taken = 0;
    while (a.transport.send(b.peer, pieceOf(taken))) taken++;
    same('small frames still', a.transport.send(b.peer, ackOf('c')), true);
    await until('pieces', () => b.frames().length === taken + 1);
    await until('room again', () => a.transport.send(b.peer, pieceOf(taken)));
    await until('the next', () => b.frames().length === taken + 2);

    const numbers = b.frames().flatMap(({ frame }) => (frame.type === 'snapshotChunk' ? [frame.number] : []));
    same(
      'numbers',
      numbers,
      Array.from({ length: taken + 1 }, (_, number) => number),
    );
    same('is bounded', taken >= 1 && taken < 100, true);
    same('dropped', a.link()?.droppedFrames, 0);
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
  conform('asks for the hello anew for each connection', async (stage) => {
    let bootCounter = 1;
    const a = await stage.node('a', { hello: () => ({ bootCounter: bootCounter++ }) });
    const b = await stage.node('b');

    a.dial(b);
    await until('first', () => b.ups().length === 1);
    a.transport.setPeers([]);
    await until('down', () => b.count('down') === 1);
    a.dial(b);
    await until('second', () => b.ups().length === 2);

    const [first, second] = b.ups().map((up) => up.hello.bootCounter);
    same('later', (second as number) > (first as number), true);
  }),
  conform('says outgoingDown and down once nothing is open any more', async (stage) => {
    const [a, b] = await stage.pair();
    await until('both ways', () => a.ups().length === 2);

    await b.transport.close();
    await until('down', () => a.count('down') === 1);

    same('outgoingDown', a.count('outgoingDown') >= 1, true);
    same('link', pick(a.link(), ['isOutgoingOpen', 'isIncomingOpen']), {
      isOutgoingOpen: false,
      isIncomingOpen: false,
    });
  }),
  conform('says no down while the other direction is open', async (stage) => {
    const [a, b] = await stage.pair();
    await until('both ways', () => a.ups().length === 2 && b.ups().length === 2);

    a.transport.setPeers([]);
    await until('outgoingDown', () => a.count('outgoingDown') === 1);
    await until('incoming gone on b', () => b.link()?.isIncomingOpen === false);
    b.transport.send(a.peer, ackOf('still here'));
    await until('frame', () => a.frames().length === 1);

    same('downs', [a.count('down'), b.count('down')], [0, 0]);
  }),
  conform('connects again after the connection was cut', async (stage) => {
    const [a, b] = await stage.pair();
    await until('both ways', () => a.ups().length === 2);

    b.transport.hangUp('a', 'test');
    await until('down', () => a.count('down') >= 1);
    await until('again', () => a.isOutgoingOpen() && b.link()?.isOutgoingOpen === true);

    b.transport.send(a.peer, ackOf('again'));
    await until('frame', () => a.frames().length === 1);
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
  conform('hangs up on a handshake that is under way too', async (stage) => {
    const a = await stage.node('a');
    const b = await stage.node('b', {
      onAdmit: () => queueMicrotask(() => b.transport.hangUp('a', 'changed its mind')),
    });

    a.dial(b);
    await until('up on the dialer', () => a.ups().length === 1);
    await until('hang-up', () => a.count('outgoingDown') >= 1);

    same('ups', b.ups(), []);
  }),
  conform('delivers nothing after a hang-up, from inside the event too', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());
    b.transport.event$.subscribe((event) => {
      if (event.type === 'frame') b.transport.hangUp('a', 'one is enough');
    });

    for (let count = 0; count < 10; count++) a.transport.send(b.peer, ackOf('c'));
    await until('hang-up', () => a.count('outgoingDown') >= 1);

    same('frames', b.frames().length, 1);
  }),
  conform('sends from inside an event', async (stage) => {
    const [a, b] = await stage.pair();
    await until('both ways', () => a.isOutgoingOpen() && b.isOutgoingOpen());
    b.transport.event$.subscribe((event) => {
      if (event.type === 'frame') b.transport.send(event.from, ackOf('answer'));
    });

    a.transport.send(b.peer, ackOf('question'));
    await until('answer', () => a.frames().length === 1);
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
  conform('completes its events when it closes, twice if need be', async (stage) => {
    const [a] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    await a.transport.close();
    await a.transport.close();

    same('complete', a.isComplete(), true);
    same('send', a.transport.send({ id: 'b', storeId: 'store-b' }, ackOf('c')), false);
  }),
];
