import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { asyncScheduler, type SchedulerAction, type SchedulerLike, type Subscription } from 'rxjs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { encodeBatch, index } from '../../../src/core/index.ts';
import { transportConformance } from '../../../src/testing/transport-conformance.ts';
import type { TransportError } from '../../../src/transport/errors.ts';
import { decodePeerMessage, encodeFrames, encodePeerMessage } from '../../../src/transport/message-codec.ts';
import type { Hello, PeerFrame, Transport, TransportEvent } from '../../../src/transport/transport.ts';
import type { WsTransportOptions } from '../../../src/transport/ws-options.ts';
import { type WsTransport, wsTransport } from '../../../src/transport/ws-transport.ts';
import { append, batch, chunk, results } from './frames.ts';

const kib = 1024;
const listen = { host: '127.0.0.1', port: 0 };
vi.setConfig({ testTimeout: 60_000 });

const impatient = { backoffMsMin: 5, backoffMsMax: 50, seed: 1 };

describe('the WebSocket transport', () => {
  for (const { name, run } of transportConformance) {
    it(
      name,
      () =>
        run({
          make: () => wsTransport({ listen, ...impatient }),
          urlOf: (transport) => (transport as WsTransport).url as string,
        }),
      60_000,
    );
  }
});

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

interface Actor {
  readonly transport: WsTransport;
  readonly url: string;
  readonly events: readonly TransportEvent[];
}

function helloOf(id: string, changes: Partial<Hello> = {}): Hello {
  return {
    protocolVersion: 1,
    clusterId: 'c',
    id,
    storeId: `store-${id}`,
    bootCounter: 1,
    members: [],
    ...changes,
  };
}

const peer = (id: string) => ({ id, storeId: `store-${id}` });
const small: PeerFrame = { type: 'foundAck', clusterId: 'c' };
const bulk = (bytes: number): PeerFrame => append([batch(10, [new Uint8Array(bytes)])]);

async function node(id: string, options: Partial<WsTransportOptions> = {}): Promise<Actor> {
  const transport = wsTransport({ listen, ...impatient, ...options });
  const events: TransportEvent[] = [];
  transport.event$.subscribe((event) => events.push(event));
  await transport.open({ hello: () => helloOf(id), admit: () => null });
  cleanups.push(() => transport.close());
  return { transport, url: transport.url as string, events };
}

function until(isSo: () => unknown): Promise<void> {
  return vi.waitFor(
    () => {
      if (!isSo()) throw new Error('waited in vain');
    },
    { timeout: 20_000, interval: 5 },
  );
}

function seen<Type extends TransportEvent['type']>(actor: Actor, type: Type) {
  return actor.events.filter(
    (event): event is Extract<TransportEvent, { type: Type }> => event.type === type,
  );
}

const isOpen = (transport: Transport): boolean => transport.links()[0]?.isOutgoingOpen === true;

/** A WebSocket that speaks bytes of our choice. */
async function rawDial(url: string): Promise<RawPeer> {
  const socket = new WebSocket(url);
  cleanups.push(() => socket.terminate());
  socket.on('error', () => undefined);
  const received: Uint8Array[] = [];
  socket.on('message', (data) => received.push(new Uint8Array(data as Buffer)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  const opened = new Promise((resolve) => socket.once('open', resolve));
  await Promise.race([opened, closed]);
  return { socket, received, closed };
}

interface RawPeer {
  readonly socket: WebSocket;
  readonly received: readonly Uint8Array[];
  readonly closed: Promise<{ code: number; reason: string }>;
}

/** A raw dialer that went through the handshake as `id`. */
async function rawPeer(actor: Actor, id: string, storeId = helloOf(id).storeId): Promise<RawPeer> {
  const raw = await rawDial(actor.url);
  raw.socket.send(encodePeerMessage({ type: 'hello', hello: { ...helloOf(id), storeId } }));
  await until(() => raw.received.length === 1);
  const ups = seen(actor, 'up').length;
  raw.socket.send(encodePeerMessage({ type: 'ready' }));
  await until(() => seen(actor, 'up').length > ups);
  return raw;
}

/** A TCP proxy that can stop reading, as a peer does that hangs. */
async function proxyTo(port: number): Promise<{ url: string; stall(): void }> {
  const sockets: Socket[] = [];
  let isStalled = false;
  const server: Server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far).pipe(near);
    sockets.push(near, far);
    if (isStalled) for (const socket of [near, far]) socket.pause();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const stall = (): void => {
    isStalled = true;
    for (const socket of sockets) socket.unpipe().pause();
  };
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, stall };
}

