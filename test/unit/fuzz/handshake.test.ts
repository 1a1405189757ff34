import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { decodePeerMessage, encodeFrames, encodePeerMessage } from '../../../src/transport/message-codec.ts';
import type { Hello, PeerFrame, TransportEvent } from '../../../src/transport/transport.ts';
import { type WsTransport, wsTransport } from '../../../src/transport/ws-transport.ts';
import { samples } from '../transport/frames.ts';
import { fuzz, timeoutMs } from './budget.ts';
import { mutated } from './mutations.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const frame: PeerFrame = { type: 'foundAck', clusterId: 'c' };

function helloOf(id: string): Hello {
  const storeId = `store-${id}`;
  return { protocolVersion: 1, clusterId: 'c', id, storeId, bootCounter: 1, members: [] };
}

/** A transport, and what it has told. */
async function opened(): Promise<{ transport: WsTransport; events: TransportEvent[] }> {
  const listen = { host: '127.0.0.1', port: 0 };
  const limits = { backoffMsMin: 1, backoffMsMax: 5, frameBytesMax: 100_000, pingMs: 60_000, seed: 1 };
  const transport = wsTransport({ listen, ...limits });
  const events: TransportEvent[] = [];
  transport.event$.subscribe((event) => events.push(event));
  await transport.open({ hello: () => helloOf('a'), admit: () => null });
  cleanups.push(() => transport.close());
  return { transport, events };
}

/** What one end says, in the order it says it. `null` is a message of text. */
type Script = readonly (Uint8Array | null)[];

/** The message, with a sender of this name if it says who sends it. */
type Said = (id: string) => Uint8Array | null;

const hello: Said = (id) => encodePeerMessage({ type: 'hello', hello: helloOf(id) });
const ready: Said = () => encodePeerMessage({ type: 'ready' });
const frames: Said = () => encodeFrames([frame, frame]);
const refusal: Said = () => encodePeerMessage(samples['refusal'] as Parameters<typeof encodePeerMessage>[0]);
const text: Said = () => null;
const tooLong: Said = () => new Uint8Array(70_000).fill(0xee);
const farTooLong: Said = () => new Uint8Array(120_000).fill(0xee);

/** A mutated message of any kind. One that still is a hello keeps the sender's name, which tells whose it is. */
const damaged: fc.Arbitrary<Said> = mutated(Object.values(samples).map(encodePeerMessage)).map(
  (bytes) => (id) => {
    const decoded = decodePeerMessage(bytes);
    return decoded.type === 'hello'
      ? encodePeerMessage({ ...decoded, hello: { ...decoded.hello, id } })
      : bytes;
  },
);

const said = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(hello, ready, frames, refusal, text, tooLong, farTooLong) },
  { weight: 1, arbitrary: damaged },
);
const likely: readonly (readonly Said[])[] = [[], [hello], [hello, ready], [hello, ready, frames]];
const conversation = fc
  .tuple(fc.constantFrom(...likely), fc.array(said, { maxLength: 4 }))
  .map(([first, then]) => [...first, ...then]);

/** Who is found where b should be. */
const answering = fc.constantFrom('b', 'b', 'c', 'a');

/** What a message is to whoever receives it. */
function kindOf(message: Uint8Array | null): string {
  return message === null || message.byteLength > 65_536 ? 'error' : decodePeerMessage(message).type;
}

/** What the end that was dialed must make of a script. */
function acceptorsView(script: Script): { ups: number; frames: number; isClosed: boolean } {
  let phase: 'hello' | 'ready' | 'admitted' = 'hello';
  const view = { ups: 0, frames: 0, isClosed: false };
  for (const message of script) {
    const kind = kindOf(message);
    if (phase === 'hello' && kind === 'hello') phase = 'ready';
    else if (phase === 'ready' && kind === 'ready') {
      phase = 'admitted';
      view.ups += 1;
    } else if (phase === 'admitted' && kind === 'frames') view.frames += framesIn(message as Uint8Array);
    else return { ...view, isClosed: true };
  }
  return view;
}

