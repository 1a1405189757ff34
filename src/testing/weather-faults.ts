import type { SimulationCounts } from './simulation-counts.ts';
import type { Weather } from './weather.ts';

/** What counts the strikes of each kind of fault that a weather has in store. */
export function faultsOf(weather: Weather): readonly (keyof SimulationCounts)[] {
  const { everyMs } = weather;
  const faults: readonly (readonly [keyof SimulationCounts, number])[] = [
    ['messagesLost', weather.lossPercent],
    ['messagesDoubled', weather.doublePercent],
    ['messagesLate', weather.latePercent],
    ['messagesMisdelivered', everyMs.wipe * weather.misdeliverPercent],
    ['crashes', everyMs.crash],
    ['cuts', everyMs.cut],
    ['oneWayCuts', everyMs.cut],
    ['bridges', everyMs.cut],
    ['pauses', everyMs.pause],
    ['slowDisks', everyMs.slowDisk],
    ['hungDisks', everyMs.hungDisk],
    ['failedDisks', everyMs.failDisk],
    ['disksWiped', everyMs.wipe],
    ['skewedTicks', weather.skewPercent],
    ['clockJumps', everyMs.clock],
    ['strayRequests', weather.strayPercent],
    ['memberChangesAsked', everyMs.members],
    ['transfersAsked', everyMs.transfer],
    ['compactionsAsked', everyMs.compact],
    ['snapshotsLost', everyMs.compact * weather.snapshotLossPercent],
  ];
  return faults.filter(([, rate]) => rate > 0).map(([name]) => name);
}
