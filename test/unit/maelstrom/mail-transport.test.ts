import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { LinkBody } from '../../../examples/maelstrom/transport/link-body.ts';
import { MailTransport, urlOf } from '../../../examples/maelstrom/transport/mail-transport.ts';
import { transportConformance } from '../../../src/testing/transport-conformance.ts';
import type { Hello, PeerFrame, Transport, TransportEvent } from '../../../src/transport/transport.ts';

const impatient = { backoffMsMin: 5, backoffMsMax: 50, pulseMs: 5, helloMs: 20 };

/** What becomes of a message on its way: once for each number, after so many milliseconds. */
type Fate = (body: LinkBody) => readonly number[];

const plain: Fate = () => [0];

/** Messages between transports, each known by a name. */
class PostOffice {
  fate: Fate;
  readonly carried: { readonly from: string; readonly to: string; readonly body: LinkBody }[] = [];
  readonly #transports = new Map<string, MailTransport>();

  constructor(fate: Fate = plain) {
    this.fate = fate;
  }

  open(name = `t${this.#transports.size}`): MailTransport {
    const post = (to: string, body: LinkBody) => this.post(name, to, body);
    const transport = new MailTransport({ post, ...impatient });
    this.#transports.set(name, transport);
    return transport;
  }

  nameOf(transport: Transport): string {
    return [...this.#transports].find(([, known]) => known === transport)?.[0] as string;
  }

  post(from: string, to: string, body: LinkBody): void {
    this.carried.push({ from, to, body });
    for (const delayMs of this.fate(body)) {
      const arrive = () => this.#transports.get(to)?.receive(from, JSON.parse(JSON.stringify(body)));
      if (delayMs === 0) setImmediate(arrive);
      else setTimeout(arrive, delayMs);
    }
  }
}

/** A seeded 32-bit generator, from 0 to 1. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Loses one message in five, doubles one in five, and lets any overtake any other. */
function mischief(seed: number): Fate {
  const roll = dice(seed);
  const delayMs = () => Math.floor(roll() * 25);
  return () => {
    const luck = roll();
    if (luck < 0.2) return [];
    return luck < 0.4 ? [delayMs(), delayMs() * 4] : [delayMs()];
  };
}

/** What is said once, and may be lost: who missed it goes by silence, and these two cases wait for more than that. */
const saidOnce = [
  'shows the hello of an empty store that it dials, and lets it in once that is wanted',
  'connects again after the connection was cut',
];

for (const [weather, fateOf, cases] of [
  ['keeps every message', () => plain, transportConformance],
  [
    'loses, doubles and reorders messages',
    () => mischief(7),
    transportConformance.filter(({ name }) => !saidOnce.includes(name)),
  ],
] as const) {
  // Each waits most of the time, for timers of its own.
  describe.concurrent(`the transport of messages, over a network that ${weather}`, () => {
    for (const { name, run } of cases) {
      it(name, () => {
        const office = new PostOffice(fateOf());
        return run({
          make: () => office.open(),
          urlOf: (transport) => urlOf(office.nameOf(transport)),
        });
      }, 60_000);
    }
  });
}

const frame = (number: number): PeerFrame => ({ type: 'foundAck', clusterId: `c${number}` });
const peer = (id: string) => ({ id, storeId: `store-${id}` });

/** A node of that name, open, and what it saw. */
async function node(office: PostOffice, id: string, peers: readonly string[] = []) {
  const transport = office.open(id);
  const events: TransportEvent[] = [];
  transport.event$.subscribe((event) => events.push(event));
  const hello: Hello = {
    protocolVersion: 1,
    clusterId: 'c',
    id,
    storeId: `store-${id}`,
    bootCounter: 1,
    members: [],
  };
  transport.setPeers(peers.map((name) => ({ id: name, url: urlOf(name) })));
  await transport.open({ hello: () => hello, admit: () => null });
  onTestFinished(() => transport.close());
  const frames = () => events.flatMap((event) => (event.type === 'frame' ? [event.frame] : []));
  return { transport, events, frames, count: (type: string) => events.filter((e) => e.type === type).length };
}

describe('a link', () => {
  it('delivers each frame once and in order, whatever is lost, doubled or overtaken', async () => {
    const office = new PostOffice(mischief(3));
    const b = await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(a.count('up')).toBe(1), 10_000);

    const sent = Array.from({ length: 100 }, (_, number) => frame(number));
    for (const one of sent) {
      expect(a.transport.send(peer('b'), one)).toBe(true);
      await new Promise((resolve) => setImmediate(resolve)); // Each in a message of its own.
    }

    await vi.waitFor(() => expect(b.frames()).toHaveLength(sent.length), 20_000);
    expect(b.frames()).toEqual(sent);
  });

  it('takes nothing once it has closed, however late all of it comes again', async () => {
    const office = new PostOffice();
    const b = await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(a.count('up')).toBe(1), 30_000);
    a.transport.send(peer('b'), frame(1));
    await vi.waitFor(() => expect(b.frames()).toHaveLength(1), 30_000);
    await a.transport.close();
    await vi.waitFor(() => expect(b.count('down')).toBe(1), 30_000);

    for (const { from, to, body } of [...office.carried]) if (to === 'b') office.post(from, to, body);
    await new Promise((resolve) => setTimeout(resolve, 50));

    expect(b.frames()).toHaveLength(1);
    expect(b.count('up')).toBe(1);
  });