function framesIn(message: Uint8Array): number {
  const decoded = decodePeerMessage(message);
  return decoded.type === 'frames' ? decoded.frames.length : 0;
}

/** What the end that dialed b must make of a script of whoever answers. */
function dialersView(script: Script, id: string): { ups: number; isClosed: boolean } {
  const [first] = script;
  if (first === undefined) return { ups: 0, isClosed: false };
  const isAdmitted = kindOf(first) === 'hello' && id === 'b';
  return { ups: isAdmitted ? 1 : 0, isClosed: !isAdmitted || script.length > 1 };
}

function say(socket: WebSocket, script: Script): void {
  for (const message of script) socket.send(message === null ? 'text' : message, () => undefined);
}

/** Resolves when the other end has closed, or has read everything that was said. */
async function settled(socket: WebSocket): Promise<'closed' | 'open'> {
  if (socket.readyState !== socket.OPEN) return 'closed';
  const closed = once(socket, 'close').then(() => 'closed' as const);
  const ponged = once(socket, 'pong').then(() => 'open' as const);
  socket.ping('', undefined, () => undefined);
  return Promise.race([closed, ponged]);
}

async function dial(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  socket.on('error', () => undefined);
  await once(socket, 'open');
  return socket;
}

function until(isSo: () => unknown): Promise<unknown> {
  return vi.waitFor(() => expect(isSo()).toBeTruthy(), { timeout: 20_000, interval: 2 });
}

describe('whatever a peer says in a handshake', { timeout: timeoutMs }, () => {
  it('when it dials, it is let in by hello and ready only, is cut off for all else, and harms nobody', async () => {
    const { transport, events } = await opened();
    const friend = await dial(transport.url as string);
    say(friend, [hello('friend'), ready('friend')]);
    await until(() => events.length === 1);
    let runs = 0;

    await fuzz(conversation, 150, async (sayings) => {
      const id = `x${runs++}`;
      const script = sayings.map((message) => message(id));
      const begun = events.length;
      const stranger = await dial(transport.url as string);
      const closes = once(stranger, 'close');

      say(stranger, script);
      const expected = acceptorsView(script);
      if (expected.isClosed) await closes;
      else expect(await settled(stranger)).toBe('open');

      const told = events.slice(begun);
      expect(told.filter(({ type }) => type === 'up')).toHaveLength(expected.ups);
      expect(told.filter(({ type }) => type === 'frame')).toHaveLength(expected.frames);
      stranger.terminate();
      say(friend, [encodeFrames([frame])]);
      await until(() =>
        events.slice(begun).some((event) => event.type === 'frame' && event.from.id === 'friend'),
      );
    });
    friend.terminate();
  });

  it('when it was dialed, it is let in by a hello of its own name only, and found again once it behaves', async () => {
    const { transport, events } = await opened();
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    const sockets: WebSocket[] = [];
    server.on('connection', (socket) => {
      socket.on('error', () => undefined);
      sockets.push(socket);
    });
    transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }]);

    await fuzz(fc.tuple(conversation, answering), 150, async ([sayings, id]) => {
      const script = sayings.map((message) => message(id));
      await until(() => sockets.length > 0);
      const socket = sockets.pop() as WebSocket;
      const begun = events.length;
      const closes = once(socket, 'close');

      say(socket, script);
      const expected = dialersView(script, id);
      if (expected.isClosed) await closes;
      else expect(await settled(socket)).toBe('open');

      expect(events.slice(begun).filter(({ type }) => type === 'up')).toHaveLength(expected.ups);
      expect(events.filter(({ type }) => type === 'frame')).toEqual([]);
      socket.terminate();
    });
    const begun = events.length;
    await until(() => sockets.length > 0);
    say(sockets.pop() as WebSocket, [hello('b')]);
    await until(() => events.slice(begun).some(({ type }) => type === 'up'));
  });
});
