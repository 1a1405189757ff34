import { ackOf } from './transport-frames.ts';
import { type ConformanceCase, conform, pick, same, until } from './transport-kit.ts';

/** How connections come and go, and that nothing of one gets into the next. */
export const transportConnectionCases: readonly ConformanceCase[] = [
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
  conform('completes its events when it closes, twice if need be', async (stage) => {
    const [a] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    await a.transport.close();
    await a.transport.close();

    same('complete', a.isComplete(), true);
    same('send', a.transport.send({ id: 'b', storeId: 'store-b' }, ackOf('c')), false);
  }),
];
