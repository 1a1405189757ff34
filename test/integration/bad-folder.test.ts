import { createHash } from 'node:crypto';
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { open as openLmdb } from 'lmdb';
import { beforeAll, describe, expect, it } from 'vitest';
import { encodeRecord } from '../../src/storage/record.ts';
import { storeKey } from '../../src/storage/store-keys.ts';
import { type Cluster, clusterOfAll, clusterOfTest } from './harness/cluster.ts';
import type { ServerNode } from './harness/server-node.ts';

const fileOf = (node: ServerNode): string => join(node.place.data, 'data.mdb');
const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

const origin = clusterOfAll(['n1']);

beforeAll(async () => {
  const [node] = origin.nodes as [ServerNode];
  for (let key = 0; key < 50; key++) await node.ask(`PUT /kv/k${key}`, { body: 'v'.repeat(1_000) });
  await node.stop();
});

/** A node of one that has a few keys and does not run. */
async function stoppedNode(cluster: Cluster): Promise<ServerNode> {
  const [{ place }] = origin.nodes as [ServerNode];
  const node = await cluster.addNode('n1');
  cpSync(place.data, node.place.data, { recursive: true });
  return node;
}

/** Starts a node that must refuse, and see to it that it leaves the data as they are. */
async function expectRefusal(node: ServerNode, words: RegExp): Promise<void> {
  const before = hashOf(fileOf(node));
  node.start();
  const { code } = await node.ended;

  expect(code).toBe(1);
  expect(node.log).toMatch(words);
  expect(node.log).toMatch(/[Nn]othing was changed/);
  expect(hashOf(fileOf(node))).toBe(before);
}

describe('the data folder of another node', () => {
  it('is refused, and is as good as before', async () => {
    const cluster = clusterOfTest();
    const owner = await stoppedNode(cluster);
    const other = await cluster.addNode('n2', owner.place.data);

    await expectRefusal(other, /n2 was not started.*belongs to node n1.*RAFT_STORE_OTHER_NODE/);

    owner.start();
    await owner.ready();
    expect((await owner.ask('GET /kv/k49')).status).toBe(200);
  });
});

describe('a data folder that a process has open', () => {
  it('is refused to a second one, and the first goes on', async () => {
    const cluster = clusterOfTest();
    const [owner] = (await cluster.found(['n1'])) as [ServerNode];
    const second = await cluster.addNode('n1', owner.place.data);

    second.start();
    const { code } = await second.ended;

    expect(code).toBe(1);
    expect(second.log).toMatch(
      new RegExp(`process ${owner.pid} has the store .*Stop the other one.*RAFT_STORE_IN_USE`),
    );
    expect((await owner.ask('PUT /kv/a', { body: 'b' })).status).toBe(200);
    expect(readFileSync(join(owner.place.data, 'pid'), 'utf8')).toBe(`${owner.pid}\n`);
  });
});

describe('a damaged data folder', () => {
  it('is refused when its file begins with garbage', async () => {
    const node = await stoppedNode(clusterOfTest());
    const file = openSync(fileOf(node), 'r+');
    writeSync(file, Buffer.alloc(8_192, 0xa5), 0, 8_192, 0);
    closeSync(file);

    await expectRefusal(node, /data\.mdb is damaged.*move the folder away.*join again.*RAFT_STORE_DAMAGED/);
  });

  it('is refused when its file was cut off', async () => {
    const node = await stoppedNode(clusterOfTest());
    truncateSync(fileOf(node), Math.floor(statSync(fileOf(node)).size / 2));

    await expectRefusal(node, /data\.mdb is damaged.*move the folder away.*join again.*RAFT_STORE_DAMAGED/);
  });

  it('is refused when a record does not match its checksum', async () => {
    const node = await stoppedNode(clusterOfTest());
    const bytes = readFileSync(fileOf(node)).toString('latin1');
    const changed = bytes.replaceAll('"currentTerm":1', '"currentTerm":9');
    expect(changed).not.toBe(bytes);
    writeFileSync(fileOf(node), changed, 'latin1');

    await expectRefusal(node, /hardState.*checksum.*RAFT_STORE_DAMAGED/);
  });
});