  it('is dialed anew when the peer was killed and knows nothing of it', async () => {
    const office = new PostOffice();
    await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(a.count('up')).toBe(1), 30_000);

    const again = await node(office, 'b'); // In the place of the first, which hears nothing more.
    await vi.waitFor(() => expect(a.count('up')).toBe(2), 10_000);

    expect(a.count('outgoingDown')).toBe(1);
    a.transport.send(peer('b'), frame(1));
    await vi.waitFor(() => expect(again.frames()).toEqual([frame(1)]), 30_000);
  });

  it('is down once nothing gets through any more, and takes no more frames', async () => {
    const office = new PostOffice();
    const b = await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(b.count('up')).toBe(1), 30_000);

    office.fate = () => [];
    await vi.waitFor(() => expect(a.count('down') + b.count('down')).toBe(2), 10_000);

    expect(a.transport.send(peer('b'), frame(1))).toBe(false);
  });

  it('closes for a peer that sends what is no frame', async () => {
    const office = new PostOffice();
    const b = await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(b.count('up')).toBe(1), 30_000);
    const known = office.carried.find(({ body }) => body.type === 'rxraft_frames')?.body;

    office.post('a', 'b', {
      ...(known as Extract<LinkBody, { type: 'rxraft_frames' }>),
      seq: 1,
      data: 'AAAA',
    });
    await vi.waitFor(() => expect(a.count('outgoingDown')).toBe(1), 10_000);

    expect(b.count('protocolError')).toBe(1);
    expect(b.frames()).toEqual([]);
  });
});

describe('a transport that hears anything at all', () => {
  it('takes no harm, hears no frame, and still serves who speaks its language', async () => {
    const office = new PostOffice();
    const b = await node(office, 'b');
    const a = await node(office, 'a', ['b']);
    await vi.waitFor(() => expect(b.count('up')).toBe(1), 30_000);
    const real = office.carried.map(({ body }) => body);
    const texts = real.flatMap((body) => Object.values(body)).filter((value) => typeof value === 'string');
    const value = fc.oneof(
      fc.constantFrom(...texts),
      fc.base64String(),
      fc.nat(3),
      fc.json(),
      fc.constant(null),
    );
    const types = ['hello', 'welcome', 'frames', 'ack', 'end', 'else'].map((type) => `rxraft_${type}`);
    const bodies = fc.record(
      { type: fc.constantFrom(...types), link: value, token: value, seq: value, data: value },
      { requiredKeys: ['type'] },
    );

    fc.assert(
      fc.property(bodies, (body) => b.transport.receive('stranger', body)),
      { numRuns: 2_000 },
    );
    expect(b.frames()).toEqual([]);
    const isServed = () => {
      a.transport.send(peer('b'), frame(1)); // The link may have gone: who knew its names could end it.
      expect(b.frames()).toContainEqual(frame(1));
    };
    await vi.waitFor(isServed, 10_000);
  });
});
