import { describe, expect, it } from 'vitest';
import { Gathering } from '../../../src/streams/gathering.ts';

/** Sixty commands have been answered, and four came meanwhile. */
function answered(): Gathering {
  const gathering = new Gathering();
  gathering.onAnswered(60, { waiting: 4, all: 4 }, 1_000);
  return gathering;
}

/** All of them are back but one, and leave in vain. */
function missed(gathering: Gathering): void {
  gathering.onAnswered(60, { waiting: 4, all: 4 }, 1_000);
  gathering.onSent({ waiting: 63, all: 63 });
}

/** Whether an answer leads to a wait. */
function waits(gathering: Gathering): boolean {
  gathering.onAnswered(60, { waiting: 4, all: 4 }, 1_000);
  return gathering.isWorthwhile({ waiting: 5, all: 5 }, 1_000);
}

describe('writes that could leave', () => {
  it('wait for those who have been answered, until all are back', () => {
    const gathering = answered();

    expect(gathering.isWorthwhile({ waiting: 4, all: 4 }, 1_000)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 63, all: 63 }, 1_001)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 64, all: 64 }, 1_001)).toBe(false);
  });

  it('wait two milliseconds at most', () => {
    expect(answered().isWorthwhile({ waiting: 63, all: 63 }, 1_001.9)).toBe(true);
    expect(answered().isWorthwhile({ waiting: 63, all: 63 }, 1_002)).toBe(false);
  });

  it('do not wait once they are many', () => {
    const gathering = new Gathering();
    gathering.onAnswered(1_000, { waiting: 10, all: 10 }, 1_000);

    expect(gathering.isWorthwhile({ waiting: 255, all: 255 }, 1_000)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 256, all: 256 }, 1_000)).toBe(false);
  });

  it('do not wait for nobody: neither the first one, nor one caller who writes one after the other', () => {
    const gathering = new Gathering();
    expect(gathering.isWorthwhile({ waiting: 1, all: 1 }, 1_000)).toBe(false);

    gathering.onAnswered(1, { waiting: 0, all: 0 }, 1_000);
    expect(gathering.isWorthwhile({ waiting: 1, all: 1 }, 1_000)).toBe(false);
  });

  it('do not wait for fewer than twice their number', () => {
    const gathering = new Gathering();
    gathering.onAnswered(60, { waiting: 30, all: 30 }, 1_000);

    expect(gathering.isWorthwhile({ waiting: 31, all: 31 }, 1_000)).toBe(false);
  });

  it('wait for more than twice their number that are on their way', () => {
    const gathering = new Gathering();

    expect(gathering.isWorthwhile({ waiting: 4, all: 13 }, 1_000)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 4, all: 12 }, 1_000)).toBe(false);
  });
});

describe('after a wait in vain', () => {
  it('answers pass without one: one, then three, and at most 255', () => {
    const gathering = new Gathering();
    const passed: number[] = [];
    for (let round = 0; round < 10; round++) {
      missed(gathering);
      let count = 0;
      while (!waits(gathering)) count += 1;
      passed.push(count);
    }

    expect(passed).toEqual([1, 3, 7, 15, 31, 63, 127, 255, 255, 255]);
  });

  it('one that was not in vain makes up for all of them', () => {
    const gathering = new Gathering();
    missed(gathering);
    expect([waits(gathering), waits(gathering)]).toEqual([false, true]);

    gathering.onSent({ waiting: 64, all: 64 });

    expect(waits(gathering)).toBe(true);
  });

  it('one that ended because they were many was not in vain', () => {
    const gathering = new Gathering();
    gathering.onAnswered(1_000, { waiting: 0, all: 0 }, 1_000);
    gathering.onSent({ waiting: 256, all: 256 });

    expect(waits(gathering)).toBe(true);
  });
});
