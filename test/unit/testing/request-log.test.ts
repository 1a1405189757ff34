import { describe, expect, it } from 'vitest';
import { badRequest } from '../../../src/streams/errors.ts';
import { noCounts } from '../../../src/testing/simulator/counts.ts';
import { RequestLog } from '../../../src/testing/simulator/request-log.ts';

describe('a read that was refused', () => {
  const { counts, log, begin } = requestLog();
  const refused = (error: unknown) => () => log.readFailed(begin(), error);

  it('says what became of it', () => {
    expect(refused(badRequest('no'))).not.toThrow();
    expect(counts.readsRefused).toBe(1);
  });

  it('with anything else is a bug of the node', () => {
    expect(refused(new TypeError('x is not a function'))).toThrow(/read "all" was answered with TypeError/);
  });
});

describe('a read whose query threw', () => {
  it('has that for its answer, which is judged as any other', () => {
    const { counts, log, begin } = requestLog();
    const record = begin();

    log.readThrew(record, new TypeError('no such key'));

    expect(record).toMatchObject({ answer: 'threw TypeError("no such key")', ceiling: 7 });
    expect(counts).toMatchObject({ reads: 0, readsThrown: 1, readsRefused: 0 });
    expect(log.waiting).toEqual([]);
  });
});

function requestLog() {
  const counts = noCounts();
  const log = new RequestLog({ commitIndex: () => 7, counts });
  const begin = () => log.beginRead('n1', { query: 'all', isLinearizable: true });
  return { counts, log, begin };
}
