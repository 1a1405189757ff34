import { describe, expect, it } from 'vitest';
import { CallQueue } from '../../../src/transport/client/call-queue.ts';
import { ReadCall, WriteCall } from '../../../src/transport/client/calls.ts';
import { aborted } from '../../../src/transport/client/errors.ts';

const limits = { pendingMax: 10, pendingBytesMax: 10_000 };

function queueOf(): CallQueue {
  return new CallQueue(limits, () => undefined);
}

function writeOf(queue: CallQueue, bytes = new Uint8Array(100)): WriteCall {
  const call = new WriteCall(bytes, { deadlineMs: 1_000, order: queue.nextOrder() });
  call.answer.catch(() => undefined);
  return call;
}

function readOf(queue: CallQueue): ReadCall {
  const order = queue.nextOrder();
  const call = new ReadCall(new Uint8Array(100), {
    deadlineMs: 1_000,
    order,
    consistency: 'stale',
    index: 0,
  });
  call.answer.catch(() => undefined);
  return call;
}

describe('requests that are given up while they wait to be sent', () => {
  it('do not pile up, and only the others count', () => {
    const queue = queueOf();
    const kept = [writeOf(queue), readOf(queue), writeOf(queue)] as const;
    for (const call of kept) expect(queue.add(call)).toBe(null);

    for (let at = 0; at < 1_000; at++) {
      const call = at % 2 === 0 ? writeOf(queue) : readOf(queue);
      expect(queue.add(call)).toBe(null);
      queue.reject(call, aborted('notCommitted'));
    }

    expect(queue.pending).toBe(3);
    expect(queue.writes.length + queue.reads.length).toBeLessThanOrEqual(2 * limits.pendingMax);
    queue.dropDone();
    expect([...queue.writes, ...queue.reads]).toEqual([kept[0], kept[2], kept[1]]);
  });

  it('do not pile up among those that are held back either', () => {
    const queue = queueOf();
    for (let at = 0; at < 1_000; at++) {
      const call = writeOf(queue);
      queue.add(call);
      queue.hold(...(queue.takeWrites(1) as [WriteCall]));
      queue.reject(call, aborted('notCommitted'));
    }

    expect(queue.held.length).toBeLessThanOrEqual(limits.pendingMax);
  });

  it('keep no bytes, and those that are sent do', () => {
    const queue = queueOf();
    const [kept, waiting, sent] = [writeOf(queue), writeOf(queue), writeOf(queue)];
    for (const call of [kept, waiting, sent]) queue.add(call);
    sent.isSent = true;

    queue.reject(waiting, aborted('notCommitted'));
    queue.reject(sent, aborted('unknown'));

    expect([kept, waiting, sent].map(({ bytes }) => bytes.length)).toEqual([100, 0, 100]);
    expect(queue.add(writeOf(queue, new Uint8Array(9_900)))).toBe(null);
    expect(queue.add(writeOf(queue))?.code).toBe('RAFT_OVERLOADED');
  });
});
