import type { NodeId } from '../core/index.ts';

/** What the disk and the state machine of a node do beside each other: one piece of work of a kind at a time. */
export type WorkType = 'flush' | 'hear' | 'log' | 'apply' | 'keep' | 'ship';

/** The machine that a simulated node runs on: its clock, its disk's moods, and what it is busy with. */
export class Host {
  readonly id: NodeId;
  /** Its place among the hosts. */
  readonly place: number;
  /** How its clock runs: 100 is right. */
  readonly clockPercent: number;
  /** By how much its clock was set forward or back. */
  clockOffsetMs = 0;
  /** Until then its process stands still. */
  pausedUntil = 0;
  /** Until then its disk is slow, or does nothing at all. */
  slowUntil = 0;
  hungUntil = 0;
  /** Its disk refuses the next write. */
  isFailing = false;
  /** Counts its runs: work that was begun before a crash is not done after it. */
  run = 0;
  readonly busy: Record<WorkType, boolean> = {
    flush: false,
    hear: false,
    log: false,
    apply: false,
    keep: false,
    ship: false,
  };

  constructor(id: NodeId, place: number, clockPercent: number) {
    this.id = id;
    this.place = place;
    this.clockPercent = clockPercent;
  }

  /** What its clock says. */
  clockAt(now: number): number {
    return Math.floor((now * this.clockPercent) / 100) + this.clockOffsetMs;
  }

  /** How long a time by its clock is. */
  realMs(ms: number): number {
    return Math.max(1, Math.round((ms * 100) / this.clockPercent));
  }

  /** Its process ends: nobody works for it any more. */
  endRun(): void {
    const { busy } = this;
    this.run += 1;
    this.pausedUntil = 0;
    this.isFailing = false;
    busy.flush = false;
    busy.hear = false;
    busy.log = false;
    busy.apply = false;
    busy.keep = false;
    busy.ship = false;
  }
}
