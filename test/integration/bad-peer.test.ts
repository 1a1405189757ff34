import { describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { decodePeerMessage, encodePeerMessage } from '../../src/transport/message-codec.ts';
import { type HandshakeRefusal, type Hello, protocolVersion } from '../../src/transport/transport.ts';
import { clusterOfAll } from './harness/cluster.ts';
import { ask } from './harness/http.ts';
import type { ServerNode } from './harness/server-node.ts';
import { until } from './harness/until.ts';

const cluster = clusterOfAll(['n1', 'n2', 'n3']);

async function helloOf(change: Partial<Hello>): Promise<Hello> {
  const { clusterId } = await first().status();
  return { protocolVersion, clusterId, id: 'n9', storeId: 'a-store', bootCounter: 1, members: [], ...change };
}

function first(): ServerNode {
  return cluster.nodes[0] as ServerNode;
}

/** A peer that sends bytes of our choice, and hears what comes back. */
async function dial(): Promise<{
  readonly socket: WebSocket;
  readonly heard: Uint8Array[];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}> {
  const socket = new WebSocket(first().raftUrl);
  const heard: Uint8Array[] = [];
  socket.on('error', () => undefined);
  socket.on('message', (data) => heard.push(new Uint8Array(data as Buffer)));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise((resolve, reject) => socket.once('open', resolve).once('close', reject));
  return { socket, heard, closed };
}

/** How the node refuses a peer that introduces itself like this. */
async function refusalOf(change: Partial<Hello>): Promise<HandshakeRefusal> {
  const { socket, heard, closed } = await dial();
  socket.send(encodePeerMessage({ type: 'hello', hello: await helloOf(change) }));
  const { code } = await closed;
  const [answer] = heard.map((bytes) => decodePeerMessage(bytes));
  if (answer?.type !== 'refusal') throw new Error(`heard ${answer?.type}, and was closed with ${code}`);
  expect(code).toBeGreaterThan(4_000);
  return answer.refusal;
}

/** A peer that has been let in under this name: a member that this node does not know of yet. */
async function admitted(id: string) {
  const peer = await dial();
  peer.socket.send(encodePeerMessage({ type: 'hello', hello: await helloOf({ id }) }));
  await until('the node introduces itself', () => peer.heard.length === 1);
  peer.socket.send(encodePeerMessage({ type: 'ready' }));
  return peer;
}

async function expectUnharmed(): Promise<void> {
  for (const node of cluster.nodes) {
    expect((await node.ask('PUT /kv/unharmed', { body: 'yes' })).status).toBe(200);
  }
}

describe('a peer', () => {
  it('of another cluster is refused', async () => {
    const { code, reason } = await refusalOf({ id: 'n2', clusterId: 'another-cluster' });

    expect(code).toBe('otherCluster');
    expect(reason).toMatch(/n2 to another-cluster; check the addresses and the data folders/);
    await first().says(reason);
    await expectUnharmed();
  });

  it('with the name of a member that is connected, and an empty store, is to be stopped, and the member is as it was', async () => {
    const { code, reason } = await refusalOf({ id: 'n2', clusterId: null });

    expect(code).toBe('nameInUse');
    expect(reason).toMatch(/n2 is connected with its store .*empty store a-store.*Stop the second process/);
    expect(JSON.stringify((await first().status()).explain)).not.toContain('rxraft remove');
    await first().says(reason);
    await expectUnharmed();
  });

  it('with a known name and another store is refused, with the commands to replace the node', async () => {
    const second = cluster.nodes[1] as ServerNode;
    await second.kill();
    const { reason } = await until('the old store is not connected any more', async () => {
      const refusal = await refusalOf({ id: 'n2', clusterId: null });
      return refusal.code === 'wipedStore' && refusal;
    });
    second.start();
    await second.ready();

    expect(reason).toMatch(/empty store a-store.*rxraft remove n2.*--join http:\/\/HOST:PORT/);
    await first().says(reason);
    await expectUnharmed();
  });

  it('of another version of the protocol is refused', async () => {
    const { code, reason } = await refusalOf({ protocolVersion: 99 });

    expect(code).toBe('protocolVersion');
    expect(reason).toMatch(/version 99; run the same release/);
    await expectUnharmed();
  });

  it('that is no member is refused, with how to become one', async () => {
    const { code, reason } = await refusalOf({ clusterId: null });

    expect(code).toBe('notAMember');
    expect(reason).toMatch(/n9 is not a member.*--join http:\/\/HOST:PORT/);
    await expectUnharmed();
  });

  it('with the name of the node itself is refused', async () => {
    const { code, reason } = await refusalOf({ id: first().id });

    expect(code).toBe('nameInUse');
    expect(reason).toMatch(/both ends are called n1/);
  });

  it('that sends no frame, or text, has its connection closed, and the node lives on', async () => {
    const garbage = [
      Buffer.alloc(0),
      Buffer.from([16]),
      Buffer.from([16, 0xff, 0xff, 0xff, 0xff]),
      Buffer.alloc(100_000, 0xee),
      Buffer.concat([Buffer.from([16, 0, 0, 0, 60]), Buffer.alloc(60, 0xff)]),
      'text',
    ];
    for (const [at, message] of garbage.entries()) {
      const stranger = await dial();
      stranger.socket.send(message);
      const peer = await admitted(`new-${at}`); // Who broke the protocol is turned away for a while.
      peer.socket.send(message);

      const closes = await Promise.all([stranger.closed, peer.closed]);

      expect(closes[1].code).toBe(1002);
      expect(closes[1].reason).not.toBe('');
    }
    await first().says('a peer broke the protocol');
    await expectUnharmed();
  });

  it('that speaks plain HTTP is told where it is', async () => {
    const answer = await ask(`http://127.0.0.1:${first().place.raftPort}`, 'GET /kv/a');

    expect(answer.status).toBe(426);
    expect(answer.text).toContain('Clients use another port');
  });
});
