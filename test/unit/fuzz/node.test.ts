import fc from 'fast-check';
import { raftNode } from 'rxraft';
import { afterEach, describe, expect, it } from 'vitest';
import { type Message, term } from '../../../src/core/index.ts';
import type { PeerFrame } from '../../../src/transport/transport.ts';
import { foundedStorage, n2, n3, ScriptedPeers } from '../streams/scripted-peers.ts';
import { type WordsNode, wordsMachine } from '../streams/words.ts';
import { anyPeerMessage } from '../transport/frames.ts';
import { fuzz, timeoutMs } from './budget.ts';

const nodes: WordsNode[] = [];
afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

/**
 * A frame as it may come from any node: of this group, in a term that is within reach. Entries and snapshots only a
 * leader sends, and a leader that lies is more than Raft withstands: they come in terms that are over.
 */
function within(frame: PeerFrame, currentTerm: number): PeerFrame {
  if (frame.type !== 'raft') return 'group' in frame ? { ...frame, group: 0 } : frame;
  const { message } = frame;
  const isLeaders = message.type === 'appendEntries' || message.type === 'installSnapshot';
  const terms = isLeaders ? currentTerm : 40;
  return { ...frame, group: 0, message: { ...message, term: term(message.term % terms) } as Message };
}

const frames = fc.array(
  fc.record({
    from: fc.constantFrom(n2, n3, { id: 'n9', storeId: 's9' }),
    message: anyPeerMessage,
    boot: fc.nat(9),
  }),
  { minLength: 1, maxLength: 12 },
);

describe('a node whose peers send whatever can be sent', { timeout: timeoutMs }, () => {
  it('goes on, and takes writes', async () => {
    const peers = new ScriptedPeers();
    peers.isObedient = true;
    const errors: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: object, what: string) => errors.push(what),
    };
    const node = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage: await foundedStorage(),
      transport: peers,
      members: [],
      electionMs: 60,
      heartbeatMs: 20,
      tickMs: 5,
      logger,
    });
    nodes.push(node);
    await node.write('before', { timeoutMs: 30_000 }); // It leads: there are terms that are over.
    let written = 0;

    await fuzz(frames, 60, async (list) => {
      for (const { from, message, boot } of list) {
        if (message.type !== 'frames') continue;
        for (const frame of message.frames) peers.say(from, within(frame, node.status().term), boot);
      }

      const { result } = await node.write('after', { timeoutMs: 30_000 });
      written += 1;
      expect(result).toBeGreaterThanOrEqual(written);
    });

    expect(node.status().lastApplied).toBeGreaterThanOrEqual(written);
    console.log(`${written} writes, ${errors.length} faults logged`);
  });
});
