import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { WriteHold } from '../../../src/streams/write-hold.ts';
import { NotedRoutes } from './noted-routes.ts';

/** A leader's hold, on writes that wait for a disk at work. */
function held() {
  const time = new VirtualTimeScheduler();
  const routes = new NotedRoutes();
  Object.assign(routes, { leader: 'self', isBusy: true, now: () => time.frame });
  const writes = { hasWaiting: true, isGathering: false, patienceMs: 10 };
  const overAtMs: number[] = [];
  const onOver = () => {
    overAtMs.push(time.frame);
    hold.end();
  };
  const hold: WriteHold = new WriteHold({ routes, writes, timeScheduler: time, onOver });
  return { hold, time, routes, writes, overAtMs };
}

describe('a hold on writes', () => {
  it('is over two milliseconds after the first turn that began it', () => {
    const { hold, time, overAtMs } = held();
    hold.begin();
    time.schedule(() => hold.begin(), 1);

    time.flush();

    expect(overAtMs).toEqual([2]);
    expect(hold.isOn).toBe(false);
  });

  it('lasts while others are to come, and no longer than patience does', () => {
    const { hold, time, writes, overAtMs } = held();
    writes.isGathering = true;
    hold.begin();
    time.schedule(() => {
      writes.isGathering = false;
    }, 4.5);
    time.flush();
    expect(overAtMs).toEqual([5]);

    writes.isGathering = true;
    hold.begin();
    time.flush();

    expect(overAtMs).toEqual([5, 15]);
  });

  it('that was ended sets no time any more', () => {
    const { hold, time, overAtMs } = held();
    hold.begin();

    hold.end();
    time.flush();

    expect([hold.isOn, overAtMs, time.frame]).toEqual([false, [], 0]);
  });

  it('is not begun on a node that does not lead', () => {
    const { hold, time, routes } = held();
    for (const leader of [null, 'n2']) {
      routes.leader = leader;

      expect(hold.begin()).toBe(false);
    }

    time.flush();
    expect([hold.isOn, time.frame]).toEqual([false, 0]);
  });
});
