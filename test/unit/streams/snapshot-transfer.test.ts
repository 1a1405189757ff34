import { describe, expect, it } from 'vitest';
import { type Input, index, index0, type Peer } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import type { SnapshotView } from '../../../src/storage/storage.ts';
import { crc32 } from '../../../src/streams/crc32.ts';
import { NoSnapshotError } from '../../../src/streams/saved-machine.ts';
import { SnapshotReceiver } from '../../../src/streams/snapshot-receiver.ts';
import {
  type GivenUpTransfer,
  type MalformedTransfer,
  SnapshotSender,
} from '../../../src/streams/snapshot-sender.ts';
import type { PeerFrame, SnapshotAckFrame } from '../../../src/transport/transport.ts';
import { n2, n3 } from './scripted-peers.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A view of so many pieces, which notes what is asked of it. */
class ScriptedView implements SnapshotView {
  readonly index = index(10);
  readonly logTimeMs = 5;
  readonly asked: number[] = [];
  isClosed = false;
  readonly #pieces: number;

  constructor(pieces: number) {
    this.#pieces = pieces;
  }

  chunk(number: number) {
    this.asked.push(number);
    if (number >= this.#pieces) return undefined;
    return { number, bytes: Uint8Array.of(number), isLast: number === this.#pieces - 1 };
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A sender with a view of twenty pieces, in time that passes when told to. */
function sending(view: () => Promise<SnapshotView>) {
  const frames: PeerFrame[] = [];
  const inputs: Input[] = [];
  const errors: unknown[] = [];
  const givenUp: GivenUpTransfer[] = [];
  const malformed: MalformedTransfer[] = [];
  const clock = { nowMs: 0 };
  const room = { isThere: true };
  const sender = new SnapshotSender({
    group: 0,
    view,
    send: (_to: Peer, frame) => (room.isThere || frame.type !== 'snapshotChunk') && frames.push(frame) > 0,
    input: (input) => inputs.push(input),
    now: () => clock.nowMs,
    onError: (error) => errors.push(error),
    onGivenUp: (transfer) => givenUp.push(transfer),
    onMalformed: (transfer) => malformed.push(transfer),
  });
  const offer = () => frames.findLast((frame) => frame.type === 'snapshotOffer');
  const ack = (more: Partial<SnapshotAckFrame>, from = n2) =>
    sender.onAck(from, {
      type: 'snapshotAck',
      group: 0,
      transferId: offer()?.transferId ?? '',
      nextChunk: 0,
      status: 'receiving',
      ...more,
    });
  const numbers = () => frames.flatMap((frame) => (frame.type === 'snapshotChunk' ? [frame.number] : []));
  return { sender, frames, inputs, errors, givenUp, malformed, clock, room, offer, ack, numbers };
}

const request = { type: 'sendSnapshotReq', seq: 1, to: n2, from: index(3) } as const;

describe('a node that sends a snapshot', () => {
  it('sends a few pieces at a time, and tells when all are there', async () => {
    const view = new ScriptedView(6);
    const { sender, inputs, ack, numbers } = sending(async () => view);
    sender.begin(request);
    await turn();

    ack({ nextChunk: 0 });
    expect(numbers()).toEqual([0, 1, 2, 3]);
    ack({ nextChunk: 2 });
    ack({ nextChunk: 1 }); // Late.
    expect(numbers()).toEqual([0, 1, 2, 3, 4, 5]);
    ack({ nextChunk: 6, status: 'complete' });

    expect(inputs).toMatchObject([{ type: 'sendSnapshotRes', seq: 1, sent: { index: 10, logTimeMs: 5 } }]);
    expect(view.isClosed).toBe(true);
  });

  it('goes on where the follower is after a new connection, and repeats what may be lost', async () => {
    const { sender, clock, ack, numbers, frames } = sending(async () => new ScriptedView(20));
    sender.begin(request);
    await turn();
    ack({ nextChunk: 0 });

    sender.onUp('n2');
    ack({ nextChunk: 2 });
    expect(numbers()).toEqual([0, 1, 2, 3, 2, 3, 4, 5]);
    clock.nowMs = 2001;
    sender.onTick();
    sender.onTick();

    expect(frames.filter((frame) => frame.type === 'snapshotOffer')).toHaveLength(3);
  });

  it('does not look for what a follower can not have', async () => {
    const view = new ScriptedView(20);
    const { sender, ack } = sending(async () => view);
    sender.begin(request);
    await turn();

    ack({ nextChunk: 1_000_000 });
    ack({ transferId: 'another', nextChunk: 0 });
    ack({ nextChunk: 0 }, n3);

    expect(view.asked).toEqual([]);
  });

  it('offers nothing when the view comes too late', async () => {
    const views = [new ScriptedView(1), new ScriptedView(1)];
    const ready: ((view: SnapshotView) => void)[] = [];
    const { sender, frames } = sending(() => new Promise((resolve) => ready.push(resolve)));
    sender.begin(request);
    sender.begin({ ...request, seq: 2 });
    sender.close();

    for (const [at, resolve] of ready.entries()) resolve(views[at] as SnapshotView);
    await turn();

    expect(frames).toEqual([]);
    expect(views.map((view) => view.isClosed)).toEqual([true, true]);
  });

  it('sends what was asked for last, whichever view comes first', async () => {
    const views = [new ScriptedView(1), new ScriptedView(1)] as const;
    const ready: ((view: SnapshotView) => void)[] = [];
    const { sender, ack, inputs } = sending(() => new Promise((resolve) => ready.push(resolve)));
    sender.begin(request);
    sender.begin({ ...request, seq: 2 });

    ready[1]?.(views[1]);
    await turn();
    ready[0]?.(views[0]);
    await turn();
    ack({ nextChunk: 1, status: 'refused' });

    expect(inputs).toEqual([{ type: 'sendSnapshotRes', seq: 2, sent: null }]);
    expect(views.map((view) => view.isClosed)).toEqual([true, true]);
  });

  it('gives up a follower that is silent for a minute', async () => {
    const { sender, inputs, givenUp, clock } = sending(async () => new ScriptedView(1));
    sender.begin(request);
    await turn();

    clock.nowMs = 60_001;
    sender.onTick();

    expect(inputs).toMatchObject([{ seq: 1, sent: null }]);
    expect(givenUp).toMatchObject([{ to: n2, index: 10, nextChunk: null }]);
  });

  it('gives up a follower that answers each offer, and gets no further for a minute', async () => {
    const { sender, inputs, givenUp, clock, room, ack } = sending(async () => new ScriptedView(20));
    room.isThere = false;
    sender.begin(request);
    await turn();
    clock.nowMs = 59_000; // The first answer counts.

    for (; clock.nowMs < 119_000; clock.nowMs += 1_000) {
      ack({ nextChunk: 0 });
      sender.onUp('n2');
      sender.onTick();
    }
    expect(inputs).toEqual([]);
    clock.nowMs = 119_001;
    sender.onTick();

    expect(inputs).toMatchObject([{ seq: 1, sent: null }]);
    expect(givenUp).toMatchObject([{ to: n2, index: 10, nextChunk: 0 }]);
  });

  it('goes on with a follower that is slow, as long as it gets further', async () => {
    const { sender, inputs, clock, ack } = sending(async () => new ScriptedView(20));
    sender.begin(request);
    await turn();

    for (let nextChunk = 0; nextChunk < 20; nextChunk++) {
      ack({ nextChunk });
      clock.nowMs += 50_000;
      sender.onTick();
    }

    expect(inputs).toEqual([]);
  });

  describe('that its follower finds malformed', () => {
    /** Lets each snapshot be refused as soon as it is offered. Gives when the core was told of so many of them. */
    async function refused({ sender, clock, ack, inputs }: ReturnType<typeof sending>, times: number) {
      const told: number[] = [];
      for (let seq = 1; seq <= times; seq++) {
        sender.begin({ ...request, seq });
        await turn();
        const since = clock.nowMs;
        ack({ status: 'malformed' });
        while (inputs.length < seq) {
          clock.nowMs += 500;
          sender.onTick();
        }
        told.push(clock.nowMs - since);
      }
      return told;
    }

    it('tells the core after a pause that doubles up to a minute, once each time', async () => {
      const node = sending(async () => new ScriptedView(1));

      const told = await refused(node, 8);
      node.clock.nowMs += 120_000;
      node.sender.onTick();

      expect(told).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
      expect(node.malformed.map(({ to, index: at, pauseMs }) => [to.id, at, pauseMs])).toEqual(
        told.map((pauseMs) => ['n2', 10, pauseMs]),
      );
      expect(node.inputs).toEqual(
        told.map((_, at) => ({ type: 'sendSnapshotRes', seq: at + 1, sent: null })),
      );
    });

    it('begins with the shortest pause again after one that was taken, and when it leads anew', async () => {
      const node = sending(async () => new ScriptedView(1));
      await refused(node, 3);

      node.sender.begin({ ...request, seq: 4 });
      await turn();
      node.ack({ status: 'complete' });
      node.inputs.length = 0;
      expect(await refused(node, 2)).toEqual([1_000, 2_000]);
      node.sender.close();
      node.inputs.length = 0;

      expect(await refused(node, 1)).toEqual([1_000]);
    });

    it('has nothing to tell of what the core does not wait for any more', async () => {
      const { sender, clock, ack, inputs } = sending(async () => new ScriptedView(1));
      sender.begin(request);
      await turn();
      ack({ status: 'malformed' });

      sender.begin({ ...request, seq: 2 });
      await turn();
      clock.nowMs = 30_000;
      sender.onTick();

      expect(inputs).toEqual([]);
    });
  });

  it('reads a piece once, however long there is no room for it', async () => {
    const view = new ScriptedView(20);
    const { sender, clock, room, ack, numbers } = sending(async () => view);
    room.isThere = false;
    sender.begin(request);
    await turn();

    ack({ nextChunk: 0 });
    for (; clock.nowMs < 1_000; clock.nowMs += 25) sender.onTick();
    expect(view.asked).toEqual([0]);
    room.isThere = true;
    sender.onTick();

    expect(view.asked).toEqual([0, 1, 2, 3]);
    expect(numbers()).toEqual([0, 1, 2, 3]);
  });

  it('begins anew after a pause where the machine gives none, unless nobody wants it any more', async () => {
    const { sender, clock, inputs, errors } = sending(() => Promise.reject(new NoSnapshotError('no Map')));
    sender.begin(request);
    sender.begin({ ...request, seq: 2 });
    await turn();

    clock.nowMs = 999;
    sender.onTick();
    const early = [...inputs];
    clock.nowMs = 1_000;
    sender.onTick();

    expect([early, errors]).toEqual([[], []]);
    expect(inputs).toEqual([{ type: 'sendSnapshotRes', seq: 2, sent: null }]);
  });

  it('says so when its disk can not be read', async () => {
    const view = new ScriptedView(1);
    view.chunk = () => {
      throw new Error('I/O error');
    };
    const { sender, ack, errors } = sending(async () => view);
    sender.begin(request);
    await turn();

    ack({ nextChunk: 0 });

    expect(errors).toMatchObject([{ message: 'I/O error' }]);
  });
});

const entry = (key: number) => encodeChunk([[Uint8Array.of(key), Uint8Array.of(key)]]);

/** A receiver on a disk in memory, for a machine whose values are below 200. */
async function receiving() {
  const storage = memoryStorage();
  await storage.open();
  const acks: SnapshotAckFrame[] = [];
  const errors: unknown[] = [];
  const refused: string[] = [];
  const state = { nowMs: 0, commitIndex: index0 };
  const receiver = new SnapshotReceiver({
    group: 0,
    storage,
    isEntry: (_key, [value = 0]) => value < 200,
    commitIndex: () => state.commitIndex,
    send: (_to, frame) => void (frame.type === 'snapshotAck' && acks.push(frame)),
    now: () => state.nowMs,
    onRefused: ({ id }, { code }) => refused.push(`${id} ${code}`),
    onError: (error) => errors.push(error),
  });
  return {
    receiver,
    acks,
    errors,
    refused,
    state,
    storage,
    async offer(transferId = 't', at = 10) {
      receiver.onOffer(n2, { type: 'snapshotOffer', group: 0, transferId, index: index(at) });
      await idle();
    },
    async chunk(number: number, bytes = entry(number), isLast = false) {
      const checksum = crc32(bytes);
      receiver.onChunk(n2, {
        type: 'snapshotChunk',
        group: 0,
        transferId: 't',
        number,
        bytes,
        isLast,
        checksum,
      });
      await idle();
    },
  };
}

const idle = async () => {
  for (let turns = 0; turns < 10; turns++) await turn();
};

describe('a node that receives a snapshot', () => {
  it('takes each piece once and in order, whatever comes when', async () => {
    const { acks, offer, chunk } = await receiving();
    await offer();

    await chunk(0);
    await chunk(2);
    await chunk(0);
    await chunk(1);
    await chunk(2, entry(2), true);

    expect(acks.map(({ nextChunk, status }) => [nextChunk, status])).toEqual([
      [0, 'receiving'],
      [1, 'receiving'],
      [1, 'receiving'],
      [1, 'receiving'],
      [2, 'receiving'],
      [3, 'complete'],
    ]);
  });

  it('refuses what covers nothing new, and what is malformed, and goes on', async () => {
    const { acks, errors, refused, state, offer, chunk } = await receiving();
    state.commitIndex = index(10);
    await offer();
    expect(acks.at(-1)?.status).toBe('refused');

    state.commitIndex = index0;
    await offer();
    await chunk(0, Uint8Array.of(1, 255, 255));
    expect(acks.at(-1)?.status).toBe('malformed');
    await offer();
    await chunk(0);
    await chunk(1, entry(200));
    expect(acks.at(-1)).toMatchObject({ nextChunk: 0, status: 'malformed' });
    await offer('another');

    expect(acks.at(-1)).toMatchObject({ transferId: 'another', nextChunk: 0, status: 'receiving' });
    expect(refused).toEqual(['n2 RAFT_BAD_SNAPSHOT', 'n2 RAFT_BAD_SNAPSHOT']);
    expect(errors).toEqual([]);
  });

  it('is busy with it no longer than the sender speaks, or the node needs it', async () => {
    const { receiver, state, offer } = await receiving();
    await offer();
    expect(receiver.isReceiving).toBe(true);

    state.nowMs = 60_001;
    expect(receiver.isReceiving).toBe(false);
    state.nowMs = 0;
    state.commitIndex = index(10);
    expect(receiver.isReceiving).toBe(false);
  });

  it('says so when its disk fails', async () => {
    const { errors, storage, offer } = await receiving();
    await storage.close();

    await offer();

    expect(errors).toHaveLength(1);
  });
});