describe('opening', () => {
  it('is refused with limits that are no numbers above zero, and times that no timer keeps, each told once', () => {
    const bad = { pingMs: 2 ** 31, backoffMsMax: Number.POSITIVE_INFINITY, frameBytesMax: -1 };
    const worse = { bufferedBytesMax: Number.NaN, closeTimeoutMs: '5' as never };
    const problemsOf = (options: object) => {
      try {
        wsTransport({ listen, ...options });
      } catch (error) {
        return error as TransportError;
      }
      return null;
    };

    const refused = problemsOf({ ...bad, ...worse });

    expect(refused?.code).toBe('RAFT_BAD_OPTIONS');
    expect(refused?.message.split('\n').slice(1).sort()).toEqual([
      '  - backoffMsMax is Infinity, expected a positive integer',
      '  - bufferedBytesMax is NaN, expected a positive integer',
      '  - closeTimeoutMs is "5", expected a positive integer',
      '  - frameBytesMax is -1, expected a positive integer',
      '  - pingMs is 2147483648, expected at most 2147483647 milliseconds (24.8 days)',
    ]);
    expect(problemsOf({ pingMs: undefined })).toBeNull(); // As if it were not given.
  });

  it('tells the port it was given', async () => {
    const a = await node('a');

    expect(a.transport.port).toBeGreaterThan(0);
    expect(a.url).toBe(`ws://127.0.0.1:${a.transport.port}`);
  });

  it('says what to do when the port is taken', async () => {
    const a = await node('a');
    const second = wsTransport({ listen: { port: a.transport.port as number } });

    const opened = second.open({ hello: () => helloOf('b'), admit: () => null });

    await expect(opened).rejects.toMatchObject({
      code: 'RAFT_PORT_IN_USE',
      message: expect.stringMatching(new RegExp(`${a.transport.port}.*another port`)),
    });
    await second.close();
  });

  it('refuses an address that others can reach', async () => {
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'node.example']) {
      const transport = wsTransport({ listen: { host, port: 0 } });

      const opened = transport.open({ hello: () => helloOf('a'), admit: () => null });

      await expect(opened).rejects.toMatchObject({
        code: 'RAFT_INSECURE_ADDRESS',
        message: expect.stringContaining('--insecure'),
      });
    }
  });

  it('takes such an address when told that it is meant', async () => {
    const a = await node('a', { listen: { host: '0.0.0.0', port: 0 }, isInsecure: true });

    expect(a.transport.port).toBeGreaterThan(0);
  });

  it('refuses to introduce itself in a way that no peer can read', async () => {
    const transport = wsTransport({ listen });

    const opened = transport.open({ hello: () => helloOf('not a name'), admit: () => null });

    await expect(opened).rejects.toMatchObject({ code: 'RAFT_BAD_HELLO' });
  });

  it('happens once', async () => {
    const a = await node('a');

    const again = a.transport.open({ hello: () => helloOf('a'), admit: () => null });

    await expect(again).rejects.toMatchObject({ code: 'RAFT_TRANSPORT_USED' });
  });
});

