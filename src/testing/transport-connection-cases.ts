import type { PeerFrame, TransportEvent } from '../transport/transport.ts';
import { same } from './same.ts';
import { ackOf } from './transport-frames.ts';
import { type Actor, bothOpen, type ConformanceCase, conform, moment, pick, until } from './transport-kit.ts';

/** How connections come and go, and that nothing of one gets into the next. */
export const transportConnectionCases: readonly ConformanceCase[] = [
  conform(
    'asks for the hello anew for each connection, and says its boot counter of each frame',
    async (stage) => {
      let bootCounter = 1;
      const a = await stage.node('a', { hello: () => ({ bootCounter: bootCounter++ }) });
      const b = await stage.node('b');

      a.dial(b);
      await until('first', () => b.ups().length === 1 && a.isOutgoingOpen());
      a.transport.send(b.peer, ackOf('first'));
      await until('first frame', () => b.frames().length === 1);
      a.transport.setPeers([]);
      await until('down', () => b.count('down') === 1);
      a.dial(b);
      await until('second', () => b.ups().length === 2 && a.isOutgoingOpen());
      a.transport.send(b.peer, ackOf('second'));
      await until('second frame', () => hasHeard(b, 'second'));

      const [first, second] = b.ups().map((up) => up.hello.bootCounter);
      same('later', (second as number) > (first as number), true);
      same('frames', b.heard(), [ackOf('first'), ackOf('second')]);
      same(
        'boot counters of the frames',
        b.frames().map((frame) => frame.bootCounter),
        [first, second],
      );
    },
  ),
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
  conform('sends nothing of before again on the connection after one that was cut', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);
    const taken: boolean[] = [];
    a.transport.event$.subscribe(({ type }) => {
      if (type === 'outgoingDown') taken.push(a.transport.send(b.peer, ackOf('while-down')));
    });
    for (const text of ['one', 'two']) a.transport.send(b.peer, ackOf(text));
    await until('frames', () => b.frames().length === 2);

    b.transport.hangUp('a', 'test');
    await until('down', () => taken.length > 0);
    await until('again', () => isHeardAgain(a, b));
    a.transport.send(b.peer, ackOf('three'));
    await until('new frame', () => hasHeard(b, 'three'));
    await moment();

    same(
      'taken while it was closed',
      taken.filter((isTaken) => isTaken),
      [],
    );
    same('frames', b.heard(), [ackOf('one'), ackOf('two'), ackOf('three')]);
  }),
  conform('drops what has not left when the connection closes', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);

    a.transport.send(b.peer, ackOf('just before'));
    a.transport.hangUp('b', 'test');
    await until('down', () => a.count('outgoingDown') >= 1);
    await until('again', () => isHeardAgain(a, b));
    a.transport.send(b.peer, ackOf('new'));
    await until('new frame', () => hasHeard(b, 'new'));
    await moment();

    same('frames of the new connection', heardSince(b, isIncomingUp), [ackOf('new')]);
  }),
  conform('brings nothing of its run before to a node that was started again', async (stage) => {
    const [a, before] = await stage.pair();
    await bothOpen(a, before);
    a.transport.send(before.peer, ackOf('one'));
    before.transport.send(a.peer, ackOf('one'));
    await until('frames', () => a.frames().length === 1 && before.frames().length === 1);

    await before.transport.close();
    await until('down', () => a.count('down') >= 1);
    const isTaken = a.transport.send(before.peer, ackOf('while-down'));
    const later = await stage.node('b');
    a.dial(later);
    later.dial(a);
    await bothOpen(a, later);
    a.transport.send(later.peer, ackOf('two'));
    later.transport.send(a.peer, ackOf('two'));
    await until('new frames', () => hasHeard(a, 'two') && hasHeard(later, 'two'));
    await moment();

    same('taken while nothing is open', isTaken, false);
    same('frames of the later run', later.frames(), [frameFrom(a, 'two')]);
    same('frames of both runs', a.frames(), [frameFrom(before, 'one'), frameFrom(later, 'two')]);
  }),
  conform('delivers nothing of a peer once it has said down', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);
    b.transport.send(a.peer, ackOf('c0'));
    await until('frame', () => a.frames().length === 1);

    const sent = [1, 2, 3, 4, 5].map((count) => ackOf(`c${count}`));
    for (const frame of sent) b.transport.send(a.peer, frame);
    await b.transport.close();
    await until('down', () => a.count('down') >= 1);
    await moment();

    same(
      'frames after it',
      heardSince(a, ({ type }) => type === 'down'),
      [],
    );
    same('frames', a.heard(), [ackOf('c0'), ...sent].slice(0, a.heard().length));
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
    await moment();

    same('frames', b.frames().length, 1);
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

/** Whether `b` has admitted `a` once more, which says more than that `a` was answered. */
function isHeardAgain(a: Actor, b: Actor): boolean {
  return a.isOutgoingOpen() && b.events().filter(isIncomingUp).length >= 2;
}

function isIncomingUp(event: TransportEvent): boolean {
  return event.type === 'up' && event.direction === 'incoming';
}

function hasHeard(actor: Actor, text: string): boolean {
  return actor.heard().some((frame) => frame.type === 'foundAck' && frame.clusterId === text);
}

/** The event that a frame of that node is. */
function frameFrom({ peer, hello }: Actor, text: string): TransportEvent {
  return { type: 'frame', from: peer, bootCounter: hello.bootCounter, frame: ackOf(text) };
}

/** The frames that came after the last such event. */
function heardSince(actor: Actor, isMark: (event: TransportEvent) => boolean): readonly PeerFrame[] {
  const events = actor.events();
  const later = events.slice(events.findLastIndex(isMark) + 1);
  return later.flatMap((event) => (event.type === 'frame' ? [event.frame] : []));
}
