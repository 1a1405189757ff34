import { describe, expect, it } from 'vitest';
import { Dice } from '../../../src/testing/dice.ts';
import type { ChaosCluster } from '../../chaos/chaos-cluster.ts';
import { Scene } from '../../chaos/fault.ts';
import { noteOfEnd } from '../../chaos/faults/disk-end.ts';
import { failedFlush, fullDisk } from '../../chaos/faults/disk-faults.ts';
import type { Slot } from '../../chaos/slot.ts';
import type { End } from '../../integration/harness/server-node.ts';

const aborted: End = { code: null, signal: 'SIGABRT' };

describe('the end of a node whose disk failed', () => {
  it('is as it should be if the node said why', () => {
    expect(noteOfEnd({ code: 1, signal: null }, 'RAFT_STORE_FAILED: no room')).toContain('and said why');
  });

  it('is told from others if LMDB had overrun the heap', () => {
    expect(noteOfEnd(aborted, 'corrupted size vs. prev_size\n')).toBe(
      'nodes ended by SIGABRT inside LMDB, on a failed disk',
    );
  });

  it.each<[End, string]>([
    [aborted, 'FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory'],
    [aborted, ''],
    [{ code: null, signal: 'SIGSEGV' }, ''],
    [{ code: null, signal: 'SIGKILL' }, 'corrupted size vs. prev_size'],
  ])('is not known with any other signal: %o %s', (end, log) => {
    expect(noteOfEnd(end, log)).toBe('nodes ended by a signal that nobody had sent');
  });
});

/** A scene with one node, whose processes end so, one after the other; `null`: it runs on. */
function sceneOf(kind: 'full' | 'flush', ends: (End | null)[]): Scene {
  const node = {
    id: 'n1',
    isRunning: true,
    ended: Promise.resolve<End | null>(null),
    log: '',
    forgetLog: () => undefined,
    kill: () => Promise.resolve(),
  };
  const endNext = (): void => {
    const end = ends.shift() ?? null;
    node.ended = end === null ? new Promise(() => undefined) : Promise.resolve(end);
  };
  endNext();
  const disk = { kind, squeeze: () => undefined, release: () => undefined };
  const slot = { node, disk, isTaken: false, start: endNext } as unknown as Slot;
  const cluster = { slots: [slot], leader: () => Promise.resolve(undefined) } as unknown as ChaosCluster;
  const dice = Object.assign(new Dice(1), { chance: () => true });
  return new Scene(cluster, dice, AbortSignal.timeout(100));
}

const said: End = { code: 1, signal: null };

describe('a fault of a disk', () => {
  it('has struck if the node stopped', async () => {
    expect(await failedFlush.run(sceneOf('flush', [said]))).toBe('n1: stopped');
  });

  it('has not struck if the node runs on', async () => {
    const scene = sceneOf('flush', [null]);

    expect(await failedFlush.run(scene)).toBeNull();
    expect([...scene.notes.keys()]).toEqual(['a node did not notice that its disk fails']);
  });

  it('finds a node that a signal ended', async () => {
    const scene = sceneOf('flush', [{ code: null, signal: 'SIGSEGV' }]);

    await expect(failedFlush.run(scene)).rejects.toThrow('n1 ended with SIGSEGV when its disk failed');
    expect(scene.notes.get('nodes ended by a signal that nobody had sent')).toBe(1);
  });

  it('finds a node that a signal ends when it starts on a full disk', async () => {
    expect(await fullDisk.run(sceneOf('full', [said, said]))).toBe('n1: stopped');
    await expect(fullDisk.run(sceneOf('full', [said, { code: null, signal: 'SIGBUS' }]))).rejects.toThrow(
      'n1 ended with SIGBUS',
    );
  });
});