describe('frames', () => {
  it('of one turn leave in one message', async () => {
    const { a, messages } = await connectedToRaw();

    for (let count = 0; count < 5; count++) a.transport.send(peer('b'), small);
    await Promise.resolve();
    a.transport.send(peer('b'), small);
    await until(() => messages.length > 2);

    expect(messages.map(({ type }) => type)).toEqual(['hello', 'ready', 'frames']);
    expect(messages[2]).toMatchObject({ frames: Array(6).fill(small) });
  });

  it('with news alone leave with the entries of the next turn, which say it again', async () => {
    const { a, messages } = await connectedToRaw();
    const entries = append([batch(10, [new Uint8Array(5)])]);

    a.transport.send(peer('b'), append([], { isReplyDue: false }));
    setImmediate(() => a.transport.send(peer('b'), entries));
    await until(() => messages.length > 2);

    expect(messages.slice(2)).toMatchObject([{ frames: [entries] }]);
  });

  it('that are to be answered at once leave with the entries of the next turn, which are answered later', async () => {
    const { a, messages } = await connectedToRaw();
    const entries = append([batch(10, [new Uint8Array(5)])]);
    const [first, heartbeat] = [append([]), append([], { leaderCommit: index(9) })];

    a.transport.send(peer('b'), first);
    a.transport.send(peer('b'), heartbeat); // Says it again, and is answered as soon.
    setImmediate(() => a.transport.send(peer('b'), entries));
    await until(() => messages.length > 2);

    expect(messages.slice(2)).toMatchObject([{ frames: [heartbeat, entries] }]);
  });

  it('with entries leave at once, before the end of the turn', async () => {
    const { a, messages } = await connectedToRaw();
    const entries = append([batch(10, [new Uint8Array(5)])]);

    a.transport.send(peer('b'), small);
    a.transport.send(peer('b'), entries);
    await Promise.resolve(); // The turn goes on.
    a.transport.send(peer('b'), small);
    await until(() => messages.length > 3);

    expect(messages.slice(2)).toMatchObject([{ frames: [small, entries] }, { frames: [small] }]);
  });

  it('with a commit index alone wait a moment for entries, and those with a new round do not', async () => {
    const moments: (() => void)[] = [];
    const timers: Subscription[] = [];
    const schedule = <T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T) => {
      const isMoment = delayMs === 1;
      const timer = asyncScheduler.schedule(work, isMoment ? 1_000_000 : delayMs, state);
      if (isMoment) moments.push(() => (work as () => void)());
      timers.push(timer);
      return timer;
    };
    const scheduler = { now: () => asyncScheduler.now(), schedule };
    const { a, messages } = await connectedToRaw({ scheduler });
    const news = (commit: number, round = 1) =>
      append([], { leaderCommit: index(commit), round, isReplyDue: false });
    const entries = append([batch(10, [new Uint8Array(5)])], { leaderCommit: index(9), round: 1 });

    a.transport.send(peer('b'), news(8)); // A round that the peer has not heard of.
    await until(() => messages.length === 3);
    a.transport.send(peer('b'), news(9));
    a.transport.send(peer('b'), entries);
    await until(() => messages.length === 4);
    expect(moments.length).toBe(1);
    moments.pop()?.(); // Nothing is left for it.
    a.transport.send(peer('b'), news(10));
    expect(moments.length).toBe(1);
    moments.pop()?.();
    await until(() => messages.length === 5);
    a.transport.send(peer('b'), news(11));
    await a.transport.close();
    await until(() => messages.length === 6);

    const sent = [[news(8)], [entries], [news(10)], [news(11)]].map((frames) => ({ frames }));
    expect(messages.slice(2)).toMatchObject(sent);
    expect(timers.slice(-1)[0]?.closed).toBe(true);
  });

  it('with news that nothing says again arrive', async () => {
    const { a, messages } = await connectedToRaw();
    const older = append([], { leaderCommit: index(7) });
    const unanswered = append([], { leaderCommit: index(7), isReplyDue: false });

    for (const frame of [append([]), older, unanswered, small]) a.transport.send(peer('b'), frame);
    await until(() => messages.length > 2);

    expect(messages.slice(2)).toMatchObject([{ frames: [append([]), older, unanswered, small] }]);
  });

  it('carry large batches byte for byte', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));
    const sent = Array.from({ length: 8 }, (_, place) =>
      batch(10 + place, [new Uint8Array(500_000).fill(place)]),
    );

    a.transport.send(peer('b'), append(sent));
    await until(() => seen(b, 'frame').length === 1);

    const { frame } = seen(b, 'frame')[0] as { frame: PeerFrame };
    const { batches } = (frame as unknown as { message: { batches: typeof sent } }).message;
    expect(
      batches.map((one) => Buffer.compare(encodeBatch(one), encodeBatch(sent[one.index - 10] as never))),
    ).toEqual(Array(8).fill(0));
  });

  it('over the limit are dropped', async () => {
    const [a, b] = [await node('a', { frameBytesMax: 10_000 }), await node('b', { frameBytesMax: 10_000 })];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    const taken = [bulk(20_000), bulk(5_000), bulk(5_000), small].map((frame) =>
      a.transport.send(peer('b'), frame),
    );
    await until(() => seen(b, 'frame').length === 3);

    expect(taken).toEqual([false, true, true, true]);
    expect(a.transport.links()[0]?.droppedFrames).toBe(1);
    expect(seen(b, 'protocolError')).toEqual([]);
  });
});

/** A WebSocket server that answers as `b`, and everything that it receives. */
async function rawAcceptor() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  cleanups.push(() => server.close());
  await once(server, 'listening');
  const messages: ReturnType<typeof decodePeerMessage>[] = [];
  server.on('connection', (socket) => {
    socket.on('message', (data) => messages.push(decodePeerMessage(new Uint8Array(data as Buffer))));
    socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('b') }));
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, messages };
}

/** The node `a`, with an open connection to such a server. */
async function connectedToRaw(options?: Parameters<typeof node>[1]) {
  const { url, messages } = await rawAcceptor();
  const a = await node('a', options);
  a.transport.setPeers([{ id: 'b', url }]);
  await until(() => messages.length === 2 && isOpen(a.transport));
  return { a, messages };
}

