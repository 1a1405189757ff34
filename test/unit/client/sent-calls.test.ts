import { describe, expect, it } from 'vitest';
import { type AnyCall, WriteCall } from '../../../src/transport/client/calls.ts';
import { SentCalls } from '../../../src/transport/client/sent-calls.ts';

function call(order: number): WriteCall {
  return new WriteCall(new Uint8Array(), { deadlineMs: 0, order });
}

/** So many calls, whose order is the id that they get if they are the first. */
function calls(count: number): WriteCall[] {
  return Array.from({ length: count }, (_, at) => call(at + 1));
}

const orderOf = (each: AnyCall | undefined): number | undefined => each?.order;

describe('requests that a server has', () => {
  it('get ids that follow each other, and are taken once', () => {
    const sent = new SentCalls();

    expect(sent.add(calls(2))).toBe(1);
    expect(sent.add([call(3)])).toBe(3);

    expect([1, 3, 3, 2, 4, 0].map((id) => orderOf(sent.take(id)))).toEqual([
      1,
      3,
      undefined,
      2,
      undefined,
      undefined,
    ]);
    expect(sent.size).toBe(0);
    expect(sent.add([call(4)])).toBe(4);
  });

  it('are found by their ids however many others have come and gone', () => {
    const sent = new SentCalls();
    const late = [1, 100, 5_000];
    let id = 1;
    for (let turn = 0; turn < 1_000; turn++) {
      const first = sent.add(Array.from({ length: 10 }, (_, at) => call(id + at)));
      expect(first).toBe(id);
      for (let at = 9; at >= 0; at--)
        if (!late.includes(id + at)) expect(sent.take(id + at)?.order).toBe(id + at);
      id += 10;
    }

    expect(sent.size).toBe(3);
    expect([...sent].map(orderOf)).toEqual(late);
    expect(sent.take(100)?.order).toBe(100);
    expect([...sent].map(orderOf)).toEqual([1, 5_000]);
  });

  it('are taken away by what they are, in their order', () => {
    const sent = new SentCalls();
    sent.add(calls(2_000));
    for (let id = 3; id <= 1_900; id++) sent.take(id);

    const odd = sent.takeAll(({ order }) => order % 2 === 1);

    expect(odd.map(orderOf)).toEqual([1, ...Array.from({ length: 50 }, (_, at) => 1_901 + 2 * at)]);
    expect(sent.size).toBe(51);
    expect(sent.take(1)).toBeUndefined();
    expect(sent.take(2)?.order).toBe(2);
  });
});