describe('the data folder of a newer version', () => {
  it('is refused', async () => {
    const node = await stoppedNode(clusterOfTest());
    const environment = openLmdb<Uint8Array, Uint8Array>({
      path: node.place.data,
      noSubdir: false,
      encoding: 'binary',
      keyEncoding: 'binary',
      maxDbs: 1,
      overlappingSync: false,
    });
    await environment.put(storeKey('format'), encodeRecord(99));
    await environment.close();

    await expectRefusal(node, /has format 99.*Start the newer version that wrote it.*RAFT_STORE_NEWER/);
  });
});

describe('a known node whose folder was wiped', () => {
  it('is refused by the others with the commands to replace it, and they go on', async () => {
    const cluster = clusterOfTest();
    const nodes = await cluster.found(['n1', 'n2', 'n3']);
    const leader = await cluster.leader();
    const [wiped, other] = nodes.filter((node) => node !== leader) as [ServerNode, ServerNode];
    await leader.ask('PUT /kv/before', { body: 'b' });
    await wiped.stop();
    const saved = `${wiped.place.data}.saved`;
    renameSync(wiped.place.data, saved);

    wiped.start();

    const remedy = new RegExp(`empty store .*rxraft remove ${wiped.id}.*--join http://HOST:PORT`);
    await Promise.all([wiped.says(remedy), leader.says(remedy), other.says(remedy)]);
    const answer = await wiped.ask('GET /kv/before?timeoutMs=100');
    expect([answer.status, answer.error.code]).toEqual([503, 'RAFT_NO_LEADER']);
    expect((await wiped.status()).clusterId).toBe(null);

    // It was turned away time and again, which is told once for each side and direction.
    for (const { log } of [wiped, leader, other]) {
      const told = log.split('\n').filter((line) => remedy.test(line));
      expect(told.length).toBe(new Set(told.map((line) => line.replace(/"time":\d+/, ''))).size);
    }

    // The others go on, and the new store has no say: one more failure stops writes.
    expect((await leader.ask('PUT /kv/meanwhile', { body: 'm' })).status).toBe(200);
    await other.stop();
    expect((await leader.ask('PUT /kv/alone?timeoutMs=300', { body: 'a' })).status).toBe(503);
    other.start();
    await Promise.all([leader.ready(), other.ready()]);

    // If only the path was wrong, the right one mends it.
    await wiped.stop();
    renameSync(wiped.place.data, `${saved}.not`);
    renameSync(saved, wiped.place.data);
    wiped.start();
    await wiped.ready();
    expect((await wiped.ask('GET /kv/meanwhile')).text).toBe('m');
  });
});

describe('the data folder of another cluster', () => {
  it('is turned away by the others, and neither cluster takes harm', async () => {
    const cluster = clusterOfTest();
    const [n1, n2, n3] = (await cluster.found(['n1', 'n2', 'n3'])) as [ServerNode, ServerNode, ServerNode];
    const strange = await cluster.addNode('n3', join(cluster.folder, 'strange'));
    strange.setMembers([strange]);
    strange.start();
    await strange.ready();
    await strange.ask('PUT /kv/whose', { body: 'theirs' });
    await strange.stop();
    await n3.stop();

    n3.start('--data', strange.place.data);

    const { clusterId } = await n1.status();
    const reason = new RegExp(`refused by.*${clusterId}.*check the addresses and the data folders`);
    await Promise.all([n1, n2, n3].map((node) => node.says(reason)));
    await n3.says('the members in the store win');
    expect((await n1.ask('PUT /kv/whose', { body: 'ours' })).status).toBe(200);

    await n3.stop();
    n3.start();
    await n3.ready();
    expect((await n3.ask('GET /kv/whose')).text).toBe('ours');
    strange.start();
    await strange.ready();
    expect((await strange.ask('GET /kv/whose')).text).toBe('theirs');
    expect(existsSync(join(strange.place.data, 'data.mdb'))).toBe(true);
  });
});
