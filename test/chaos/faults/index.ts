import type { Fault } from '../fault.ts';
import { damage } from './damage-faults.ts';
import { failedFlush, failedWrite, fullDisk } from './disk-faults.ts';
import { replace, snapshot, transfer } from './member-faults.ts';
import { cut, delay, drop, halfOpen, oneWay, partition, unplug } from './network-faults.ts';
import { kill, killAll, restart, stop } from './process-faults.ts';

/** All kinds of faults. One that is listed twice comes twice as often. */
export const faults: readonly Fault[] = [
  ...[kill, kill, stop, stop, restart, killAll],
  ...[delay, drop, oneWay, halfOpen, partition, cut, unplug],
  ...[fullDisk, failedFlush, failedWrite, damage],
  ...[replace, transfer, snapshot],
];

/** Their names, each once. */
export const faultNames: readonly string[] = [...new Set(faults.map(({ name }) => name))];
