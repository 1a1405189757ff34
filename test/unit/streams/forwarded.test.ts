import { setTimeout } from 'node:timers/promises';
import { filter, firstValueFrom } from 'rxjs';
import { raftNode } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { crc32, encodePayload } from '../../../src/core/index.ts';
import { isPiece } from '../../../src/transport/frame-codec.ts';
import type { ForwardFrame, PeerFrame } from '../../../src/transport/transport.ts';
import { foundedStorage, heartbeat, n2, n3, peerBoot, ScriptedPeers } from './scripted-peers.ts';
import { failureOf, type WordsMachine, type WordsNode, wordsMachine } from './words.ts';

const nodes: WordsNode[] = [];

afterEach(async () => {
  for (const node of nodes.splice(0)) await node.close();
});

async function startedNode(
  peers: ScriptedPeers,
  more: { pendingMax?: number; electionMs?: number; machine?: WordsMachine },
): Promise<WordsNode> {
  const node = await raftNode({
    id: 'n1',
    machine: wordsMachine(),
    storage: await foundedStorage(),
    transport: peers,
    members: [],
    electionMs: 60,
    heartbeatMs: 20,
    tickMs: 5,
    commandBytesMax: 1000,
    ...more,
  });
  nodes.push(node);
  return node;
}

async function leading(
  more: { pendingMax?: number; machine?: WordsMachine } = {},
): Promise<{ node: WordsNode; peers: ScriptedPeers }> {
  const peers = new ScriptedPeers();
  peers.isObedient = true;
  const node = await startedNode(peers, more);
  await firstValueFrom(
    node.state$.pipe(filter(({ role, commitIndex }) => role.type === 'leader' && commitIndex > 0)),
  );
  return { node, peers };
}

/** A node that follows n2, which keeps quiet afterwards. */
async function following(): Promise<{ node: WordsNode; peers: ScriptedPeers }> {
  const peers = new ScriptedPeers();
  const node = await startedNode(peers, { electionMs: 600_000 });
  peers.say(n2, heartbeat);
  await firstValueFrom(node.leader$.pipe(filter((leaderId) => leaderId === 'n2')));
  return { node, peers };
}

type WriteRequest = Extract<ForwardFrame['request'], { type: 'write' }>;

/** A sound write of one word, as n2 would pass it on, with some of it changed. */
function forwardOf(seq: number, change: Partial<WriteRequest> = {}): ForwardFrame {
  const payload = encodePayload([new TextEncoder().encode('"word"')]);
  const request = {
    type: 'write',
    payload,
    payloadChecksum: crc32(payload),
    count: 1,
    timeoutMs: 1000,
  } as const;
  return { type: 'forward', group: 0, seq, request: { ...request, ...change } };
}

