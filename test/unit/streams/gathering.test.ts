import { describe, expect, it } from 'vitest';
import { Gathering } from '../../../src/streams/gathering.ts';

/** So many commands that wait, and none on their way. */
const waiting = (count: number) => ({ waiting: count, all: count });

/** Commands are answered now, `commitMs` milliseconds after they left. */
const commitOf = (commitMs: number) => ({ sentAtMs: 1_000 - commitMs, nowMs: 1_000 });

/** Sixty commands have been answered, and four came meanwhile. */
function answered(gathering = new Gathering(1024)): Gathering {
  gathering.onAnswered(60, waiting(4), commitOf(1));
  return gathering;
}

/** Whether the next batch waits for more, which come or don't. */
function waits(gathering: Gathering, back: number): boolean {
  const isHeld = answered(gathering).isWorthwhile(waiting(5), 1_000);
  gathering.onSent(waiting(back));
  return isHeld;
}

describe('writes that could leave', () => {
  it('wait for those who have been answered, until all are back', () => {
    const gathering = answered();

    expect(gathering.isWorthwhile(waiting(4), 1_000)).toBe(true);
    expect(gathering.isWorthwhile(waiting(63), 1_001)).toBe(true);
    expect(gathering.isWorthwhile(waiting(64), 1_001)).toBe(false);
  });

  it('wait for nobody two milliseconds after the answers', () => {
    expect(answered().isWorthwhile(waiting(5), 1_001.9)).toBe(true);
    expect(answered().isWorthwhile(waiting(5), 1_002)).toBe(false);
  });

  it('wait for as long as two commits take, where those are slow', () => {
    const gathering = new Gathering(1024);
    for (let commit = 0; commit < 100; commit++) gathering.onAnswered(60, waiting(4), commitOf(3));

    expect(gathering.patienceMs).toBeCloseTo(6, 3);
    expect(gathering.isWorthwhile(waiting(5), 1_005.9)).toBe(true);
    expect(gathering.isWorthwhile(waiting(5), 1_006.1)).toBe(false);
  });

  it('wait for many that are on their way, also if nobody else comes for a millisecond', () => {
    const gathering = new Gathering(1024);
    expect(gathering.isWorthwhile({ waiting: 2, all: 62 }, 1_000)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 4, all: 64 }, 1_000)).toBe(true);

    expect(gathering.isWorthwhile({ waiting: 4, all: 64 }, 1_001.5)).toBe(true);
  });

  it('never wait longer than ten milliseconds', () => {
    const gathering = new Gathering(1024);
    for (let commit = 0; commit < 100; commit++) gathering.onAnswered(60, waiting(4), commitOf(500));

    expect(gathering.patienceMs).toBe(10);
    expect(gathering.isWorthwhile(waiting(5), 1_010)).toBe(false);
  });

  it('hardly go by a single commit that was slow', () => {
    const gathering = answered();
    gathering.onAnswered(60, waiting(4), commitOf(8));

    expect(gathering.patienceMs).toBeLessThan(2.5);

    gathering.onAnswered(60, waiting(4), commitOf(30_000));

    expect(gathering.patienceMs).toBeLessThan(5);
  });

  it('hold it against no commit that the clock went back meanwhile', () => {
    const gathering = new Gathering(1024);
    for (let commit = 0; commit < 100; commit++) gathering.onAnswered(60, waiting(4), commitOf(3));
    gathering.onAnswered(60, waiting(4), commitOf(-3_600_000));

    expect(gathering.patienceMs).toBeGreaterThan(5);
  });

  it('wait no longer once they have doubled, and nobody has come for a millisecond', () => {
    const gathering = new Gathering(1024);
    for (let commit = 0; commit < 100; commit++) gathering.onAnswered(60, waiting(4), commitOf(5));
    expect(gathering.isWorthwhile(waiting(10), 1_000)).toBe(true);
    expect(gathering.isWorthwhile(waiting(19), 1_002)).toBe(true);
    expect(gathering.isWorthwhile(waiting(19), 1_004)).toBe(true); // Not doubled.
    expect(gathering.isWorthwhile(waiting(20), 1_005)).toBe(true);
    expect(gathering.isWorthwhile(waiting(20), 1_005.9)).toBe(true);

    expect(gathering.isWorthwhile(waiting(20), 1_006)).toBe(false);
  });

  it('do not wait once they are many', () => {
    const gathering = new Gathering(1024);
    gathering.onAnswered(4_000, waiting(10), commitOf(1));

    expect(gathering.isWorthwhile(waiting(1_023), 1_000)).toBe(true);
    expect(gathering.isWorthwhile(waiting(1_024), 1_000)).toBe(false);
  });

  it('do not wait for nobody: neither the first one, nor one caller who writes one after the other', () => {
    const gathering = new Gathering(1024);
    expect(gathering.isWorthwhile(waiting(1), 1_000)).toBe(false);

    gathering.onAnswered(1, waiting(0), commitOf(1));
    expect(gathering.isWorthwhile(waiting(1), 1_000)).toBe(false);
  });

  it('do not wait for fewer than twice their number', () => {
    const gathering = new Gathering(1024);
    gathering.onAnswered(60, waiting(30), commitOf(1));

    expect(gathering.isWorthwhile(waiting(31), 1_000)).toBe(false);
  });

  it('wait for more than twice their number that are on their way, whenever those left', () => {
    const gathering = new Gathering(1024);

    expect(gathering.isWorthwhile({ waiting: 4, all: 13 }, 1_000)).toBe(true);
    expect(gathering.isWorthwhile({ waiting: 4, all: 12 }, 1_000)).toBe(false);
  });

  it('are no reason to wait if there are none', () => {
    expect(new Gathering(1024).isWorthwhile({ waiting: 0, all: 13 }, 1_000)).toBe(false);
    expect(answered().isWorthwhile(waiting(0), 1_000)).toBe(false);
  });
});

