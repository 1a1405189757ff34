import { EMPTY, lastValueFrom, map, of, Subject, tap, throwError, toArray } from 'rxjs';
import { TestScheduler } from 'rxjs/testing';
import { describe, expect, it } from 'vitest';
import { defaultConfig, emptyLog, type Input, index0, initialState, term0 } from '../../../src/core/index.ts';
import { bufferWhile } from '../../../src/streams/buffer-while.ts';
import { type Stepped, stepWith } from '../../../src/streams/step-with.ts';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';
import { turnScheduler } from '../../../src/transport/turn-scheduler.ts';

const self = { id: 'n1', storeId: 's1', url: '' };
const alone = initialState({
  self,
  group: 0,
  config: defaultConfig,
  seed: 1,
  hardState: { currentTerm: term0, votedFor: null },
  log: emptyLog,
  configurations: [{ index: index0, configuration: { voters: [self], votersOutgoing: [], learners: [] } }],
  appliedIndex: index0,
});
const tick = (now: number): Input => ({ type: 'tick', now });

describe('stepWith', () => {
  it('folds inputs through step, and completes with its source', () => {
    new TestScheduler((actual, expected) => expect(actual).toEqual(expected)).run((marbles) => {
      const input$ = marbles.cold('a-b-c|', { a: tick(1), b: tick(500), c: tick(2) });
      const expected = '           1-2-2|'; // The last tick is late: time stands still.

      const now$ = input$.pipe(
        stepWith(alone),
        map(({ state }) => state.now),
      );

      marbles.expectObservable(now$).toBe(expected, { 1: 1, 2: 500 });
    });
  });

  it('carries each input through before the next, also one that comes back from within', () => {
    const input$ = new Subject<Input>();
    const order: string[] = [];
    const seen: Stepped[] = [];
    input$.pipe(stepWith(alone)).subscribe((stepped) => {
      const name = `${stepped.input.type} ${'now' in stepped.input ? stepped.input.now : ''}`;
      order.push(`begin ${name}`);
      if (seen.length === 0) {
        input$.next(tick(2));
        input$.next(tick(3));
      }
      seen.push(stepped);
      order.push(`end ${name}`);
    });

    input$.next(tick(1));

    expect(order).toEqual([
      'begin tick 1',
      'end tick 1',
      'begin tick 2',
      'end tick 2',
      'begin tick 3',
      'end tick 3',
    ]);
    expect(seen.map(({ state }) => state.now)).toEqual([1, 2, 3]);
  });

  it('drops what is still waiting once nobody listens', () => {
    const input$ = new Subject<Input>();
    let count = 0;
    const subscription = input$.pipe(stepWith(alone)).subscribe(() => {
      count += 1;
      input$.next(tick(count + 1));
      if (count === 3) subscription.unsubscribe();
    });

    input$.next(tick(1));

    expect(count).toBe(3);
  });

  it('begins anew for each subscriber', async () => {
    const now$ = of(tick(5)).pipe(stepWith(alone));

    const first = await lastValueFrom(now$);
    const second = await lastValueFrom(now$);

    expect(second.state).toEqual(first.state);
  });

  it('errors with its source', async () => {
    const failing$ = throwError(() => new Error('lost')).pipe(stepWith(alone));

    await expect(lastValueFrom(failing$)).rejects.toThrow('lost');
  });
});

