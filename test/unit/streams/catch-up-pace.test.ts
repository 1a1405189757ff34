import { describe, expect, it } from 'vitest';
import { CatchUpPace } from '../../../src/streams/catch-up-pace.ts';

const mebibyte = 1024 * 1024;

function paceAt(): { readonly clock: { now: number }; readonly pace: CatchUpPace } {
  const clock = { now: 0 };
  return { clock, pace: new CatchUpPace(() => clock.now) };
}

describe('a reading of the log for a follower that lags', () => {
  it('is answered at once while nobody writes', () => {
    const { clock, pace } = paceAt();
    expect(pace.waitMs(mebibyte, clock.now)).toBe(0);

    pace.onWritten(mebibyte);
    clock.now = 2000;

    expect(pace.waitMs(mebibyte, clock.now)).toBe(0);
  });

  it('may take 16 MiB a second however little is written', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);

    expect(pace.waitMs(mebibyte, clock.now)).toBeCloseTo(1000 / 16);
  });

  it('may take several times what is written', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(32 * mebibyte);
    clock.now = 1500; // What was written in the second before counts until another is over.

    expect(pace.waitMs(mebibyte, clock.now)).toBeCloseTo(1000 / 32 / 3);
  });

  it('waits no longer than the reading itself leaves', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    clock.now = 20;

    expect(pace.waitMs(mebibyte, 0)).toBeCloseTo(1000 / 16 - 20);
    expect(pace.waitMs(mebibyte / 32, 0)).toBe(0);
  });
});
