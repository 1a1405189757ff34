import { jsonCodec } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { decodePayload } from '../../../src/core/index.ts';
import type { Answer } from '../../../src/streams/call.ts';
import type { Written } from '../../../src/streams/write-call.ts';
import { WriteQueue } from '../../../src/streams/write-queue.ts';
import { NotedRoutes } from './noted-routes.ts';
import { failureOf } from './words.ts';

const limits = { batchBytesMax: 1000, batchCountMax: 2, pendingMax: 100, pendingBytesMax: 2000 };
const patient = { deadlineMs: 1000, signal: undefined };
const notLeader = { type: 'notCommitted', code: 'RAFT_NOT_LEADER', message: '', leaderId: null } as const;

function queueOf(): {
  routes: NotedRoutes;
  queue: WriteQueue<number>;
  add: (...bytes: number[]) => string[];
} {
  const routes = new NotedRoutes();
  const queue = new WriteQueue<number>(routes, limits, jsonCodec<number>());
  const add = (...bytes: number[]): string[] => {
    const answers: string[] = [];
    const answer: Answer<Written<number>> = {
      resolve: ({ index, results, offset }) =>
        answers.push(`${index}: ${results.slice(offset, offset + bytes.length)}`),
      reject: (error) => answers.push((error as { code: string }).code),
    };
    queue.add({ commands: bytes.map((byte) => Uint8Array.of(byte)), takesOwn: false }, patient, answer);
    return answers;
  };
  return { routes, queue, add };
}

/** The commands of each batch that was passed on. */
function batchesOf({ frames }: NotedRoutes): number[][] {
  return frames.map(({ request }) =>
    request.type === 'write' ? decodePayload(request.payload).map((entry) => entry[0] as number) : [],
  );
}

describe('a queue of writes', () => {
  it('sends what has gathered in batches of whole calls, within its limits', () => {
    const { routes, queue, add } = queueOf();
    add(1);
    add(2);
    add(3, 4, 5);
    add(6);

    routes.leader = 'n2';
    queue.flush();

    expect(batchesOf(routes)).toEqual([[1, 2], [3, 4, 5], [6]]);
  });

  it('gives each call its own part of the answer', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'self';
    const [first, second] = [add(1), add(2)];
    queue.flush();

    queue.onResult(1, { type: 'committed', index: 7 as never, term: 1 as never }, [10, 20]);
    queue.onResult(1, { type: 'unknown' }, []);

    expect(first).toEqual(['7: 10']);
    expect(second).toEqual(['8: 20']);
  });

  it('sends what was refused once more, in the order of the calls', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    for (const byte of [1, 2, 3, 4]) add(byte);
    queue.flush();
    add(5);

    for (const seq of [1, 2]) queue.onReply('n2', seq, notLeader, () => 0);
    routes.leader = 'n3';
    queue.flush();

    expect(batchesOf(routes).slice(2)).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('keeps what can not leave, in its order', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    routes.isLinkUp = false;
    for (const byte of [1, 2, 3]) add(byte);
    queue.flush();
    expect(routes.frames).toEqual([]);

    routes.isLinkUp = true;
    queue.flush();

    expect(batchesOf(routes)).toEqual([[1, 2], [3]]);
  });

  it('gives up what a leader of before leaves unanswered, soon after there is another', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    const answers = add(1);
    queue.flush();

    routes.leader = null;
    queue.expire(100);
    routes.leader = 'n3';
    queue.expire(200);
    queue.expire(299);
    expect(answers).toEqual([]);

    queue.expire(300);

    expect(answers).toEqual(['RAFT_UNKNOWN_OUTCOME']);
  });

  it('waits on while the leader that took a write leads', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    const answers = add(1);
    queue.flush();

    for (const now of [100, 500, 999]) queue.expire(now);

    expect(answers).toEqual([]);
  });

  it('sends nothing more once it is closed, not even what comes back', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    const [sent, waiting] = [add(1), add(2, 3)];
    queue.flush();
    queue.close('RAFT_CLOSED', 'The node closed.');

    for (const seq of [1, 2]) queue.onReply('n2', seq, notLeader, () => 0);
    queue.flush();
    queue.expire(5000);

    expect(routes.frames).toHaveLength(2);
    expect([sent, waiting]).toEqual([['RAFT_CLOSED'], ['RAFT_CLOSED']]);
  });
});

