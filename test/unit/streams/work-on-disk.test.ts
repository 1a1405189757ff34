import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { raftNode } from 'rxraft';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { lmdbStorage } from '../../../src/storage/lmdb-storage.ts';
import { wsTransport } from '../../../src/transport/ws-transport.ts';
import { freePorts } from '../../ports.ts';
import { bytesMadeIn } from './allocations.ts';
import { type CounterNode, counter, writeRounds } from './counter.ts';
import { shared, WorkCounter } from './work-counts.ts';

/**
 * What all that is outstanding costs together: a message with entries and one with an acknowledgement for each of two
 * followers, and one transaction a node. Where disk and sockets are real it is not the same each time: of the news of a
 * commit most go with the next entries. Measured under load and without were 3.9 to 4.3 messages, 5.3 to 5.8 frames
 * handed over, 2.7 to 3 transactions and 11 to 11.4 steps. docs/performance.md has these, too.
 */
const aRoundMax = { messages: 4.8, frames: 6.6, transactions: 3.2, steps: 12.6 };

/** For each write: bytes that leave over sockets, 588, 269 and 264, and those of objects made, 130, 3.3 and 1.4 KB. */
const aWriteMax = [
  { outstanding: 1, rounds: 100, messageBytesMax: 660, madeBytesMax: 180_000 },
  { outstanding: 64, rounds: 60, messageBytesMax: 275, madeBytesMax: 4_500 },
  { outstanding: 1000, rounds: 30, messageBytesMax: 268, madeBytesMax: 1_900 },
];

const work = new WorkCounter();
const folder = mkdtempSync(join(tmpdir(), 'rxraft-work-'));
const send = vi.spyOn(WebSocket.prototype, 'send');
let nodes: readonly CounterNode[] = [];

/** What left over any socket since this was asked last. */
function takeMessages(): { readonly messages: number; readonly bytes: number } {
  const messages = send.mock.calls.length;
  const bytes = send.mock.calls.reduce((sum, [data]) => sum + (data as Uint8Array).byteLength, 0);
  send.mockClear();
  return { messages, bytes };
}

/** Three nodes that serve writes: in one process, over WebSockets and with LMDB. Heartbeats are rare. */
beforeAll(async () => {
  const port = await freePorts(3);
  const members = [0, 1, 2].map((at) => ({ id: `n${at + 1}`, url: `ws://127.0.0.1:${port + at}` }));
  const starting = members.map(({ id }, at) =>
    raftNode({
      id,
      members,
      machine: counter(),
      storage: work.storage(lmdbStorage({ path: join(folder, id) })),
      transport: work.transport(wsTransport({ listen: { port: port + at } })),
      heartbeatMs: 1_000,
      electionMs: 2_000,
      onStep: work.onStep,
    }),
  );
  nodes = await Promise.all(starting);
  await vi.waitFor(() => leader(), { timeout: 60_000 });
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.close()));
  send.mockRestore();
  rmSync(folder, { recursive: true, force: true });
});

function leader(): CounterNode {
  const leading = nodes.find((node) => node.status().role === 'leader');
  if (leading === undefined) throw new Error('nobody leads');
  return leading;
}

describe.each(aWriteMax)(
  'three nodes on LMDB and WebSockets, with $outstanding writes outstanding',
  (limits) => {
    const { outstanding, rounds, messageBytesMax, madeBytesMax } = limits;

    it('send, flush, step and allocate hardly more often than once for all of them', async () => {
      await writeRounds(leader(), { outstanding, rounds: 10 });
      await pause(100); // The last of them is known everywhere.
      work.take();
      takeMessages();

      const made = await bytesMadeIn(() => writeRounds(leader(), { outstanding, rounds }));

      const { frames, transactions, steps } = shared(work.take(), rounds);
      const { messages, bytes } = takeMessages();
      expect(messages / rounds).toBeLessThan(aRoundMax.messages);
      expect(frames).toBeLessThan(aRoundMax.frames);
      expect(transactions).toBeLessThan(aRoundMax.transactions);
      expect(steps).toBeLessThan(aRoundMax.steps);
      expect(bytes / (rounds * outstanding)).toBeLessThan(messageBytesMax);
      expect(made / (rounds * outstanding)).toBeLessThan(madeBytesMax);
    });
  },
);
