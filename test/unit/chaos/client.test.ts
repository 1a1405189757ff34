import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished, vi } from 'vitest';
import { Dice } from '../../../src/testing/dice.ts';
import { Client } from '../../chaos/client.ts';
import { KeyPool } from '../../chaos/key-pool.ts';
import type { Slot } from '../../chaos/slot.ts';
import { Tally } from '../../chaos/tally.ts';

it('reads without an answer are counted apart from writes whose outcome is unknown', async () => {
  const server = createServer(({ socket }) => void socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const slots = [{ url, node: { id: 'n1' } } as Slot];
  const tally = new Tally();
  const stopping = new AbortController();
  const clients = Array.from({ length: 20 }, (_, at) => {
    const dice = new Dice(at);
    const client = new Client({ name: `c${at}`, slots, home: 0, dice, tally, thinkMsMax: 1 });
    return client.work(new KeyPool('chaos/', dice), stopping.signal);
  });

  await vi.waitFor(() => {
    for (const read of ['get', 'stale get']) expect(tally.operations.get(read)).toBeDefined();
    for (const write of ['put', 'cas']) expect(tally.operations.get(write)).toBeDefined();
  }, 30_000);
  stopping.abort();
  await Promise.all(clients);

  for (const read of ['get', 'stale get'])
    expect([...(tally.operations.get(read)?.keys() ?? [])]).toEqual(['unanswered']);
  for (const write of ['put', 'cas'])
    expect([...(tally.operations.get(write)?.keys() ?? [])]).toEqual(['unknown']);
});
