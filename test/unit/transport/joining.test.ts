import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Peer } from '../../../src/core/index.ts';
import { judgeHello } from '../../../src/transport/admission.ts';
import { memoryNetwork } from '../../../src/transport/memory-network.ts';
import type { Hello, Transport, TransportEvent } from '../../../src/transport/transport.ts';
import { type WsTransport, wsTransport } from '../../../src/transport/ws-transport.ts';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const founder: Hello = {
  protocolVersion: 1,
  clusterId: 'cluster-1',
  id: 'n1',
  storeId: 'store-1',
  bootCounter: 3,
  members: [{ id: 'n1', url: 'ws://127.0.0.1:7101' }],
};
const newcomer: Hello = { ...founder, clusterId: null, id: 'n4', storeId: 'store-4', members: [] };

const limits = { backoffMsMin: 5, backoffMsMax: 20, seed: 1 };
const kinds = {
  'over WebSockets': () => {
    const make = () => wsTransport({ listen: { port: 0 }, ...limits });
    return { make, urlOf: (transport: Transport) => (transport as WsTransport).url as string };
  },
  'in memory': () => {
    const network = memoryNetwork(limits);
    const urls = new Map<Transport, string>();
    const make = () => {
      const url = `ws://node-${urls.size}:7101`;
      const transport = network.transport(url);
      urls.set(transport, url);
      return transport;
    };
    return { make, urlOf: (transport: Transport) => urls.get(transport) as string };
  },
};

/** A node that judges introductions as the library does, by the members it has at that moment. */
async function open(
  transport: Transport,
  node: { hello: Hello; members: readonly Peer[]; onHello?: (hello: Hello) => void },
): Promise<TransportEvent[]> {
  const events: TransportEvent[] = [];
  transport.event$.subscribe((event) => events.push(event));
  cleanups.push(() => transport.close());
  await transport.open({
    hello: () => node.hello,
    admit: (hello) => {
      node.onHello?.(hello);
      return judgeHello({ hello: node.hello, members: node.members }, hello);
    },
  });
  return events;
}

function ups(events: readonly TransportEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'up' ? [`${event.direction} ${event.hello.id}`] : []));
}

for (const [where, kind] of Object.entries(kinds)) {
  describe(`a store without a cluster, invited by its address alone ${where}`, () => {
    it('is let in by the store that its own hello names', async () => {
      const { make, urlOf } = kind();
      const [inviting, joining] = [make(), make()];
      const members: Peer[] = [founder];
      const onHello = ({ id, storeId }: Hello) => members.push({ id, storeId });
      const invitingEvents = await open(inviting, { hello: founder, members, onHello });
      const joiningEvents = await open(joining, { hello: newcomer, members: [] });

      inviting.setPeers([{ id: 'n4', url: urlOf(joining) }]);
      await vi.waitFor(() => expect([...ups(invitingEvents), ...ups(joiningEvents)]).toHaveLength(2), 30_000);

      expect(ups(invitingEvents)).toEqual(['outgoing n4']);
      expect(ups(joiningEvents)).toEqual(['incoming n1']);
      expect(members.slice(1)).toEqual([{ id: 'n4', storeId: 'store-4' }]);
    });

    it('is refused while it is a member nowhere, and let in once it is', async () => {
      const { make, urlOf } = kind();
      const [inviting, joining] = [make(), make()];
      const members: Peer[] = [founder];
      const stores: string[] = [];
      const onHello = ({ storeId }: Hello) => stores.push(storeId);
      const invitingEvents = await open(inviting, { hello: founder, members, onHello });
      const joiningEvents = await open(joining, { hello: newcomer, members: [] });

      inviting.setPeers([{ id: 'n4', url: urlOf(joining) }]);
      await vi.waitFor(() => expect(joiningEvents[0]).toMatchObject({ type: 'refused', by: 'peer' }), 30_000);
      members.push({ id: 'n4', storeId: stores[0] as string });
      await vi.waitFor(() => expect([...ups(invitingEvents), ...ups(joiningEvents)]).toHaveLength(2), 30_000);

      expect(stores[0]).toBe('store-4');
      expect(invitingEvents[0]).toMatchObject({ type: 'refused', by: 'us', refusal: { code: 'notAMember' } });
    });

    it('is refused when it dials by itself, and nobody hears of it', async () => {
      const { make, urlOf } = kind();
      const [founded, dialing] = [make(), make()];
      const foundedEvents = await open(founded, { hello: founder, members: [founder] });
      const dialingEvents = await open(dialing, { hello: newcomer, members: [] });

      dialing.setPeers([{ id: 'n1', url: urlOf(founded) }]);
      await vi.waitFor(() => expect(dialingEvents[0]).toMatchObject({ type: 'refused', by: 'peer' }), 30_000);

      expect([...ups(foundedEvents), ...ups(dialingEvents)]).toEqual([]);
    });
  });
}