describe('pieces of a snapshot', () => {
  const piece = (number: number, bytes: number) => chunk(number, new Uint8Array(bytes).fill(number));

  it('leave after whatever else was sent in their turn, each in a message of its own', async () => {
    const { a, messages } = await connectedToRaw();

    for (const frame of [piece(0, 100), small, piece(1, 100), append([])]) {
      a.transport.send(peer('b'), frame);
    }
    await until(() => messages.length === 5);

    expect(messages.slice(2)).toEqual([
      { type: 'frames', frames: [small, append([])] },
      { type: 'frames', frames: [piece(0, 100)] },
      { type: 'frames', frames: [piece(1, 100)] },
    ]);
  });

  it('are taken only while little waits, and everything else still is', async () => {
    const [a, b] = [await node('a', { pingMs: 100_000 }), await node('b')];
    const proxy = await proxyTo(b.transport.port as number);
    a.transport.setPeers([{ id: 'b', url: proxy.url }]);
    await until(() => isOpen(a.transport));

    proxy.stall();
    let number = 0;
    const isFull = async (): Promise<boolean> => {
      await new Promise((resolve) => setImmediate(resolve)); // The turn ends, the socket takes what it can.
      return !a.transport.send(peer('b'), piece(number, 1024 * kib));
    };
    while (!(await isFull()) && number++ < 1_000);
    const buffered = a.transport.links()[0]?.bufferedBytes;

    expect(number).toBeLessThan(1_000);
    expect(buffered).toBeGreaterThanOrEqual(512 * kib);
    expect(buffered).toBeLessThan(1.5 * 1024 * kib + 1_000);
    expect([append([]), small, bulk(1024 * kib)].map((frame) => a.transport.send(peer('b'), frame))).toEqual([
      true,
      true,
      true,
    ]);
    expect(a.transport.links()[0]?.droppedFrames).toBe(0);
  });

  it('are never taken where they would leave no room for heartbeats', async () => {
    const [a, b] = [await node('a', { bufferedBytesMax: 200_000, headroomBytes: 50_000 }), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    expect(a.transport.send(peer('b'), piece(0, 300_000))).toBe(false);
    expect(a.transport.send(peer('b'), piece(0, 150_000))).toBe(true);
    expect(a.transport.send(peer('b'), append([]))).toBe(true);
  });

  it('all arrive when the sender tries again, and pin no more memory than they hold', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));
    const sizes = Array.from({ length: 40 }, (_, number) => 20 * kib * (number + 1));

    for (let number = 0; number < sizes.length; ) {
      if (a.transport.send(peer('b'), piece(number, sizes[number] as number))) number++;
      else await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => seen(b, 'frame').length === sizes.length);

    const arrived = seen(b, 'frame').map(({ frame }) => frame as ReturnType<typeof piece>);
    expect(arrived.map(({ number, bytes }) => [number, bytes.byteLength])).toEqual([...sizes.entries()]);
    expect(arrived.every(({ bytes }) => bytes.buffer.byteLength <= 2 * bytes.byteLength)).toBe(true);
  });

  it('are lost with their connection, and sent on the next', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    let number = 0;
    while (a.transport.send(peer('b'), piece(number, 256 * kib))) number++;
    b.transport.hangUp('a', 'in the middle');
    await until(() => seen(a, 'outgoingDown').length === 1);
    const isTakenWhileDown = a.transport.send(peer('b'), piece(number, 256 * kib));
    await until(() => isOpen(a.transport));
    const before = seen(b, 'frame').length;
    a.transport.send(peer('b'), piece(number, 256 * kib));
    await until(() => seen(b, 'frame').length === before + 1);

    expect(isTakenWhileDown).toBe(false);
    expect(seen(b, 'frame').at(-1)).toMatchObject({ frame: { number } });
    expect(a.transport.links()[0]?.droppedFrames).toBe(0);
  });
});

describe('results of writes', () => {
  const committed = (bytes: number): PeerFrame => {
    const reply = { type: 'committed', index: 1, term: 1, results: [new Uint8Array(bytes)] } as const;
    return { type: 'forwardReply', group: 0, bootCounter: 1, seq: 1, reply };
  };

  it('in pieces have room only while little waits, and refused they are no loss; everything else still has', async () => {
    const { a, takes } = await stalled();

    await takes(() => results(0, new Uint8Array(128 * kib), 1024 * kib));
    const buffered = a.transport.links()[0]?.bufferedBytes;

    expect(buffered).toBeGreaterThanOrEqual(512 * kib);
    expect(buffered).toBeLessThan(640 * kib + 1_000);
    const others = [append([]), results(0, new Uint8Array(0)), committed(1_000), bulk(1024 * kib)];
    expect(others.map((frame) => a.transport.send(peer('b'), frame))).toEqual([true, true, true, true]);
    expect(a.transport.links()[0]?.droppedFrames).toBe(0);
  });

  it('in pieces are overtaken by what the same turn sends after them', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    for (const frame of [results(0, new Uint8Array(9)), small]) a.transport.send(peer('b'), frame);
    await until(() => seen(b, 'frame').length === 2);

    expect(seen(b, 'frame').map(({ frame }) => frame.type)).toEqual(['foundAck', 'forwardReply']);
  });

  it('leave room for heartbeats, votes and other answers, however many there are', async () => {
    const { a, takes } = await stalled();

    await takes(() => committed(256 * kib));

    expect(a.transport.links()[0]?.bufferedBytes).toBeLessThanOrEqual(4 * 1024 * kib);
    for (let times = 0; times < 100; times++) {
      expect(a.transport.send(peer('b'), append([]))).toBe(true);
      expect(a.transport.send(peer('b'), results(0, new Uint8Array(0)))).toBe(true);
    }
  });

  /** A node whose peer reads nothing; `takes` sends to it until a frame is refused. */
  async function stalled() {
    const [a, b] = [await node('a', { pingMs: 100_000 }), await node('b')];
    const proxy = await proxyTo(b.transport.port as number);
    a.transport.setPeers([{ id: 'b', url: proxy.url }]);
    await until(() => isOpen(a.transport));
    proxy.stall();
    const takes = async (frame: () => PeerFrame): Promise<void> => {
      for (let times = 0; times < 1_000; times++) {
        await new Promise((resolve) => setImmediate(resolve)); // The turn ends, the socket takes what it can.
        if (!a.transport.send(peer('b'), frame())) return;
      }
      throw new Error('everything was taken');
    };
    return { a, takes };
  }
});

