import type { Peer } from '../core/index.ts';
import type { PeerFrame } from '../transport/transport.ts';
import { same } from './same.ts';
import { ackOf, everyFrame, kindOf, pieceOf, piecesMax } from './transport-frames.ts';
import { bothOpen, type ConformanceCase, conform, moment, pick, until } from './transport-kit.ts';

/** What becomes of frames on one connection: each arrives as it was sent, once, and in its turn. */
export const transportFrameCases: readonly ConformanceCase[] = [
  conform('delivers frames in the order sent, with who sent them', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    const taken = [1, 2, 3].map((count) => a.transport.send(b.peer, ackOf(`c${count}`)));
    await until('three frames', () => b.frames().length >= 3);
    await moment();

    same('taken', taken, [true, true, true]);
    same('frames', b.heard(), [ackOf('c1'), ackOf('c2'), ackOf('c3')]);
    same('sender', pick(b.frames()[0], ['from', 'bootCounter']), {
      from: a.peer,
      bootCounter: a.hello.bootCounter,
    });
  }),
  conform('carries every type of frame there and back as it is, each once', async (stage) => {
    const [a, b] = await stage.pair();
    await until('both ways', () => a.isOutgoingOpen() && b.isOutgoingOpen());
    b.transport.event$.subscribe((event) => {
      if (event.type === 'frame') b.transport.send(event.from, event.frame);
    });

    const sent = everyFrame();
    for (const [at, frame] of sent.entries()) {
      const kind = kindOf(frame);
      same(`${kind} taken`, a.transport.send(b.peer, frame), true);
      await until(`${kind} there`, () => b.frames().length > at);
      await until(`${kind} back`, () => a.frames().length > at);
      same(`${kind} there`, b.heard()[at], frame);
      same(`${kind} back`, a.heard()[at], frame);
    }
    await moment();

    same('how many', [b.frames().length, a.frames().length], [sent.length, sent.length]);
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
  conform('takes pieces of a snapshot while there is room, and delivers every one it took', async (stage) => {
    const [a, b] = await stage.pair();
    await until('up', () => a.isOutgoingOpen());

    let taken = 0;
    while (taken < piecesMax && a.transport.send(b.peer, pieceOf(taken))) taken++;
    same('is bounded', taken >= 1 && taken < piecesMax, true);
    same('small frames still', a.transport.send(b.peer, ackOf('c')), true);
    await until('pieces', () => b.frames().length >= taken + 1);
    await until('room again', () => a.transport.send(b.peer, pieceOf(taken)));
    await until('the next', () => b.frames().length >= taken + 2);
    await moment();

    const pieces = b.heard().filter(({ type }) => type === 'snapshotChunk');
    same(
      'pieces',
      pieces,
      Array.from({ length: taken + 1 }, (_, number) => pieceOf(number)),
    );
    same('how many frames', b.frames().length, taken + 2);
    same('dropped', a.link()?.droppedFrames, 0);
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
  conform('emits no event from inside send, whatever becomes of the frame', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);
    const inside: string[] = [];
    let isSending = false;
    const send = (to: Peer, frame: PeerFrame): boolean => {
      isSending = true;
      const isTaken = a.transport.send(to, frame);
      isSending = false;
      return isTaken;
    };
    a.transport.event$.subscribe(({ type }) => {
      if (isSending) inside.push(type);
    });
    b.transport.event$.subscribe(({ type }) => {
      if (type === 'frame') b.transport.send(a.peer, ackOf('answer')); // At once, if this is inside `send`.
    });

    for (let count = 0; count < 50; count++) {
      send(b.peer, ackOf('question')); // While answers to others arrive.
      await tick();
    }
    send({ id: 'z', storeId: 'store-z' }, ackOf('to-a-stranger'));
    send({ id: b.hello.id, storeId: 'another' }, ackOf('to-another-store'));
    let pieces = 0;
    while (pieces < piecesMax && send(b.peer, pieceOf(pieces))) pieces++;
    await b.transport.close();
    await until('down', () => {
      send(b.peer, ackOf('to-one-who-leaves'));
      return a.count('down') > 0;
    });
    send(b.peer, ackOf('to-nobody'));
    await a.transport.close();
    send(b.peer, ackOf('after-the-end'));

    same('events from inside send', inside, []);
  }),
];

function tick(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
