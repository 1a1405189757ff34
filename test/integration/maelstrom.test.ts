import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFailed, onTestFinished } from 'vitest';
import type { Message } from '../../examples/maelstrom/message.ts';
import { checkLinearizability } from '../../src/testing/linearizability/index.ts';
import { Dice } from './harness/dice.ts';
import { LinKvClients } from './harness/lin-kv-clients.ts';
import { linKvModel } from './harness/lin-kv-history.ts';
import { MaelstromNetwork, type MessageFaults, noFaults } from './harness/maelstrom-network.ts';
import { MaelstromProcess, wrapper } from './harness/maelstrom-process.ts';
import { program } from './harness/server-node.ts';
import { until } from './harness/until.ts';

const mischief: MessageFaults = {
  lossProbability: 0.05,
  duplicateProbability: 0.1,
  delayMsMax: 10,
  lateMsMax: 80,
};

async function networkOfTest(count: number, seed: number): Promise<MaelstromNetwork> {
  const network = new MaelstromNetwork(count, seed);
  onTestFailed(() => console.error(network.logs));
  onTestFinished(() => network.remove());
  await Promise.all(network.nodes.map((node) => node.start()));
  return network;
}

/** Something that befalls a network of nodes, for long enough that another is elected. */
type Trouble = (network: MaelstromNetwork, dice: Dice) => Promise<void>;

/** A minority, drawn anew each time: perhaps with the leader, perhaps not. */
function drawFew({ nodes }: MaelstromNetwork, dice: Dice): readonly MaelstromProcess[] {
  const order = new Map(nodes.map((node) => [node, dice.roll()]));
  const shuffled = nodes.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
  return shuffled.slice(0, Math.floor((nodes.length - 1) / 2));
}

const cut: Trouble = async (network, dice) => {
  network.partition(drawFew(network, dice));
  await pause(1_000);
  network.partition();
};

const kill: Trouble = async (network, dice) => {
  const few = drawFew(network, dice);
  await Promise.all(few.map((node) => node.kill()));
  await pause(700);
  await Promise.all(few.map((node) => node.start()));
};

/** What was acknowledged is on the disks of some. */
const killAll: Trouble = async ({ nodes }) => {
  await Promise.all(nodes.map((node) => node.kill()));
  await Promise.all(nodes.map((node) => node.start()));
};

describe('nodes of Maelstrom', () => {
  it.each([
    { count: 3, seed: 11, troubles: [cut, kill, killAll] },
    { count: 5, seed: 12, troubles: [cut, kill] },
  ])(
    '$count of them are linearizable, whatever is lost, late, doubled, cut or killed',
    async ({ count, seed, troubles }) => {
      const network = await networkOfTest(count, seed);
      const clients = new LinKvClients(network, new Dice(seed + 1));
      clients.keys = ['a', 'b', 'c'];
      network.faults = mischief;
      const happened = () => [...Object.values(clients.answers), ...Object.values(network.counts)];

      clients.start(8);
      await until('something is written', () => clients.answers.write_ok > 10);
      const dice = new Dice(seed + 2);
      for (const trouble of troubles) await trouble(network, dice);
      await until('everything has happened five times', () => happened().every((times) => times >= 5));
      await clients.stop();
      network.faults = noFaults;
      for (const key of clients.keys) {
        for (const node of network.nodes) {
          const last = { name: `c-last-${node.id}`, key, operation: { type: 'read' } } as const;
          await until(`${node.id} answers`, () => clients.ask(node, last));
        }
      }

      console.log(
        `${count} nodes: ${JSON.stringify({ ...clients.answers, ...clients.others, ...network.counts })}`,
      );
      expect(checkLinearizability(linKvModel, clients.history)).toMatchObject({ type: 'linearizable' });
      expect(network.nodes.flatMap(({ strayLines }) => strayLines)).toEqual([]);
    },
  );
});

/** A cluster of one, started by a command, and the answers that it gave. */
async function aloneOfTest(command: readonly [string, ...string[]]) {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-maelstrom-'));
  const answers: Message[] = [];
  const onMessage = (message: Message) => answers.push(message);
  const node = new MaelstromProcess({ id: 'n1', ids: ['n1'], folder, command, onMessage });
  onTestFailed(() => console.error(node.log));
  onTestFinished(async () => {
    await node.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await node.start();
  return {
    node,
    tell: (body: object) => node.tell({ src: 'c1', dest: 'n1', body: { ...body } }),
    answerTo: (id: number) =>
      until(`${id} is answered`, () => answers.find(({ body }) => body['in_reply_to'] === id)?.body),
  };
}

describe('a node of Maelstrom by itself', () => {
  it('does what it can with any line, keeps what it acknowledged, and ends when it is told to', async () => {
    const { node, tell, answerTo } = await aloneOfTest([wrapper]);

    for (const line of ['', 'nonsense', '[1]', '{"src":1}', '{"src":"c","dest":"n1","body":[]}', '\u0000'])
      node.tellLine(line);
    node.tellLine('x'.repeat(10 * 1024 * 1024)); // Longer than any line may be.
    for (const type of ['rxraft_hello', 'rxraft_frames', 'rxraft_nothing', 'read_ok'])
      tell({ type, link: 'l', token: 't', seq: 1, data: '!', in_reply_to: 1 });
    tell({ type: 'write', key: 'no number', value: 1 });
    tell({ type: 'broadcast', msg_id: 2 });
    tell({ msg_id: 3, key: 1 });
    tell({ type: 'init', msg_id: 4, node_id: 'n2', node_ids: ['n1', 'n2'] });
    tell({ type: 'init', msg_id: 5, node_id: 'n1', node_ids: ['n1'] });
    tell({ type: 'write', msg_id: 6, key: { any: ['JSON'] }, value: { as: 'well' } });

    expect(await answerTo(6)).toEqual({ type: 'write_ok', in_reply_to: 6 });
    expect(await answerTo(5)).toEqual({ type: 'init_ok', in_reply_to: 5 });
    for (const [id, code] of [
      [2, 10],
      [3, 12],
      [4, 12],
    ] as const)
      expect(await answerTo(id)).toMatchObject({ type: 'error', code });

    await node.kill();
    await node.start();
    tell({ type: 'read', msg_id: 7, key: { any: ['JSON'] } });

    expect(await answerTo(7)).toMatchObject({ type: 'read_ok', value: { as: 'well' } });
    expect(await node.stop('stdin')).toBe(0);
    await node.start();
    expect(await node.stop('SIGTERM')).toBe(0);
    expect(node.strayLines).toEqual([]);
  });

  it('ends when whoever started it is killed, and the next one finds what it acknowledged', async () => {
    const script = `'${process.execPath}' '${program}' maelstrom; true`; // A shell that stays, as under npx.
    const { node, tell, answerTo } = await aloneOfTest(['sh', '-c', script]);
    tell({ type: 'write', msg_id: 2, key: 1, value: 'kept' });
    await answerTo(2);

    await node.kill(); // Resolves when the output has ended, too.
    await node.start();
    tell({ type: 'read', msg_id: 3, key: 1 });

    expect(await answerTo(3)).toMatchObject({ type: 'read_ok', value: 'kept' });
  });
});