describe('the waits before dialing again', () => {
  it('differ between nodes that were given one seed, and are the same for one node', async () => {
    const waitsOf = async (id: string): Promise<number[]> => {
      const waits: number[] = [];
      const scheduler = recording(waits);
      const limits = { backoffMsMin: 10, backoffMsMax: 40, handshakeTimeoutMs: 10_000, pingMs: 20_000 };
      const a = await node(id, { ...limits, scheduler });
      a.transport.setPeers([{ id: 'z', url: 'ws://127.0.0.1:1' }]);
      await until(() => waits.length >= 6);
      return waits.slice(0, 6);
    };

    const [a, again, b] = [await waitsOf('a'), await waitsOf('a'), await waitsOf('b')];

    expect(a).toEqual(again);
    expect(a).not.toEqual(b);
  });
});

describe('a connection that was cut', () => {
  /** Times that neither a wait nor a test comes to. */
  const calm = { handshakeTimeoutMs: 10_000, pingMs: 60_000, closeTimeoutMs: 10_000 };

  /** Answers every handshake of `a`, and does then what the test says. Gives how often it was dialed. */
  function acceptor(
    port: number,
    onAdmitted: (socket: WebSocket) => void,
    onDialed: (count: number) => void = () => undefined,
  ): Promise<unknown> {
    const server = new WebSocketServer({ port, host: '127.0.0.1' });
    cleanups.push(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    let count = 0;
    server.on('connection', (socket) => {
      count++;
      onDialed(count);
      socket.on('error', () => undefined);
      socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('b') }));
      socket.once('message', () => socket.once('message', () => onAdmitted(socket)));
    });
    return once(server, 'listening');
  }

  async function closedPort(): Promise<number> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    return port;
  }

  it('is dialed again at once if it had shown life, however long it had been in vain before', async () => {
    const waits: number[] = [];
    const limits = { ...calm, backoffMsMin: 4, backoffMsMax: 512 };
    const a = await node('a', { ...limits, scheduler: recording(waits) });
    const port = await closedPort();
    a.transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${port}` }]);
    await until(() => waits.length >= 5);

    const waitsAtDial: number[] = [];
    const cutOnceAlive = (socket: WebSocket) =>
      socket.once('ping', () => setTimeout(() => socket.close(), 20));
    await acceptor(port, cutOnceAlive, () => waitsAtDial.push(waits.length));
    await until(() => waitsAtDial.length >= 2);

    expect(waitsAtDial[1]).toBe(waitsAtDial[0]);
  });

  it('is dialed again at once if it had lived long enough, whatever the wall clock says', async () => {
    const scheduled = vi.spyOn(asyncScheduler, 'schedule');
    cleanups.push(() => scheduled.mockRestore());
    const limits = { ...calm, backoffMsMin: 20, backoffMsMax: 20 };
    const a = await node('a', limits);
    const port = await closedPort();
    let dialed = 0;
    const cutLater = (socket: WebSocket) => socket.once('ping', () => setTimeout(() => socket.close(), 100));
    const setBack = (count: number): void => {
      dialed = count;
      if (count !== 2) return;
      const hourAgo = Date.now() - 3_600_000;
      const wallClock = vi.spyOn(Date, 'now').mockReturnValue(hourAgo);
      cleanups.push(() => wallClock.mockRestore());
    };
    await acceptor(port, cutLater, setBack);

    a.transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${port}` }]);
    await until(() => dialed >= 3);

    const waits = scheduled.mock.calls.flatMap(([, delayMs = 0]) =>
      delayMs > 0 && delayMs <= 20 ? [delayMs] : [],
    );
    expect(waits).toEqual([]);
  });

  it('is dialed less and less if the peer hangs up each time, at once or after a sign of life', async () => {
    const hangUps = {
      atOnce: (socket: WebSocket) => socket.close(1008, 'no'),
      alive: (socket: WebSocket) => socket.once('ping', () => setTimeout(() => socket.close(1008, 'no'), 5)),
    };
    for (const hangUp of Object.values(hangUps)) {
      const waits: number[] = [];
      const limits = { ...calm, backoffMsMin: 8, backoffMsMax: 60_000 };
      const a = await node('a', { ...limits, scheduler: recording(waits) });
      const port = await closedPort();
      await acceptor(port, hangUp);

      a.transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${port}` }]);
      await until(() => waits.length >= 6);

      for (const [at, waitMs] of waits.slice(0, 6).entries())
        expect(waitMs).toBeGreaterThanOrEqual(4 * 2 ** at);
    }
  });
});

/** Notes the waits of up to a second. */
function recording(waits: number[]): SchedulerLike {
  const schedule = <T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T) => {
    if (delayMs > 0 && delayMs <= 1_000) waits.push(delayMs);
    return asyncScheduler.schedule(work, delayMs, state);
  };
  return { now: () => asyncScheduler.now(), schedule };
}

describe('closing', () => {
  it('leaves no timer behind, that of a peer that is turned away included', async () => {
    const timers: Subscription[] = [];
    const schedule = <T>(work: (this: SchedulerAction<T>, state?: T) => void, delayMs = 0, state?: T) => {
      const timer = asyncScheduler.schedule(work, delayMs, state);
      timers.push(timer);
      return timer;
    };
    const scheduler: SchedulerLike = { now: () => asyncScheduler.now(), schedule };
    const a = await node('a', { scheduler });
    a.transport.hangUp('b', 'it broke the rules');

    await a.transport.close();

    expect(timers.length).toBeGreaterThan(1);
    expect(timers.filter((timer) => !timer.closed)).toEqual([]);
  });
});

describe('a peer that reads no more', () => {
  it('costs bounded memory: entries are dropped first, small frames later', async () => {
    const options = { bufferedBytesMax: 200_000, headroomBytes: 50_000, pingMs: 100_000 };
    const a = await node('a', options);
    const b = await node('b');
    const c = await node('c');
    const proxy = await proxyTo(b.transport.port as number);
    a.transport.setPeers([
      { id: 'b', url: proxy.url },
      { id: 'c', url: c.url },
    ]);
    await until(() => a.transport.links().every((link) => link.isOutgoingOpen));

    proxy.stall();
    const isFull = async (): Promise<boolean> => {
      await new Promise((resolve) => setImmediate(resolve)); // The turn ends, the socket takes what it can.
      return !a.transport.send(peer('b'), bulk(50_000));
    };
    let rounds = 0;
    while (!(await isFull()) && rounds++ < 10_000);
    const link = a.transport.links()[0];
    const takesSmall = a.transport.send(peer('b'), append([]));
    let smallOnes = 0;
    while (a.transport.send(peer('b'), small) && smallOnes++ < 100_000);

    expect(rounds).toBeLessThan(10_000);
    expect(link?.droppedFrames).toBe(1);
    expect(takesSmall).toBe(true);
    expect(smallOnes).toBeLessThan(100_000);
    expect(a.transport.links()[0]?.bufferedBytes).toBeLessThanOrEqual(250_000);
    expect(a.transport.send(peer('c'), bulk(50_000))).toBe(true);
    await until(() => seen(c, 'frame').length === 1);
  });

  it('is noticed by both ends, and found again', async () => {
    const options = { pingMs: 20, silentPingsMax: 5 };
    const [a, b] = [await node('a', options), await node('b', options)];
    const proxy = await proxyTo(b.transport.port as number);
    a.transport.setPeers([{ id: 'b', url: proxy.url }]);
    await until(() => seen(a, 'up').length === 1 && seen(b, 'up').length === 1);

    proxy.stall();
    await until(() => seen(a, 'down').length === 1 && seen(b, 'down').length === 1);
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => seen(a, 'up').length === 2 && seen(b, 'up').length === 2);
  });

  it('is made up for at once when the peer that comes back dials first', async () => {
    let refused = 0;
    const nobody = createServer((socket) => {
      refused++;
      socket.destroy();
    }).listen(0, '127.0.0.1');
    await once(nobody, 'listening');
    const { port } = nobody.address() as AddressInfo;
    const a = await node('a', { backoffMsMin: 600_000, backoffMsMax: 600_000 });
    a.transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${port}` }]);
    await until(() => refused === 2); // Now it waits for a third attempt.
    nobody.close();
    await once(nobody, 'close');

    const b = await node('b', { listen: { host: '127.0.0.1', port } });
    b.transport.setPeers([{ id: 'a', url: a.url }]);

    await until(() => isOpen(a.transport));
    expect(seen(a, 'up').map(({ direction }) => direction)).toEqual(['incoming', 'outgoing']);
  });

  it('does not hold up closing', async () => {
    const [a, b] = [await node('a', { closeTimeoutMs: 20 }), await node('b')];
    const proxy = await proxyTo(b.transport.port as number);
    a.transport.setPeers([{ id: 'b', url: proxy.url }]);
    await until(() => isOpen(a.transport));

    proxy.stall();
    await a.transport.close();

    expect(a.transport.links()[0]?.isOutgoingOpen).toBe(false);
  });
});