async function seen<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const value = look();
    if (value !== undefined) return value;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a leader to whom a write is passed on', () => {
  it("commits it, and answers with the machine's result", async () => {
    const { node, peers } = await leading();

    peers.say(n2, forwardOf(1));

    const { bootCounter, seq, reply } = await seen(() => peers.replies[0]);
    expect({ bootCounter, seq }).toEqual({ bootCounter: peerBoot, seq: 1 });
    expect(reply).toMatchObject({ type: 'committed', results: [new TextEncoder().encode('1')] });
    expect((await node.read((words) => words)).value).toEqual(['word']);
  });

  const two = encodePayload([new Uint8Array(1), new Uint8Array(2)]);
  const noWord = encodePayload([new TextEncoder().encode('"word"'), Uint8Array.of(0xff)]);
  const large = encodePayload([new Uint8Array(1001)]);
  it.each([
    ["a count that is not the payload's", { count: 2 }, 'RAFT_BAD_REQUEST'],
    [
      'fewer commands than the payload has',
      { payload: two, payloadChecksum: crc32(two) },
      'RAFT_BAD_REQUEST',
    ],
    ['no command', { payload: new Uint8Array(0), payloadChecksum: 0, count: 0 }, 'RAFT_BAD_REQUEST'],
    ['a count that is no number', { count: Number.NaN }, 'RAFT_BAD_REQUEST'],
    ["a checksum that is not the payload's", { payloadChecksum: 1 }, 'RAFT_BAD_REQUEST'],
    ['bytes that are not', { payload: 'word' as unknown as Uint8Array }, 'RAFT_BAD_REQUEST'],
    ['a length beyond the payload', { payload: Uint8Array.of(0, 0, 0, 9, 1) }, 'RAFT_BAD_REQUEST'],
    [
      'a command that the machine can not read',
      { payload: noWord, payloadChecksum: crc32(noWord), count: 2 },
      'RAFT_BAD_REQUEST',
    ],
    ['no time to wait', { timeoutMs: Number.NaN }, 'RAFT_BAD_REQUEST'],
    ['too many bytes', { payload: large, payloadChecksum: crc32(large) }, 'RAFT_COMMAND_TOO_LARGE'],
  ])('refuses %s, and appends nothing', async (_what, change, code) => {
    const { node, peers } = await leading();
    const { lastIndex } = node.status();

    peers.say(n2, forwardOf(1, change));

    expect(peers.replies).toMatchObject([{ seq: 1, reply: { type: 'notCommitted', code } }]);
    expect(node.status().lastIndex).toBe(lastIndex);
    expect((await node.write('after')).result).toBe(1);
  });

  it('refuses what is more than it may hold', async () => {
    const { peers } = await leading({ pendingMax: 1 });
    peers.isObedient = false;

    peers.say(n2, forwardOf(1));
    peers.say(n2, forwardOf(2));

    expect(peers.replies).toMatchObject([
      { seq: 2, reply: { type: 'notCommitted', code: 'RAFT_OVERLOADED' } },
    ]);
  });

  it('appends it once if it comes twice', async () => {
    const { node, peers } = await leading();

    peers.say(n2, forwardOf(1));
    peers.say(n2, forwardOf(1));
    peers.say(n2, forwardOf(2));

    await seen(() => peers.replies[1]);
    expect(peers.replies.map(({ seq }) => seq)).toEqual([1, 2]);
    expect((await node.read((words) => words)).value).toEqual(['word', 'word']);
  });

  it("takes the first request of a peer's next run, and none of an earlier one", async () => {
    const { peers } = await leading();

    peers.say(n2, forwardOf(5));
    peers.say(n2, forwardOf(1), peerBoot + 1);
    peers.say(n2, forwardOf(6));

    await seen(() => peers.replies[1]);
    expect(peers.replies.map(({ bootCounter, seq }) => [bootCounter, seq])).toEqual([
      [peerBoot, 5],
      [peerBoot + 1, 1],
    ]);
  });

  it('forgets how far a peer was once nothing that was on its way can come any more, and nobody else', async () => {
    const { peers } = await leading();
    peers.say(n2, forwardOf(5));
    peers.say(n3, forwardOf(5));

    peers.emit({ type: 'outgoingDown', id: 'n2' });
    peers.say(n2, forwardOf(5));
    peers.emit({ type: 'down', id: 'n2' });
    peers.say(n3, forwardOf(5));
    peers.say(n2, forwardOf(4), peerBoot - 1);
    peers.say(n3, forwardOf(6));

    await seen(() => peers.replies.find(({ seq }) => seq === 6));
    expect(peers.replies.map(({ bootCounter, seq }) => [bootCounter, seq])).toEqual([
      [peerBoot, 5],
      [peerBoot, 5],
      [peerBoot - 1, 4],
      [peerBoot, 6],
    ]);
  });

  it('takes nothing for a group that it does not have', async () => {
    const { node, peers } = await leading();
    const { lastIndex } = node.status();

    peers.say(n2, { ...forwardOf(1), group: 1 });

    expect(peers.replies).toEqual([]);
    expect(node.status().lastIndex).toBe(lastIndex);
  });

  it('answers unknown when it closes first', async () => {
    const { node, peers } = await leading();
    peers.isObedient = false;
    peers.say(n2, forwardOf(1));

    await node.close();

    expect(peers.replies).toMatchObject([
      { seq: 1, reply: { type: 'unknown', code: 'RAFT_UNKNOWN_OUTCOME' } },
    ]);
  });
});

/** A machine whose results have so many bytes, on the way. */
function largeResults(bytes: number): WordsMachine {
  return {
    ...wordsMachine(),
    result: { encode: () => new Uint8Array(bytes), decode: (read) => read.length },
  };
}

const anything = (): boolean => true;
const noAnswer = ({ type }: PeerFrame): boolean => type !== 'forwardReply';

