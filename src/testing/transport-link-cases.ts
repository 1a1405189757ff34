import type { LinkStatus } from '../transport/transport.ts';
import { same } from './same.ts';
import { ackOf, pieceOf, piecesMax } from './transport-frames.ts';
import { type Actor, bothOpen, type ConformanceCase, conform, moment, pick, until } from './transport-kit.ts';

/** Of one of these pieces, and what a transport may put around it. */
const pieceBytesMax = 2 * pieceOf(0).bytes.byteLength;

/** What `links()` says of round trips and of what waits. */
export const transportLinkCases: readonly ConformanceCase[] = [
  conform('says of a new link that nothing was measured and nothing waits', async (stage) => {
    const a = await stage.node('a');

    a.transport.setPeers([{ id: 'b', url: 'ws://127.0.0.1:1' }]);
    for (const frame of [ackOf('c'), pieceOf(0)]) a.transport.send({ id: 'b', storeId: 'store-b' }, frame);

    same('link', pick(a.link(), ['rttMs', 'bufferedBytes']), { rttMs: null, bufferedBytes: 0 });
  }),
  conform('says milliseconds of a round trip once it has measured one', async (stage) => {
    const startedMs = performance.now();
    const [a, b] = await stage.pair();
    await bothOpen(a, b);

    for (const text of ['one', 'two', 'three']) {
      a.transport.send(b.peer, ackOf(text));
      await moment();
      checkRoundTrip(a.link(), performance.now() - startedMs);
    }
  }),
  conform('counts the bytes that wait, and none once all has left', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);

    let taken = 0;
    while (taken < piecesMax && a.transport.send(b.peer, pieceOf(taken))) {
      taken++;
      checkWaiting(a, taken);
    }
    checkWaiting(a, taken); // The one that had no room does not count.

    await until('nothing waits', () => a.link()?.bufferedBytes === 0);
  }),
  conform('counts no bytes that were dropped with their connection', async (stage) => {
    const [a, b] = await stage.pair();
    await bothOpen(a, b);

    for (let number = 0; number < piecesMax; number++) a.transport.send(b.peer, pieceOf(number));
    await b.transport.close();
    await until('down', () => a.count('outgoingDown') >= 1);
    await until('not open', () => !a.isOutgoingOpen());

    same('bytes that wait', a.link()?.bufferedBytes, 0);
  }),
];

/** A clock of the transport's own may go otherwise than this one: that much is left to it. */
const slackMs = 1000;

function checkRoundTrip(link: LinkStatus | undefined, elapsedMs: number): void {
  const rttMs: unknown = link?.rttMs;
  const isSound = rttMs === null || (typeof rttMs === 'number' && rttMs >= 0 && rttMs <= elapsedMs + slackMs);
  if (isSound) return;
  const since = `${Math.round(elapsedMs)} ms after the first attempt to connect`;
  throw new Error(`rttMs: expected null, or milliseconds from 0, got ${String(rttMs)}, ${since}`);
}

function checkWaiting(actor: Actor, pieces: number): void {
  const bytes: unknown = actor.link()?.bufferedBytes;
  const isSound =
    Number.isSafeInteger(bytes) && (bytes as number) >= 0 && (bytes as number) <= pieces * pieceBytesMax;
  if (isSound) return;
  throw new Error(
    `bufferedBytes: expected a whole number from 0, and no more than ${pieces} pieces have, got ${String(bytes)}`,
  );
}