describe('after a wait in vain', () => {
  it('batches leave without one: one, then three, and at most 255', () => {
    const gathering = new Gathering(1024);
    const passed: number[] = [];
    for (let round = 0; round < 10; round++) {
      let count = 0;
      while (!waits(gathering, 9)) count += 1;
      passed.push(count);
    }

    expect(passed).toEqual([0, 1, 3, 7, 15, 31, 63, 127, 255, 255]);
  });

  it('one that has doubled them was not in vain, and makes up for all that were', () => {
    const gathering = new Gathering(1024);
    const held = [9, 9, 10, 10, 10].map((back) => waits(gathering, back));

    expect(held).toEqual([true, false, true, true, true]);
  });

  it('one that nobody is missing from any more was not in vain, either', () => {
    const gathering = new Gathering(1024);
    gathering.onAnswered(7, waiting(3), commitOf(1));
    expect(gathering.isWorthwhile(waiting(6), 1_000)).toBe(true);
    gathering.onSent(waiting(10));

    expect(waits(gathering, 64)).toBe(true);
  });

  it('one that ended because they were many was not in vain', () => {
    const gathering = new Gathering(1024);
    gathering.onAnswered(4_000, waiting(0), commitOf(1));
    expect(gathering.isWorthwhile(waiting(1_000), 1_000)).toBe(true);
    gathering.onSent(waiting(1_024));

    expect(waits(gathering, 64)).toBe(true);
  });

  it('a write behind many that are slow leaves without one, too', () => {
    const gathering = new Gathering(1024);
    const behind = { waiting: 1, all: 61 };
    expect(gathering.isWorthwhile(behind, 1_000)).toBe(true);
    gathering.onSent(behind);

    expect(gathering.isWorthwhile(behind, 1_010)).toBe(false);
  });

  it('writes behind many that are slow leave without one also if they have doubled meanwhile', () => {
    const gathering = new Gathering(1024);
    expect(gathering.isWorthwhile({ waiting: 1, all: 61 }, 1_000)).toBe(true);
    gathering.onSent({ waiting: 2, all: 62 });

    expect(gathering.isWorthwhile({ waiting: 1, all: 63 }, 1_010)).toBe(false);
  });

  it('a batch that leaves without one goes on doing so until it has left', () => {
    const gathering = new Gathering(1024);
    waits(gathering, 9);
    answered(gathering);

    expect(gathering.isWorthwhile(waiting(5), 1_000)).toBe(false);
    expect(gathering.isWorthwhile(waiting(6), 1_000)).toBe(false);
  });
});