describe('a leader whose answer finds no room', () => {
  it('gives it later: a read index', async () => {
    const { node, peers } = await leading();
    peers.hasRoom = noAnswer;
    peers.say(n2, { type: 'forward', group: 0, seq: 1, request: { type: 'readIndex', timeoutMs: 60_000 } });
    await node.read((words) => words); // Confirmed with it, or after it.

    peers.hasRoom = anything;

    const { seq, reply } = await seen(() => peers.replies[0]);
    expect({ seq, reply }).toEqual({ seq: 1, reply: { type: 'readIndex', index: 1 } });
  });

  it('gives it later: the result of a write', async () => {
    const { node, peers } = await leading();
    peers.hasRoom = noAnswer;
    peers.say(n2, forwardOf(1, { timeoutMs: 60_000 }));
    await node.write('after');

    peers.hasRoom = anything;

    const { reply } = await seen(() => peers.replies[1]); // It is announced, and comes.
    expect(reply).toMatchObject({ type: 'results', index: 2, offset: 0, totalBytes: 5 });
    expect((reply as { bytes: Uint8Array }).bytes).toEqual(Uint8Array.of(0, 0, 0, 1, 0x31));
  });

  it('has until the deadline of the request, and no longer', async () => {
    const { node, peers } = await leading();
    peers.hasRoom = noAnswer;
    peers.say(n2, forwardOf(1, { timeoutMs: 1 }));
    peers.say(n3, forwardOf(1, { timeoutMs: 60_000 }));
    await node.write('after');
    await setTimeout(100);

    peers.hasRoom = anything;

    await seen(() => peers.replies[1]);
    expect(peers.sent.filter(({ frame }) => frame.type === 'forwardReply').map(({ to }) => to.id)).toEqual([
      'n3',
      'n3',
    ]);
  });

  it('begins large results anew on the next connection, if the peer was there meanwhile', async () => {
    const { node, peers } = await leading({ machine: largeResults(600 * 1024) });
    let room = 4; // Both announcements, and two parts of one.
    peers.hasRoom = (frame) => frame.type !== 'forwardReply' || room-- > 0;
    for (const peer of [n2, n3]) peers.say(peer, forwardOf(1, { timeoutMs: 60_000 }));
    await node.write('after');
    await seen(() => peers.replies[3]);

    peers.emit({ type: 'outgoingDown', id: 'n2' });
    peers.emit({ type: 'down', id: 'n3' });
    peers.hasRoom = anything;
    await seen(() => peers.replies[4 + 5]);
    await setTimeout(50);

    const later = peers.sent.filter(({ frame }) => frame.type === 'forwardReply').slice(4);
    expect(later.map(({ to }) => to.id)).toEqual(Array(6).fill('n2'));
    expect(later[0]).toMatchObject({ frame: { reply: { offset: 0, bytes: new Uint8Array(0) } } });
  });

  it('says that the write is committed when it closes before large results have left', async () => {
    const { node, peers } = await leading({ machine: largeResults(600 * 1024) });
    peers.hasRoom = (frame) => !isPiece(frame);
    peers.say(n2, forwardOf(1, { timeoutMs: 60_000 }));
    await seen(() => peers.replies[0]);

    await node.close();

    expect(peers.replies).toMatchObject([
      { seq: 1, reply: { type: 'results', index: 2 } },
      { seq: 1, reply: { type: 'unknown', code: 'RAFT_BAD_RESULT' } },
    ]);
  });
});

describe("a leader whose machine's results are no bytes", () => {
  it('says that the write is committed, and goes on', async () => {
    const machine = { ...wordsMachine(), result: { encode: () => undefined as never, decode: () => 0 } };
    const { node, peers } = await leading({ machine });

    peers.say(n2, forwardOf(1));

    const { reply } = await seen(() => peers.replies[0]);
    expect(reply).toMatchObject({
      type: 'unknown',
      code: 'RAFT_BAD_RESULT',
      message: expect.stringMatching(/committed at index 2, .*expected a Uint8Array/),
    });
    expect((await node.write('after')).index).toBe(3);
  });
});

const urlOfNew = 'ws://n4.test:1';

