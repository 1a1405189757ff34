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
    expect(pace.dueAtMs(mebibyte, clock.now)).toBe(clock.now);

    pace.onWritten(mebibyte);
    clock.now = 2000;

    expect(pace.dueAtMs(mebibyte, clock.now)).toBe(clock.now);
  });

  it('may take 16 MiB a second however little is written', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);

    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(1000 / 16);
  });

  it('may take several times what is written', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(32 * mebibyte);
    clock.now = 1500; // What was written in the second before counts until another is over.

    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 32 / 3.15);
  });

  it('waits no longer than the reading itself leaves', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    clock.now = 20;

    expect(pace.dueAtMs(mebibyte, 0)).toBeCloseTo(1000 / 16);
    expect(pace.dueAtMs(mebibyte / 32, 0)).toBeLessThan(clock.now);
  });

  it('makes up for an answer that came late or early, once', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    const dueAtMs = pace.dueAtMs(mebibyte, 0);
    const lateMs = 4;
    clock.now = dueAtMs + lateMs;
    pace.onAnswered(dueAtMs);

    const next = pace.dueAtMs(mebibyte, clock.now);
    expect(next).toBeCloseTo(clock.now + 1000 / 16 - lateMs);

    const earlyMs = 0.5;
    clock.now = next - earlyMs;
    pace.onAnswered(next);
    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 16 + earlyMs);
    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 16);
  });

  it('does not follow a long pause by a burst', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    const dueAtMs = pace.dueAtMs(mebibyte, 0);
    clock.now = dueAtMs + 500;
    pace.onAnswered(dueAtMs);

    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 16 - 10);
  });

  it('makes up for what several answers were late', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    clock.now = 100;
    pace.onAnswered(97);
    pace.onAnswered(96);

    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 16 - 7);
  });

  it('waits a few milliseconds longer at most for a clock that was set back', () => {
    const { clock, pace } = paceAt();
    clock.now = 5000;
    pace.onWritten(1);
    pace.onAnswered(pace.dueAtMs(mebibyte, clock.now));
    clock.now = 500;

    expect(pace.dueAtMs(mebibyte, 5000)).toBeCloseTo(clock.now + 1000 / 16 + 2);
    clock.now = 2500; // What is written goes on being counted by the second.
    expect(pace.dueAtMs(mebibyte, clock.now)).toBe(clock.now);
  });

  it('owes nothing to a follower once nobody has written for a while', () => {
    const { clock, pace } = paceAt();
    pace.onWritten(1);
    const dueAtMs = pace.dueAtMs(mebibyte, 0);
    clock.now = dueAtMs + 5;
    pace.onAnswered(dueAtMs);
    clock.now = 3000;
    expect(pace.dueAtMs(mebibyte, clock.now)).toBe(clock.now);
    pace.onWritten(1);

    expect(pace.dueAtMs(mebibyte, clock.now)).toBeCloseTo(clock.now + 1000 / 16);
  });
});
