import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { transportConformance } from '../../../src/testing/transport-conformance.ts';
import {
  type MemoryNetwork,
  type MemoryNetworkOptions,
  memoryNetwork,
} from '../../../src/transport/memory-network.ts';
import type { Hello, PeerFrame, Transport, TransportEvent } from '../../../src/transport/transport.ts';
import { chunk } from './frames.ts';

for (const encode of [false, true]) {
  describe(`the in-memory network${encode ? ', through bytes' : ''}`, () => {
    for (const { name, run } of transportConformance) {
      it(name, () => {
        const network = memoryNetwork({ seed: 1, encode, backoffMsMin: 5, backoffMsMax: 50 });
        const urls = new Map<Transport, string>();
        const make = () => {
          const url = `ws://node-${urls.size}:7101`;
          const transport = network.transport(url);
          urls.set(transport, url);
          return transport;
        };
        return run({ make, urlOf: (transport) => urls.get(transport) as string });
      }, 60_000);
    }
  });
}

const names = ['n1', 'n2', 'n3'];
const members = names.map((id) => ({ id, url: `ws://${id}:7101` }));
const peer = (id: string) => ({ id, storeId: `store-${id}` });
const frame = (number: number): PeerFrame => ({ type: 'foundAck', clusterId: `c${number}` });

interface World {
  readonly network: MemoryNetwork;
  readonly transports: ReadonlyMap<string, Transport>;
  readonly journal: string[];
  /** Lets virtual milliseconds pass. */
  pass(ms: number): void;
  send(from: string, to: string, number: number): boolean;
}

function world(options: MemoryNetworkOptions = {}): World {
  const scheduler = new VirtualTimeScheduler(undefined, 0);
  const network = memoryNetwork({ seed: 7, scheduler, ...options });
  const journal: string[] = [];
  const transports = new Map<string, Transport>();
  for (const { id, url } of members) {
    const transport = network.transport(url);
    transport.event$.subscribe((event) => journal.push(`${scheduler.now()} ${id} ${describeEvent(event)}`));
    void transport.open({ hello: () => helloOf(id), admit: () => null });
    transport.setPeers(members);
    transports.set(id, transport);
  }
  const pass = (ms: number): void => {
    scheduler.maxFrames += ms;
    scheduler.schedule(() => undefined, scheduler.maxFrames - scheduler.now());
    scheduler.flush();
  };
  const send = (from: string, to: string, number: number): boolean =>
    (transports.get(from) as Transport).send(peer(to), frame(number));
  pass(100);
  return { network, transports, journal, pass, send };
}

function helloOf(id: string): Hello {
  return { protocolVersion: 1, clusterId: 'c', ...peer(id), bootCounter: 1, members };
}

function describeEvent(event: TransportEvent): string {
  if (event.type === 'frame') return `frame ${JSON.stringify(event.frame)} from ${event.from.id}`;
  if (event.type === 'up') return `up ${event.direction} ${event.hello.id}`;
  return `${event.type} ${event.id}`;
}

function framesOf(journal: readonly string[], id: string): number[] {
  return journal.flatMap((line) => {
    const match = line.match(new RegExp(`^\\d+ ${id} frame .*"c(\\d+)"`));
    return match === null ? [] : [Number(match[1])];
  });
}

function chunksOf(journal: readonly string[], id: string): number[] {
  return journal.flatMap((line) => {
    const match = line.match(new RegExp(`^\\d+ ${id} frame .*"snapshotChunk".*"number":(\\d+)`));
    return match === null ? [] : [Number(match[1])];
  });
}