describe('single writes of one turn', () => {
  const committed = { type: 'committed', index: 7 as never, term: 1 as never } as const;

  it('leave as one batch, and each is told of its own command', async () => {
    const { routes, queue } = queueOf();
    routes.leader = 'self';
    const [first, second] = [1, 2].map((byte) => queue.addOne(Uint8Array.of(byte), 1000));
    queue.flush();

    queue.onResult(1, committed, [10, 20]);

    expect(routes.inputs).toMatchObject([{ type: 'write', count: 2 }]);
    expect(await first).toEqual({ index: 7, term: 1, result: 10 });
    expect(await second).toEqual({ index: 8, term: 1, result: 20 });
  });

  it('stay within the limits of a batch, and in the order of the calls around them', () => {
    const { routes, queue, add } = queueOf();
    routes.leader = 'n2';
    for (const byte of [1, 2, 3]) void queue.addOne(Uint8Array.of(byte), 1000);
    add(4, 5);
    void queue.addOne(Uint8Array.of(6), 1000);
    void queue.addOne(Uint8Array.of(7), 2000);
    queue.flush();

    expect(batchesOf(routes)).toEqual([[1, 2], [3], [4, 5], [6, 7]]);
  });

  it('that come after a turn are not joined to those of before, which still wait', async () => {
    const { routes, queue } = queueOf();
    const early = queue.addOne(Uint8Array.of(1), 1000);
    queue.flush();
    routes.time = 900;
    const late = queue.addOne(Uint8Array.of(2), 1000);

    queue.expire(1000);

    await expect(early).rejects.toMatchObject({ code: 'RAFT_NO_LEADER', outcome: 'notCommitted' });
    routes.leader = 'self';
    queue.flush();
    queue.onResult(1, committed, [20]);
    expect(await late).toEqual({ index: 7, term: 1, result: 20 });
  });

  it('with another time limit are given up in their own time', async () => {
    const { routes, queue } = queueOf();
    routes.leader = 'self';
    const [hasty, calm] = [100, 1000].map((timeoutMs) => queue.addOne(Uint8Array.of(1), timeoutMs));
    queue.flush();

    queue.expire(100);
    queue.onResult(1, committed, [10, 20]);

    await expect(hasty).rejects.toMatchObject({ code: 'RAFT_TIMEOUT', outcome: 'unknown' });
    expect(await calm).toMatchObject({ index: 8, result: 20 });
  });

  it('beyond the limit are refused, and make room again once they are answered', async () => {
    const { routes, queue } = queueOf();
    routes.leader = 'self';
    const all = Array.from({ length: 100 }, () => queue.addOne(Uint8Array.of(1), 1000));
    await expect(queue.addOne(Uint8Array.of(1), 1000)).rejects.toMatchObject({ code: 'RAFT_OVERLOADED' });

    queue.flush();
    for (let id = 1; id <= 50; id++) queue.onResult(id, committed, [10, 20]);
    await Promise.all(all);

    expect(queue.addOne(Uint8Array.of(1), 1000)).toBeInstanceOf(Promise);
    queue.flush();
    expect(routes.inputs).toHaveLength(51);
  });
});

describe('a queue of writes that wait for a leader', () => {
  it('holds no more bytes than its limit, though a single larger call is taken', () => {
    const { queue } = queueOf();
    const answers: string[] = [];
    const add = (bytes: number): void =>
      queue.add({ commands: [new Uint8Array(bytes)], takesOwn: false }, patient, {
        resolve: () => answers.push('written'),
        reject: (error) => answers.push((error as Error).message),
      });

    add(5000);
    add(10);
    queue.expire(patient.deadlineMs);
    add(1500);
    add(1500);

    expect(answers).toEqual([
      expect.stringContaining('5004 bytes are waiting and 14 more came, the limit is 2000'),
      expect.stringContaining('No leader was found'),
      expect.stringContaining('1504 bytes are waiting'),
    ]);
  });
});

describe('a single write after one whose time was over while writes were held back', () => {
  it('has a time of its own, leaves, and takes up no room once it is answered', async () => {
    const routes = new NotedRoutes();
    routes.leader = 'self';
    const queue = new WriteQueue<number>(routes, { ...limits, pendingMax: 1 }, jsonCodec<number>());
    const codes: string[] = [];
    for (const startedAt of [0, 5, 10, 15]) {
      routes.time = startedAt;
      const late = queue.addOne(Uint8Array.of(1), 5);

      routes.time = startedAt + 5;
      queue.expire(routes.time); // Nothing was sent off: writes are held back.

      codes.push((await failureOf(late)).code);
    }
    expect(codes).toEqual(['RAFT_TIMEOUT', 'RAFT_TIMEOUT', 'RAFT_TIMEOUT', 'RAFT_TIMEOUT']);
    const next = queue.addOne(Uint8Array.of(2), 5);
    next.catch(() => undefined);
    queue.flush();
    expect(routes.inputs).toMatchObject([{ type: 'write', count: 1 }]);
  });
});