/** Work that ends when the test says so. */
function handWork() {
  const begun: { buffer: readonly number[]; end: (result: string) => void; fail: (error: Error) => void }[] =
    [];
  const work = (buffer: readonly number[]) =>
    new Promise<string>((resolve, reject) => {
      begun.push({ buffer, end: resolve, fail: reject });
    });
  return { begun, work };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('bufferWhile', () => {
  it('begins at once, and collects what arrives until the work is done', async () => {
    const { begun, work } = handWork();
    const source$ = new Subject<number>();
    const results: string[] = [];
    source$.pipe(bufferWhile(work)).subscribe((result) => results.push(result));

    for (const value of [1, 2, 3]) source$.next(value);
    expect(begun.map(({ buffer }) => buffer)).toEqual([[1]]);
    begun[0]?.end('one');
    await turn();
    expect(begun.map(({ buffer }) => buffer)).toEqual([[1], [2, 3]]);
    source$.next(4);
    begun[1]?.end('two and three');
    await turn();
    begun[2]?.end('four');
    await turn();

    expect(results).toEqual(['one', 'two and three', 'four']);
    expect(begun).toHaveLength(3);
  });

  it('completes once the last buffer is done', async () => {
    const { begun, work } = handWork();
    const source$ = new Subject<number>();
    const all = lastValueFrom(source$.pipe(bufferWhile(work), toArray()));

    source$.next(1);
    source$.next(2);
    source$.complete();
    begun[0]?.end('a');
    await turn();
    begun[1]?.end('b');

    expect(await all).toEqual(['a', 'b']);
    expect(await lastValueFrom(EMPTY.pipe(bufferWhile(work), toArray()))).toEqual([]);
  });

  it('takes what its result brings along as the next buffer, once', async () => {
    const { begun, work } = handWork();
    const source$ = new Subject<number>();
    source$.pipe(bufferWhile(work)).subscribe(() => source$.next(begun.length * 10));

    source$.next(1);
    begun[0]?.end('a');
    await turn();

    expect(begun.map(({ buffer }) => buffer)).toEqual([[1], [10]]);
  });

  it('errors when the work fails, and never begins again', async () => {
    const { begun, work } = handWork();
    const source$ = new Subject<number>();
    const failed = lastValueFrom(source$.pipe(bufferWhile(work)));
    const message = failed.catch((error: Error) => error.message);

    source$.next(1);
    source$.next(2);
    begun[0]?.fail(new Error('full'));

    expect(await message).toBe('full');
    source$.next(3);
    expect(begun).toHaveLength(1);
  });

  it('errors when the work throws', async () => {
    const failing$ = of(1).pipe(
      bufferWhile(() => {
        throw new Error('at once');
      }),
    );

    await expect(lastValueFrom(failing$)).rejects.toThrow('at once');
  });

  it('begins nothing more once nobody listens', async () => {
    const { begun, work } = handWork();
    const source$ = new Subject<number>();
    const subscription = source$.pipe(bufferWhile(work)).subscribe();

    source$.next(1);
    source$.next(2);
    subscription.unsubscribe();
    begun[0]?.end('a');
    await turn();

    expect(begun).toHaveLength(1);
  });

  describe('with values that can wait', () => {
    /** Odd numbers can wait, for 10 ms, until together they come to 100. */
    function patient() {
      const { begun, work } = handWork();
      const scheduler = new VirtualScheduler();
      const source$ = new Subject<number>();
      const patience = {
        canWait: (value: number) => value % 2 === 1,
        waitMsMax: 10,
        sizeOf: (value: number) => value,
        waitSizeMax: 100,
        scheduler,
      };
      const ended: string[] = [];
      const result$ = new Subject<string>();
      const subscription = source$
        .pipe(
          bufferWhile(work, patience),
          tap((result) => result$.next(result)),
        )
        .subscribe({
          next: (result) => ended.push(result),
          error: (error: Error) => ended.push(error.message),
          complete: () => ended.push('complete'),
        });
      const buffers = () => begun.map(({ buffer }) => buffer);
      return { begun, buffers, ended, result$, scheduler, source$, subscription };
    }

    it('takes them along, in order, with the first that can not', () => {
      const { buffers, source$ } = patient();

      for (const value of [1, 3, 2]) source$.next(value);

      expect(buffers()).toEqual([[1, 3, 2]]);
    });

    it('begins once the first has waited long enough', () => {
      const { buffers, scheduler, source$ } = patient();

      source$.next(1);
      scheduler.advanceTo(6);
      source$.next(3);
      scheduler.advanceTo(9);
      expect(buffers()).toEqual([]);
      scheduler.advanceTo(10);

      expect(buffers()).toEqual([[1, 3]]);
    });

    it('lets them wait on when the work before is done, and no longer than that', async () => {
      const { begun, buffers, scheduler, source$ } = patient();

      source$.next(2);
      source$.next(1);
      begun[0]?.end('two');
      await turn();
      expect(buffers()).toEqual([[2]]);
      scheduler.advanceTo(10);

      expect(buffers()).toEqual([[2], [1]]);
    });

    it('begins with the end of the work before if their time has come meanwhile', async () => {
      const { begun, buffers, scheduler, source$ } = patient();

      source$.next(2);
      source$.next(1);
      scheduler.advanceTo(10);
      expect(buffers()).toEqual([[2]]);
      begun[0]?.end('two');
      await turn();

      expect(buffers()).toEqual([[2], [1]]);
    });

    it('begins at once when no more can come', async () => {
      const { begun, buffers, ended, source$ } = patient();

      source$.next(1);
      source$.complete();
      begun[0]?.end('one');
      await turn();

      expect(buffers()).toEqual([[1]]);
      expect(ended).toEqual(['one', 'complete']);
    });

    it('carries out what waits, and completes after it, if its source completes while it works', async () => {
      const { begun, buffers, ended, source$ } = patient();

      source$.next(2);
      source$.next(1);
      source$.complete();
      begun[0]?.end('two');
      await turn();
      begun[1]?.end('one');
      await turn();

      expect(buffers()).toEqual([[2], [1]]);
      expect(ended).toEqual(['two', 'one', 'complete']);
    });

    it('begins once they are too much, and counts anew', async () => {
      const { begun, buffers, scheduler, source$ } = patient();

      source$.next(51);
      source$.next(47);
      expect(buffers()).toEqual([]);
      source$.next(1);
      source$.next(1);
      expect(buffers()).toEqual([[51, 47, 1, 1]]);
      begun[0]?.end('too much');
      await turn();

      source$.next(99);
      expect(buffers()).toHaveLength(1);
      scheduler.advanceTo(10);
      expect(buffers()[1]).toEqual([99]);
      begun[1]?.end('long enough');
      await turn();
      source$.next(97);

      expect(buffers()).toHaveLength(2);
    });

    it('lets those wait that its result brings along', async () => {
      const { begun, buffers, result$, scheduler, source$ } = patient();
      result$.subscribe(() => source$.next(1));

      source$.next(2);
      begun[0]?.end('two');
      await turn();
      expect(buffers()).toEqual([[2]]);
      scheduler.advanceTo(10);

      expect(buffers()).toEqual([[2], [1]]);
    });

    it('carries out none of them once the work has failed', async () => {
      const { begun, buffers, ended, scheduler, source$ } = patient();

      source$.next(2);
      source$.next(1);
      begun[0]?.fail(new Error('full'));
      await turn();
      scheduler.advanceTo(10);
      source$.next(4);

      expect(ended).toEqual(['full']);
      expect(buffers()).toEqual([[2]]);
    });

    it('waits for nothing once nobody listens', () => {
      const { buffers, scheduler, source$, subscription } = patient();

      source$.next(1);
      subscription.unsubscribe();
      scheduler.advanceTo(10);

      expect(buffers()).toEqual([]);
    });
  });
});

describe('turnScheduler', () => {
  it('runs after promises, in order, and not what was cancelled', async () => {
    const order: string[] = [];
    turnScheduler.schedule(() => order.push('first'));
    turnScheduler.schedule(() => order.push('cancelled')).unsubscribe();
    turnScheduler.schedule<number>(function (count = 0) {
      order.push(`again ${count}`);
      if (count < 2) this.schedule(count + 1);
    });
    await Promise.resolve().then(() => order.push('promise'));
    while (order.length < 5) await turn();

    expect(order).toEqual(['promise', 'first', 'again 0', 'again 1', 'again 2']);
  });
});