describe('a network in virtual time', () => {
  it('runs the same way with the same seed, faults included', () => {
    const play = (seed: number): string[] => {
      const faults = {
        delayMsMax: 20,
        lossProbability: 0.1,
        duplicateProbability: 0.1,
        reorderProbability: 0.1,
      };
      const { network, journal, pass, send } = world({ seed, faults });
      for (let number = 0; number < 200; number++) {
        send('n1', names[1 + (number % 2)] as string, number);
        if (number === 100) network.partition([['n1'], ['n2', 'n3']]);
        if (number === 150) network.heal();
        pass(100);
      }
      return journal;
    };

    expect(play(3)).toEqual(play(3));
    expect(play(3)).not.toEqual(play(4));
  });

  it('keeps the order of frames whatever their delays', () => {
    const { journal, pass, send } = world({ faults: { delayMsMax: 50 } });

    for (let number = 0; number < 50; number++) send('n1', 'n2', number);
    pass(1_000);

    expect(framesOf(journal, 'n2')).toEqual(Array.from({ length: 50 }, (_, number) => number));
  });

  it('loses about as many as it is told to', () => {
    const { journal, pass, send } = world({ faults: { lossProbability: 0.5 } });

    for (let number = 0; number < 1_000; number++) send('n1', 'n2', number);
    pass(1_000);

    expect(framesOf(journal, 'n2').length).toBeGreaterThan(400);
    expect(framesOf(journal, 'n2').length).toBeLessThan(600);
  });

  it('doubles and reorders when told to', () => {
    const { journal, pass, send } = world({ faults: { duplicateProbability: 0.3, reorderProbability: 0.3 } });

    for (let number = 0; number < 100; number++) {
      send('n1', 'n2', number);
      pass(1);
    }
    pass(1_000);

    const arrived = framesOf(journal, 'n2');
    expect(arrived.length).toBeGreaterThan(110);
    expect(new Set(arrived).size).toBe(100);
    expect(arrived).not.toEqual(arrived.toSorted((a, b) => a - b));
  });

  it('lets nothing through a partition, says down when it is noticed, and up after it healed', () => {
    const { network, journal, pass, send } = world({ noticeMs: 500 });

    network.partition([['n1'], ['n2', 'n3']]);
    send('n1', 'n2', 1);
    send('n3', 'n2', 2);
    pass(400);
    const unnoticed = journal.filter((line) => line.includes('down'));
    pass(2_000);
    const noticed = journal.filter((line) => line.endsWith('n2 down n1'));
    network.heal();
    pass(3_000);
    send('n1', 'n2', 3);
    pass(100);

    expect(unnoticed).toEqual([]);
    expect(noticed).toHaveLength(1);
    expect(framesOf(journal, 'n2')).toEqual([2, 3]);
  });

  it('can be cut one way only', () => {
    const { network, journal, pass, send } = world();

    network.cut('n1', 'n2');
    send('n1', 'n2', 1);
    send('n2', 'n1', 2);
    pass(100);

    expect(framesOf(journal, 'n2')).toEqual([]);
    expect(framesOf(journal, 'n1')).toEqual([2]);
  });

  it('forgets a cut that healed before it was noticed', () => {
    const { network, journal, pass } = world({ noticeMs: 500 });

    network.cut('n1', 'n2');
    pass(400);
    network.heal();
    pass(1_000);

    expect(journal.filter((line) => line.includes('own'))).toEqual([]);
  });

  it('shows the kill of a node to its peers, and lets another take its address', async () => {
    const { network, journal, pass, send } = world();

    network.kill('n1');
    pass(100);
    const downs = journal.filter((line) => line.endsWith('down n1'));
    const again = network.transport('ws://n1:7101');
    await again.open({ hello: () => ({ ...helloOf('n1'), bootCounter: 2 }), admit: () => null });
    pass(5_000);

    expect(downs.map((line) => line.split(' ')[1]).sort()).toEqual(['n2', 'n3']);
    expect(send('n2', 'n1', 1)).toBe(true);
    expect(send('n1', 'n2', 1)).toBe(false);
  });

  it('refuses an address that another transport has', async () => {
    const { network } = world();

    const second = network.transport('ws://n1:7101').open({ hello: () => helloOf('n1'), admit: () => null });

    await expect(second).rejects.toMatchObject({ code: 'RAFT_PORT_IN_USE' });
  });

  it('takes pieces of a snapshot only while few are on the way, and everything else still', () => {
    const { transports, journal, pass, send } = world({ inFlightSnapshotBytesMax: 1_000 });
    const n1 = transports.get('n1') as Transport;
    const take = (number: number) => n1.send(peer('n2'), chunk(number, new Uint8Array(600)));

    const taken = [take(0), take(1), take(2), send('n1', 'n2', 3)];
    pass(100);
    const later = take(2);
    pass(100);

    expect([...taken, later]).toEqual([true, true, false, true, true]);
    expect(chunksOf(journal, 'n2')).toEqual([0, 1, 2]);
    expect(framesOf(journal, 'n2')).toEqual([3]);
    expect(n1.links()[1]?.droppedFrames).toBe(0);
  });

  it('loses pieces of a snapshot with a cut, and has room for them after it', () => {
    const { network, transports, journal, pass } = world({ inFlightSnapshotBytesMax: 1_000, noticeMs: 500 });
    const n1 = transports.get('n1') as Transport;
    const take = (number: number) => n1.send(peer('n2'), chunk(number, new Uint8Array(600)));

    take(0);
    pass(100);
    take(1);
    take(2);
    network.partition([['n1'], ['n2', 'n3']]);
    pass(1_000);
    const isTakenWhileDown = take(1);
    network.heal();
    pass(3_000);
    const isTakenAfter = take(1);
    pass(100);

    expect([isTakenWhileDown, isTakenAfter]).toEqual([false, true]);
    expect(journal.filter((line) => line.endsWith('n1 outgoingDown n2'))).toHaveLength(1);
    expect(chunksOf(journal, 'n2')).toEqual([0, 1]);
  });

  it('tells no time that a message takes to a peer that never answered', () => {
    const { transports, pass } = world();
    const n1 = transports.get('n1') as Transport;

    n1.setPeers([...members.slice(1), { id: 'n9', url: 'ws://n9:7101' }]);
    pass(1_000);

    const times = n1.links().map(({ id, rttMs }) => [id, rttMs !== null]);
    expect(times).toEqual([
      ['n2', true],
      ['n3', true],
      ['n9', false],
    ]);
  });

  it('takes only so many frames on the way to one peer', () => {
    const { transports, journal, pass, send } = world({ inFlightFramesMax: 3 });

    const taken = [1, 2, 3, 4].map((number) => send('n1', 'n2', number));
    pass(100);

    expect(taken).toEqual([true, true, true, false]);
    expect(transports.get('n1')?.links()[1]?.droppedFrames).toBe(1);
    expect(framesOf(journal, 'n2')).toEqual([1, 2, 3]);
  });
});

