import { describe, expect, it } from 'vitest';
import type { RegisterOperation, RegisterResult } from '../../../src/testing/index.ts';
import { judgeKey } from '../../chaos/key-judge.ts';
import { KeyRecord } from '../../chaos/key-record.ts';
import { Ledger } from '../../chaos/ledger.ts';
import { Tally } from '../../chaos/tally.ts';

function appended(key: KeyRecord, value: string, at: number, type: 'ok' | 'unknown' | 'notCommitted'): void {
  const operation: RegisterOperation = { type: key.kind === 'list' ? 'append' : 'put', value };
  const result: RegisterResult = { type: 'append', length: 0 };
  const outcome = type === 'ok' ? ({ type, result } as const) : { type };
  key.add({ process: 'c1', operation, invokedAt: at, returnedAt: at + 1, outcome });
}

describe('a stale read', () => {
  it('of a list is right if the list began so', () => {
    const key = new KeyRecord('list-1', 'list');
    key.staleReads.push({ value: null, at: 1, node: 'n1' }, { value: 'a;', at: 2, node: 'n1' });

    expect(key.wrongStaleRead('a;b;')).toBeNull();

    key.staleReads.push({ value: 'b;', at: 3, node: 'n2' });
    expect(key.wrongStaleRead('a;b;')).toBe('a stale read of list-1 on n2 showed "b;", which never was');
  });

  it('of another key is right if it had been written by then, or may have been', () => {
    const key = new KeyRecord('mixed-1', 'mixed');
    appended(key, 'a;', 0, 'ok');
    appended(key, 'b;', 10, 'unknown');
    appended(key, 'c;', 20, 'notCommitted');
    key.staleReads.push({ value: 'a;', at: 5, node: 'n1' }, { value: 'b;', at: 15, node: 'n1' });

    expect(key.wrongStaleRead(null)).toBeNull();

    key.staleReads.push({ value: 'b;', at: 5, node: 'n1' });
    expect(key.wrongStaleRead(null)).toContain('"b;"');
  });

  it('of what was answered notCommitted is wrong', () => {
    const key = new KeyRecord('mixed-1', 'mixed');
    appended(key, 'c;', 20, 'notCommitted');
    key.staleReads.push({ value: 'c;', at: 30, node: 'n1' });

    expect(key.wrongStaleRead(null)).toContain('"c;"');
  });
});

describe('a key', () => {
  it('is full once it is hard to judge', () => {
    const key = new KeyRecord('mixed-1', 'mixed');
    for (const at of [0, 1]) appended(key, `${at};`, at, 'unknown');
    expect(key.isFull).toBe(false);

    appended(key, '2;', 2, 'unknown');

    expect(key.isFull).toBe(true);
  });

  it('does not keep reads without an answer', () => {
    const key = new KeyRecord('mixed-1', 'mixed');

    const operation = { type: 'get' } as const;
    key.add({ process: 'c1', operation, invokedAt: 0, returnedAt: 1, outcome: { type: 'unknown' } });

    expect(key.history).toEqual([]);
  });
});

describe('a history', () => {
  const key = new KeyRecord('mixed-1', 'mixed');
  for (const at of [0, 1]) appended(key, `${at};`, at, 'unknown');
  const operation = { type: 'get' } as const;
  const result = { type: 'get', value: null } as const;
  key.add({ process: 'c1', operation, invokedAt: 5, returnedAt: 6, outcome: { type: 'ok', result } });

  it('is counted as right once that is known', () => {
    const tally = new Tally();

    judgeKey(key, null, tally);

    expect(tally).toMatchObject({ keys: 1, undecidedKeys: 0 });
  });

  it('is counted apart if it is too hard to judge', () => {
    const tally = new Tally();

    judgeKey(key, null, tally, { stepsMax: 1 });

    expect(tally).toMatchObject({ keys: 0, undecidedKeys: 1 });
  });
});

describe('the ledger', () => {
  it('misses what was acknowledged and is gone, and sees what nobody can have written', () => {
    const ledger = new Ledger('ledger/');
    ledger.acknowledged.set('ledger/1', 'one');

    expect(ledger.problemWith('n1', new Map())).toBe(
      'ledger/1 was acknowledged with one, and n1 has nothing',
    );
    ledger.acknowledged.clear();
    expect(ledger.problemWith('n1', new Map([['elsewhere', 'x']]))).toBeNull();
    expect(ledger.problemWith('n1', new Map([['ledger/2', 'x']]))).toContain('n1 has x at ledger/2');
  });
});