describe('a leader to whom a request of an operator is passed on', () => {
  const member = { id: 'n4', storeId: 's4', url: urlOfNew };
  it.each([
    ['a name', { type: 'add', member: { ...member, id: 'eu/db-4' }, role: 'learner' }],
    ['a URL', { type: 'add', member: { ...member, url: 'ws://n4.test:1#x' }, role: 'learner' }],
    ['a store', { type: 'add', member: { ...member, storeId: '' }, role: 'learner' }],
    ['a new URL', { type: 'move', id: 'n2', url: 'http://n2.test:1' }],
  ] as const)('refuses %s that no handshake has a place for', async (_what, change) => {
    const { node, peers } = await leading();
    const { lastIndex } = node.status();
    const request = {
      type: 'changeMembers',
      changes: [change],
      expectedIndex: null,
      timeoutMs: 1000,
    } as const;

    peers.say(n2, { type: 'forward', group: 0, seq: 1, request });

    const code = 'RAFT_BAD_REQUEST';
    expect(peers.replies).toMatchObject([{ seq: 1, reply: { type: 'notCommitted', code } }]);
    expect(node.status().lastIndex).toBe(lastIndex);
  });

  it.each<[string, ForwardFrame['request'], RegExp]>([
    [
      'no change',
      { type: 'changeMembers', changes: [], expectedIndex: null, timeoutMs: 1000 },
      /^there is no/,
    ],
    [
      'a successor without a name',
      { type: 'transferLeadership', to: 'no name!', timeoutMs: 1000 },
      /such as n4/,
    ],
  ])('refuses %s in the words of the node that should have', async (_what, request, words) => {
    const { node, peers } = await leading();
    const { lastIndex } = node.status();

    peers.say(n2, { type: 'forward', group: 0, seq: 1, request });

    const reply = { type: 'notCommitted', code: 'RAFT_BAD_REQUEST', message: expect.stringMatching(words) };
    expect(peers.replies).toMatchObject([{ seq: 1, reply }]);
    expect(node.status().lastIndex).toBe(lastIndex);
  });
});

describe('an operator who asks for what no node can be asked', () => {
  const remove = { type: 'remove', id: 'n2' } as const;
  const add = { type: 'add', id: 'n4', storeId: 's4', url: urlOfNew } as const;
  it.each<[string, (node: WordsNode) => Promise<void>, RegExp]>([
    ['no change', (node) => node.changeMembers([]), /no change/],
    ['more changes than fit', (node) => node.changeMembers(Array(257).fill(remove)), /257 changes.* 256/],
    ['no list', (node) => node.changeMembers(remove as never), /list/],
    ['an unknown change', (node) => node.changeMembers([{ ...remove, type: 'rename' } as never]), /"rename"/],
    ['a change that is none', (node) => node.changeMembers([null as never]), /expected one of/],
    ['an unknown role', (node) => node.changeMembers([{ ...add, role: 'boss' as never }]), /"boss"/],
    ['no index', (node) => node.changeMembers([remove], { expectedIndex: -1 }), /expectedIndex is -1/],
    ['no name', (node) => node.transferLeadership('not a name!'), /"not a name!"/],
  ])('is told so by the node that was asked, whether it leads or not: %s', async (_what, ask, words) => {
    const [follower, leader] = [await following(), await leading()];
    const { lastIndex } = leader.node.status();

    for (const { node } of [follower, leader]) {
      const asked = ask(node);
      const message = asked.catch((error: Error) => error.message);
      expect(await failureOf(asked)).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
      expect(await message).toMatch(words);
    }

    expect(follower.peers.forwards).toEqual([]);
    expect(leader.node.status().lastIndex).toBe(lastIndex);
  });

  it('is told so before any node is asked for its store', async () => {
    const { node, peers } = await following();
    const dialed = vi.spyOn(peers, 'setPeers');
    const adding = node.changeMembers([
      { type: 'add', id: 'n4', url: urlOfNew },
      { type: 'move', id: 'n2', url: 'http://n2.test:1' },
    ]);

    expect(await failureOf(adding)).toEqual({ code: 'RAFT_BAD_REQUEST', outcome: 'notCommitted' });
    expect(dialed).not.toHaveBeenCalled();
  });
});