describe('two stores that come under one name', () => {
  it('are both heard, and the one that stays is meant again once the later one has left', () => {
    const scheduler = new VirtualTimeScheduler(undefined, Number.POSITIVE_INFINITY);
    const network = memoryNetwork({ seed: 7, scheduler });
    const ups: string[] = [];
    const downs: string[] = [];
    const listener = network.transport('ws://a:1');
    listener.event$.subscribe((event) => {
      if (event.type === 'up') ups.push(event.hello.storeId);
      if (event.type === 'down') downs.push(event.id);
    });
    void listener.open({ hello: () => helloOf('n1'), admit: () => null });
    const start = (url: string, storeId: string): Transport => {
      const transport = network.transport(url);
      void transport.open({ hello: () => ({ ...helloOf('n2'), storeId }), admit: () => null });
      transport.setPeers([{ id: 'n1', url: 'ws://a:1' }]);
      return transport;
    };
    const pass = (ms: number): void => {
      scheduler.maxFrames = scheduler.now() + ms;
      scheduler.schedule(() => undefined, ms);
      scheduler.flush();
    };

    start('ws://b:1', 'one');
    pass(1_000);
    const twin = start('ws://c:1', 'other');
    pass(1_000);
    void twin.close();
    pass(1_000);

    expect(ups).toEqual(['one', 'other', 'one']);
    expect(downs).toEqual([]);
  });
});
