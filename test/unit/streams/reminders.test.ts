import { describe, expect, it } from 'vitest';
import { Reminders } from '../../../src/streams/reminders.ts';
import { raftNode } from '../../../src/streams/start-node.ts';
import type { TransportEvent } from '../../../src/transport/transport.ts';
import { foundedStorage, helloOf, n2, n3, ScriptedPeers } from './scripted-peers.ts';
import { wordsMachine } from './words.ts';

const minuteMs = 60_000;

describe('what is said of a node', () => {
  it('is said again after a minute, after two more, and every hour in the end', () => {
    let now = 0;
    const reminders = new Reminders(() => now);
    const saidAt: number[] = [];

    for (; now < 400 * minuteMs; now += 1_000) {
      if (reminders.isDue('n2', 'refused')) saidAt.push(now / minuteMs);
    }

    expect(saidAt).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]);
  });

  it('is said at once when it is something else, or of another node, or was over', () => {
    const reminders = new Reminders(() => 0);
    const things: readonly (readonly [string | null, string])[] = [
      ['n2', 'refused'],
      ['n2', 'refused otherwise'],
      ['n3', 'refused'],
      [null, 'refused'],
    ];
    const due = () => things.map(([id, text]) => reminders.isDue(id, text));

    expect(due()).toEqual([true, true, true, true]);
    expect(due()).toEqual([false, false, false, false]);
    reminders.forget('n2');
    expect(due()).toEqual([true, true, false, false]);
  });

  it('is remembered of so many nodes and no more', () => {
    const reminders = new Reminders(() => 0);

    for (let stranger = 0; stranger < 300; stranger++) reminders.isDue(`stranger-${stranger}`, 'refused');

    expect(reminders.isDue('stranger-299', 'refused')).toBe(false);
    expect(reminders.isDue('stranger-0', 'refused')).toBe(true);
  });
});

describe('the log of a node', () => {
  it('tells a refusal once, until it changes or the node has been let in', async () => {
    const warnings: string[] = [];
    const silent = () => undefined;
    const peers = new ScriptedPeers();
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage: await foundedStorage(),
      transport: peers,
      members: [],
      logger: { debug: silent, info: silent, warn: (_, message) => warnings.push(message), error: silent },
    });
    const refused = (id: string, by: 'us' | 'peer', reason: string): TransportEvent => {
      return { type: 'refused', by, id, refusal: { code: 'wipedStore', reason } };
    };

    for (let dial = 0; dial < 5; dial++) {
      peers.emit(refused(n2.id, 'us', 'n2 has an empty store'));
      peers.emit(refused(n2.id, 'peer', 'n2 has an empty store'));
      peers.emit({ type: 'protocolError', id: n3.id, detail: 'a text message' });
    }
    peers.emit({ type: 'up', hello: helloOf(n2), direction: 'incoming' });
    peers.emit(refused(n2.id, 'us', 'n2 has an empty store'));
    await node.close();

    expect(warnings).toEqual([
      'a connection was refused by us: n2 has an empty store',
      'a connection was refused by peer: n2 has an empty store',
      'a peer broke the protocol: a text message',
      'a connection was refused by us: n2 has an empty store',
    ]);
  });
});
