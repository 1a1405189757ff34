import { describe, expect, it } from 'vitest';
import { badRequest } from '../../../src/streams/errors.ts';
import { noCounts } from '../../../src/testing/simulator/counts.ts';
import { RequestLog } from '../../../src/testing/simulator/request-log.ts';

describe('a read that was refused', () => {
  const log = new RequestLog({ commitIndex: () => 0, counts: noCounts() });
  const refused = (error: unknown, isOfMachine: boolean) => () =>
    log.readFailed(log.beginRead('n1', { query: 'all', isLinearizable: true }), { error, isOfMachine });

  it('says what became of it, or has what the machine threw', () => {
    expect(refused(badRequest('no'), false)).not.toThrow();
    expect(refused(new TypeError('no such key'), true)).not.toThrow();
  });

  it('with anything else is a bug of the node', () => {
    expect(refused(new TypeError('x is not a function'), false)).toThrow(
      /read "all" was answered with TypeError/,
    );
  });
});