describe('a peer that starts again', () => {
  it('is found on its own', async () => {
    const [a, b] = [await node('a'), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    await b.transport.close();
    await until(() => seen(a, 'down').length === 1);
    const again = await node('b', { listen: { host: '127.0.0.1', port: b.transport.port as number } });
    await until(() => isOpen(a.transport));
    a.transport.send(peer('b'), small);

    await until(() => seen(again, 'frame').length === 1);
  });
});

describe('a connection that lives', () => {
  it('has its round trip measured', async () => {
    const [a, b] = [await node('a', { pingMs: 10 }), await node('b')];
    a.transport.setPeers([{ id: 'b', url: b.url }]);

    await until(() => a.transport.links()[0]?.rttMs !== null);

    expect(a.transport.links()[0]?.rttMs).toBeGreaterThan(0);
  });

  it('is not cut for want of frames', async () => {
    const options = { pingMs: 10, silentPingsMax: 3 };
    const [a, b] = [await node('a', options), await node('b', options)];
    a.transport.setPeers([{ id: 'b', url: b.url }]);
    await until(() => isOpen(a.transport));

    await new Promise((resolve) => setTimeout(resolve, 300));

    expect([seen(a, 'outgoingDown'), seen(b, 'down')]).toEqual([[], []]);
  });

  it('gives way to a newer one of the same node, without a down', async () => {
    const a = await node('a');
    const older = await rawPeer(a, 'x');

    const newer = await rawPeer(a, 'x');
    newer.socket.send(encodeFrames([small]));
    await until(() => seen(a, 'frame').length === 1);

    expect(await older.closed).toMatchObject({ reason: expect.stringContaining('newer connection') });
    expect(seen(a, 'down')).toEqual([]);
    newer.socket.close();
    await until(() => seen(a, 'down').length === 1);
  });

  it('stays beside one of another store under its name', async () => {
    const a = await node('a');
    const one = await rawPeer(a, 'x');
    const other = await rawPeer(a, 'x', 'another');

    for (const { socket } of [one, other]) socket.send(encodeFrames([small]));
    await until(() => seen(a, 'frame').length === 2);

    expect(seen(a, 'frame').map(({ from }) => from.storeId)).toEqual([helloOf('x').storeId, 'another']);
    one.socket.close();
    await one.closed;
    expect(seen(a, 'down')).toEqual([]);
    other.socket.close();
    await until(() => seen(a, 'down').length === 1);
  });

  it('is meant by its name again once the other, which came later, has left', async () => {
    const a = await node('a');
    const one = await rawPeer(a, 'x');
    const other = await rawPeer(a, 'x', 'another');

    other.socket.close();
    await until(() => seen(a, 'up').length === 3);

    const stores = [helloOf('x').storeId, 'another', helloOf('x').storeId];
    expect(seen(a, 'up').map(({ hello }) => hello.storeId)).toEqual(stores);
    expect(seen(a, 'down')).toEqual([]);
    one.socket.close();
    await until(() => seen(a, 'down').length === 1);
  });

  it('makes room where too many stores come under one name', async () => {
    const a = await node('a');
    const oldest = await rawPeer(a, 'x');

    for (const storeId of ['second', 'third', 'fourth']) await rawPeer(a, 'x', storeId);

    expect(await oldest.closed).toMatchObject({ reason: expect.stringContaining('newer connection') });
    expect(seen(a, 'down')).toEqual([]);
  });
});

describe('a peer that breaks the protocol', () => {
  it('is cut off with a reason, reaches nobody, and is turned away for a while', async () => {
    const a = await node('a', { backoffMsMax: 300 });
    const raw = await rawPeer(a, 'x');

    const bytes = encodeFrames([small, small]);
    bytes[bytes.byteLength - 1] = 0;
    raw.socket.send(bytes);
    const closed = await raw.closed;
    const tooSoon = await rawDial(a.url);
    tooSoon.socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('x') }));

    expect(closed).toMatchObject({ code: 1002, reason: expect.stringContaining('outOfRange') });
    expect(seen(a, 'protocolError')).toMatchObject([{ id: 'x' }]);
    expect(seen(a, 'frame')).toEqual([]);
    expect(seen(a, 'down')).toEqual([{ type: 'down', id: 'x' }]);
    expect(await tooSoon.closed).toMatchObject({ code: 1013 });
    await vi.waitFor(() => rawPeerOnce(a, 'x'), { timeout: 20_000 });
  });

  it.each([
    ['sends text', (raw: RawPeer) => raw.socket.send('hello')],
    ['sends more than a message may hold', (raw: RawPeer) => raw.socket.send(new Uint8Array(20_000))],
    [
      'says hello twice',
      (raw: RawPeer) => raw.socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('x') })),
    ],
    [
      'sends a frame of no known type',
      (raw: RawPeer) => raw.socket.send(new Uint8Array([16, 0, 0, 0, 1, 99])),
    ],
    ['sends nothing', (raw: RawPeer) => raw.socket.send(new Uint8Array())],
  ])('is cut off when it %s', async (_, misbehave) => {
    const a = await node('a', { frameBytesMax: 10_000 });
    const raw = await rawPeer(a, 'x');

    misbehave(raw);
    await raw.closed;

    await until(() => seen(a, 'down').length === 1);
    expect(seen(a, 'protocolError')).toMatchObject([{ id: 'x' }]);
  });

  it('is cut off when it sends frames before it is admitted, and its name is not held against the node', async () => {
    const a = await node('a', { backoffMsMax: 60_000 });
    const raw = await rawDial(a.url);

    raw.socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('x') }));
    raw.socket.send(encodeFrames([small]));
    const closed = await raw.closed;

    expect(closed.code).toBe(1002);
    expect(seen(a, 'protocolError')).toMatchObject([{ id: null }]);
    expect([seen(a, 'frame'), seen(a, 'up')]).toEqual([[], []]);
    await rawPeer(a, 'x');
  });

  it('is cut off when it sends on the connection that we dialed', async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
    cleanups.push(() => server.close());
    await once(server, 'listening');
    server.on('connection', (socket) => {
      socket.send(encodePeerMessage({ type: 'hello', hello: helloOf('b') }));
      socket.once('message', () => socket.once('message', () => socket.send(encodeFrames([small]))));
    });
    const a = await node('a');

    a.transport.setPeers([{ id: 'b', url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}` }]);
    await until(() => seen(a, 'protocolError').length > 0);

    expect(seen(a, 'protocolError')[0]).toMatchObject({ id: 'b' });
    expect(seen(a, 'frame')).toEqual([]);
  });
});

async function rawPeerOnce(actor: Actor, id: string): Promise<void> {
  const raw = await rawDial(actor.url);
  raw.socket.send(encodePeerMessage({ type: 'hello', hello: helloOf(id) }));
  const isAnswered = await Promise.race([
    once(raw.socket, 'message').then(() => true),
    raw.closed.then(() => false),
  ]);
  if (!isAnswered) throw new Error('turned away');
}

describe('whoever is not admitted', () => {
  it('is cut off when it says nothing, as TCP or as WebSocket', async () => {
    const a = await node('a', { handshakeTimeoutMs: 50 });
    const tcp = connect(a.transport.port as number, '127.0.0.1');
    tcp.on('error', () => undefined);
    const raw = await rawDial(a.url);

    await Promise.all([once(tcp, 'close'), raw.closed]);

    expect(a.events).toEqual([]);
  });

  it('is cut off when it says more than a handshake takes', async () => {
    const a = await node('a', { handshakeTimeoutMs: 60_000 });
    const raw = await rawDial(a.url);

    raw.socket.send(new Uint8Array(10_000_000));

    await raw.closed;
    expect(seen(a, 'frame')).toEqual([]);
  });

  it('finds only so many places, and leaves room for those that are admitted', async () => {
    const a = await node('a', { pendingConnectionsMax: 2, handshakeTimeoutMs: 60_000 });
    await rawPeer(a, 'x');
    const waiting = [connect(a.transport.port as number), connect(a.transport.port as number)];
    cleanups.push(() => waiting.map((tcp) => tcp.destroy()));
    await Promise.all(waiting.map((tcp) => once(tcp, 'connect')));
    const third = connect(a.transport.port as number);
    third.on('error', () => undefined);

    await once(third, 'close');
    waiting[0]?.destroy();

    await vi.waitFor(() => rawPeerOnce(a, 'y'), { timeout: 20_000 });
  });

  it('is refused when a web page in a browser dials', async () => {
    const a = await node('a');

    const page = new WebSocket(a.url, { headers: { origin: 'https://page.example' } });
    const [error] = await once(page, 'error');

    expect(String(error)).toContain('403');
    expect(a.events).toEqual([]);
  });

  it('is told in plain HTTP what lives here', async () => {
    const a = await node('a');

    const response = await fetch(a.url.replace('ws:', 'http:'));

    expect(response.status).toBe(426);
    expect(await response.text()).toContain('rxraft');
  });

  it('sees garbage answered by a close', async () => {
    const a = await node('a');
    const raw = await rawDial(a.url);

    raw.socket.send(new Uint8Array([1, 2, 3]));

    expect(await raw.closed).toMatchObject({ code: 1002 });
    expect(seen(a, 'protocolError')).toMatchObject([{ id: null }]);
  });
});