describe('a follower that has passed a write on', () => {
  const committed = {
    type: 'committed',
    index: 2,
    term: 1,
    results: [new TextEncoder().encode('1')],
  } as const;

  async function passedOn(): Promise<{
    peers: ScriptedPeers;
    seq: number;
    bootCounter: number;
    written: Promise<unknown>;
  }> {
    const { node, peers } = await following();
    const written = node.write('word');
    const { seq } = await seen(() => peers.forwards[0]);
    return { peers, seq, bootCounter: 2, written }; // The store has been opened twice.
  }

  it("gives the caller the leader's answer", async () => {
    const { peers, seq, bootCounter, written } = await passedOn();

    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter, seq, reply: committed });

    expect(await written).toEqual({ index: 2, term: 1, result: 1 });
  });

  it('heeds neither an answer to an earlier run, nor that of a node it did not ask, nor that of another group', async () => {
    const { peers, seq, bootCounter, written } = await passedOn();
    const other = { ...committed, index: 99 };

    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter: bootCounter - 1, seq, reply: other });
    peers.say(n3, { type: 'forwardReply', group: 0, bootCounter, seq, reply: other });
    peers.say(n2, { type: 'forwardReply', group: 1, bootCounter, seq, reply: other });
    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter, seq, reply: committed });

    expect(await written).toMatchObject({ index: 2 });
  });

  it('answers unknown when the connection breaks', async () => {
    const { peers, written } = await passedOn();

    peers.emit({ type: 'outgoingDown', id: 'n2' });

    expect(await failureOf(written)).toEqual({ code: 'RAFT_UNKNOWN_OUTCOME', outcome: 'unknown' });
  });

  it.each([
    ["a result that can't be decoded", [Uint8Array.of(0xff)]],
    ['no result', []],
    ['two results', [Uint8Array.of(0x31), Uint8Array.of(0x31)]],
  ])('answers unknown, and says that it is committed, for %s', async (_what, results) => {
    const { peers, seq, bootCounter, written } = await passedOn();
    const message = written.catch((error: Error) => error.message);

    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter, seq, reply: { ...committed, results } });

    expect(await failureOf(written)).toEqual({ code: 'RAFT_BAD_RESULT', outcome: 'unknown' });
    expect(await message).toContain('committed at index 2');
  });

  it('sends it again to the next leader when this one refuses to lead, and only then', async () => {
    const { peers, seq, bootCounter, written } = await passedOn();
    const refusal = { type: 'notCommitted', code: 'RAFT_NOT_LEADER', message: '', leaderId: null } as const;

    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter, seq, reply: refusal });
    const again = await seen(() => peers.forwards[1]);
    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter, seq: again.seq, reply: committed });

    expect(await written).toMatchObject({ index: 2 });
    expect(again.seq).toBeGreaterThan(seq);
  });
});

describe('a follower that has asked for a read index', () => {
  it('asks the leader unless the caller wanted less, and queries only once that index is applied here', async () => {
    const { node, peers } = await following();
    let answer: unknown = 'none yet';
    node
      .read((words) => words.length)
      .then((read) => {
        answer = read;
      }, String);

    await setTimeout(20);
    expect(peers.forwards).toMatchObject([{ request: { type: 'readIndex' } }]);
    const { seq } = peers.forwards[0] as ForwardFrame;
    const reply = { type: 'readIndex', index: 5 } as const;
    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter: 2, seq, reply });
    await setTimeout(20);

    expect(answer).toBe('none yet');
  });

  it('asks anew when the connection breaks', async () => {
    const { node, peers } = await following();
    const read = node.read((words) => words.length);
    const first = await seen(() => peers.forwards[0]);

    peers.emit({ type: 'outgoingDown', id: 'n2' });
    const second = await seen(() => peers.forwards[1]);
    const reply = { type: 'readIndex', index: 0 } as const;
    peers.say(n2, { type: 'forwardReply', group: 0, bootCounter: 2, seq: second.seq, reply });

    expect(second.seq).toBeGreaterThan(first.seq);
    expect(await read).toEqual({ value: 0, index: 0, ageMs: 0 });
  });

  it('asks the new leader when there is another one', async () => {
    const { node, peers } = await following();
    const read = node.read((words) => words.length);
    await seen(() => peers.forwards[0]);

    const { message } = heartbeat as Extract<typeof heartbeat, { type: 'raft' }>;
    peers.say(n3, { type: 'raft', group: 0, message: { ...message, term: 2 as typeof message.term } });
    const { seq } = await seen(() => peers.forwards[1]);
    const reply = { type: 'readIndex', index: 0 } as const;
    peers.say(n3, { type: 'forwardReply', group: 0, bootCounter: 2, seq, reply });

    expect(await read).toEqual({ value: 0, index: 0, ageMs: 0 });
    expect(peers.sent.findLast(({ frame }) => frame.type === 'forward')?.to.id).toBe('n3');
  });
});
