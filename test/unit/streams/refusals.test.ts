import { describe, expect, it } from 'vitest';
import { Refusals } from '../../../src/streams/refusals.ts';
import { raftNode } from '../../../src/streams/start-node.ts';
import { foundedStorage, helloOf, n2, ScriptedPeers } from './scripted-peers.ts';
import { wordsMachine } from './words.ts';

const refusal = (id: string, by: 'us' | 'peer' = 'us', reason = 'of old') =>
  ({ id, by, code: 'wipedStore', reason }) as const;

describe('the refusals of a node', () => {
  it('are the latest of each node in each direction, the most recent one last', () => {
    const refusals = new Refusals(() => 0);

    refusals.add(refusal('n2'));
    refusals.add(refusal('n3'));
    refusals.add(refusal('n2', 'peer'));
    refusals.add(refusal('n2', 'us', 'of late'));

    expect(refusals.all).toEqual([refusal('n3'), refusal('n2', 'peer'), refusal('n2', 'us', 'of late')]);
  });

  it('are over once a connection is open, and those by this node when the members change', () => {
    const refusals = new Refusals(() => 0);
    for (const id of ['n2', 'n3']) for (const by of ['us', 'peer'] as const) refusals.add(refusal(id, by));

    refusals.forget('n2');
    expect(refusals.all).toEqual([refusal('n3', 'us'), refusal('n3', 'peer')]);
    refusals.forgetOurs();
    expect(refusals.all).toEqual([refusal('n3', 'peer')]);
  });

  it('are over once nobody has tried for a minute', () => {
    let now = 0;
    const refusals = new Refusals(() => now);

    refusals.add(refusal('n2'));
    refusals.add(refusal('n3'));
    now = 59_999;
    refusals.add(refusal('n3'));
    expect(refusals.all).toEqual([refusal('n2'), refusal('n3')]);
    now = 60_000;

    expect(refusals.all).toEqual([refusal('n3')]);
  });

  it('are kept of so many nodes and no more', () => {
    const refusals = new Refusals(() => 0);

    for (let stranger = 0; stranger < 300; stranger++) refusals.add(refusal(`stranger-${stranger}`));

    expect(refusals.all).toHaveLength(64);
    expect(refusals.all.at(-1)?.id).toBe('stranger-299');
  });
});

describe('a node of one cluster that is offered the founding of another', () => {
  it('has refused another cluster, and not a store that was lost', async () => {
    const peers = new ScriptedPeers();
    const storage = await foundedStorage();
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage,
      transport: peers,
      members: [],
    });
    const voters = [{ ...n2, url: 'ws://n2' }];

    peers.emit({ type: 'up', hello: helloOf(n2), direction: 'incoming' });
    peers.say(n2, { type: 'found', clusterId: 'another', voters });
    const { refusals } = node.status();
    await node.close();

    expect(refusals).toMatchObject([{ id: 'n2', by: 'us', code: 'otherCluster' }]);
  });
});
