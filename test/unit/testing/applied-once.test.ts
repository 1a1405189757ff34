import { describe, expect, it } from 'vitest';
import { AppliedOnce } from '../../../src/testing/simulator/applied-once.ts';
import type { OnceRecord } from '../../../src/testing/simulator/request-log.ts';

const told = (outcome: OnceRecord['outcome'], result = '1'): OnceRecord => ({
  once: 1,
  command: 'add',
  outcome,
  index: 8,
  result,
});

/** A write through a session that is carried out at 5, with the result 1. */
function carriedOut(): AppliedOnce {
  const onces = new AppliedOnce();
  onces.executed(told(null), { index: 5, result: '1' });
  return onces;
}

describe('a write through a session that is carried out', () => {
  it('once may have been answered by any later copy, or be unknown', () => {
    expect(() => carriedOut().checkAll([told('committed')])).not.toThrow();
    expect(() => carriedOut().checkAll([told('unknown')])).not.toThrow();
  });

  it('twice breaks the promise', () => {
    expect(() => carriedOut().executed(told(null), { index: 8, result: '1' })).toThrow(
      'is carried out at 5 and at 8',
    );
  });

  it('has the result that its client was told, and was not denied', () => {
    expect(() => carriedOut().checkAll([told('committed', '2')])).toThrow('was answered 2, and gives 1');
    expect(() => carriedOut().checkAll([told('notCommitted')])).toThrow('was answered notCommitted');
  });
});

describe('a write through a session that was answered', () => {
  it('is carried out', () => {
    expect(() => new AppliedOnce().checkAll([told('committed')])).toThrow('is not carried out by then');
    expect(() => new AppliedOnce().checkAll([told('unknown'), told(null)])).not.toThrow();
  });
});
