import { VirtualTimeScheduler } from 'rxjs';
import { describe, expect, it } from 'vitest';
import { Hold } from '../../../src/streams/hold.ts';
import { NotedRoutes } from './noted-routes.ts';

/** A leader's hold, on requests that wait for a disk at work. */
function held() {
  const time = new VirtualTimeScheduler();
  const routes = new NotedRoutes();
  Object.assign(routes, { leader: 'self', isBusy: true, now: () => time.frame });
  const queue = { hasWaiting: true, isGathering: false, patienceMs: 10 };
  const overAtMs: number[] = [];
  const onOver = () => {
    overAtMs.push(time.frame);
    hold.end();
  };
  const isBusy = () => routes.isDiskBusy();
  const hold: Hold = new Hold({ routes, queue, isBusy, firstLookMs: 2, timeScheduler: time, onOver });
  return { hold, time, routes, queue, overAtMs };
}

describe('a hold on requests', () => {
  it('is over at the first look after the first turn that began it', () => {
    const { hold, time, overAtMs } = held();
    hold.begin();
    time.schedule(() => hold.begin(), 1);

    time.flush();

    expect(overAtMs).toEqual([2]);
    expect(hold.isOn).toBe(false);
  });

  it('lasts while others are to come, and no longer than patience does', () => {
    const { hold, time, queue, overAtMs } = held();
    queue.isGathering = true;
    hold.begin();
    time.schedule(() => {
      queue.isGathering = false;
    }, 4.5);
    time.flush();
    expect(overAtMs).toEqual([5]);

    queue.isGathering = true;
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
