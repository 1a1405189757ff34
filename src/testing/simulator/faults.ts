import type { NodeId } from '../../core/index.ts';
import type { Dice } from '../dice.ts';
import type { FaultKind } from './fault-kinds.ts';
import { networkFaults } from './network-faults.ts';
import type { Run } from './run.ts';
import type { SimProcess } from './sim-process.ts';

/** A run, whatever its machine. */
// biome-ignore lint/suspicious/noExplicitAny: faults have nothing to do with the machine.
export type AnyRun = Run<any, any, any, any>;

/** Carries out a fault. In words; `null` if it can't be done now. */
export type Fault = (run: AnyRun, dice: Dice) => string | null;

/** Lets a fault of this kind strike. In words; `null` if it can't be done now. */
export function strike(kind: FaultKind, run: AnyRun, dice: Dice): string | null {
  return faults[kind](run, dice);
}

const faults: Record<FaultKind, Fault> = {
  ...networkFaults,

  kill(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const downMs = dice.between(20, 800);
    run.cluster.end(victim.id, (disk) => disk.kill());
    run.count('kill');
    bringBack(run, victim.id, downMs);
    return `${victim.id} is killed, and starts again ${downMs} ms later`;
  },

  powerLoss(run, dice) {
    const victims = dice.chance(15) ? run.cluster.processes : [victimOf(run, dice)];
    const ids = victims.flatMap((victim) => (victim === null ? [] : [victim.id]));
    if (ids.length === 0) return null;
    const keepsUnflushed = dice.chance(20);
    const downMs = dice.between(20, 800);
    for (const id of ids) {
      run.cluster.end(id, (disk) => disk.losePower({ keepsUnflushed }));
      bringBack(run, id, downMs);
    }
    run.count('powerLoss');
    const what = keepsUnflushed ? 'the last flush was just through' : 'what was not flushed is gone';
    return `${ids.join(', ')} lose power, and start again ${downMs} ms later; ${what}`;
  },

  diskFailure(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const { disk } = victim;
    const before = disk.faultCounts.fail;
    disk.plan({ type: 'fail' }); // Counted when the node stops. It may be removed, and its disk replaced, first.
    run.last(noticedMs, () => {
      if (disk.faultCounts.fail === before && run.faults.diskFailure === undefined) run.again('diskFailure');
    });
    return `the disk of ${victim.id} refuses its next write`;
  },

  slowDisk(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const writes = dice.between(1, 8);
    const delayMs = dice.between(20, 300);
    const { disk } = victim;
    const before = disk.faultCounts.delay;
    for (let nth = 1; nth <= writes; nth++) disk.plan({ type: 'delay', delayMs }, nth);
    run.lastKind('slowDisk', { durationMs: noticedMs, hadEffect: () => disk.faultCounts.delay > before });
    return `the next ${writes} writes of ${victim.id} take ${delayMs} ms longer`;
  },

  hangingDisk(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const { disk } = victim;
    const durationMs = dice.between(200, 2500);
    const before = disk.faultCounts.hang;
    disk.plan({ type: 'hang' });
    const end = () => {
      disk.plan({ type: 'delay', delayMs: 0 }); // If nothing was written, nothing shall hang now.
      disk.release();
    };
    run.lastKind('hangingDisk', { durationMs, hadEffect: () => disk.faultCounts.hang > before, end });
    return `the next write of ${victim.id} hangs, for ${durationMs} ms at most`;
  },

  clockSkew(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const rate = dice.pick([0.4, 0.8, 1.3, 2.5]);
    const durationMs = dice.between(300, 3000);
    victim.loop.setRate(rate);
    const end = () => victim.loop.setRate(1);
    run.lastKind('clockSkew', { durationMs, hadEffect: steps(victim), end });
    return `the clock of ${victim.id} goes ${rate} times as fast for ${durationMs} ms`;
  },

  clockJump(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null) return null;
    const aheadMs = dice.pick([50, 400, 3000, 60_000]);
    victim.loop.jump(aheadMs);
    run.lastKind('clockJump', { durationMs: noticedMs, hadEffect: steps(victim) });
    return `the clock of ${victim.id} jumps ${aheadMs} ms ahead`;
  },

  pause(run, dice) {
    const victim = victimOf(run, dice);
    if (victim === null || victim.loop.isPaused) return null;
    const durationMs = dice.between(50, 1500);
    victim.loop.pause();
    run.count('pause');
    run.last(durationMs, () => victim.loop.resume());
    return `${victim.id} stands still for ${durationMs} ms`;
  },

  wipe(run, dice) {
    run.operator.settle(); // Nobody loses a disk while another one is not where it is looked for.
    const voters = run.operator.wipeable;
    if (voters.length === 0) return null;
    const id = dice.pick(voters);
    run.cluster.end(id, (disk) => disk.kill());
    run.cluster.replaceDisk(id);
    run.cluster.start(id, { isJoining: run.operator.isJoiner(id) });
    run.count('wipe');
    const afterMs = dice.between(20, 1500);
    const isOneChange = dice.chance(50);
    run.operator.replaceLater(id, { afterMs, isOneChange });
    const how = isOneChange ? ', in one change' : '';
    return `${id} comes back with an empty disk, and ${afterMs} ms later is removed and added as a new node${how}`;
  },

  members(run, dice) {
    return run.operator.changeMembers(dice);
  },

  transfer(run, dice) {
    const asked = victimOf(run, dice);
    if (asked?.node == null) return null;
    const { node } = asked;
    const work = (options: object) => node.transferLeadership(undefined, options);
    void run.request(asked, 'a transfer of leadership', work).then((isDone) => {
      if (!isDone) return run.again('transfer');
      run.count('transfer');
      run.cluster.counts.transfers += 1;
    });
    return `${asked.id} is asked to have leadership handed over`;
  },

  snapshot(run, dice) {
    const asked = victimOf(run, dice);
    if (asked?.node == null || (asked.machine.snapshot === undefined && asked.machine.keeps !== 'store'))
      return null;
    const { node } = asked;
    void run
      .request(asked, 'a snapshot', (options) => node.snapshot(options))
      .then((isDone) => (isDone ? run.count('snapshot') : run.again('snapshot')));
    return `${asked.id} is told to take a snapshot`;
  },
};

/** What a node meets with its next write or step has had its effect within so many milliseconds, or waits for more. */
const noticedMs = 500;

/** Tells later whether a process has taken a step since. */
function steps(victim: SimProcess<unknown, unknown, unknown, unknown>): () => boolean {
  const before = victim.state;
  return () => victim.state !== before;
}

/** Somebody to strike: a process that has opened its disk. */
function victimOf(run: AnyRun, dice: Dice): SimProcess<unknown, unknown, unknown, unknown> | null {
  const { running } = run.cluster;
  return running.length === 0 ? null : dice.pick(running);
}

function bringBack(run: AnyRun, id: NodeId, downMs: number): void {
  run.startAgain(id, downMs, { isJoining: run.operator.isJoiner(id) });
}
