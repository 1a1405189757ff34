import type { OrderedProcess } from '../harness/ordered-process.ts';
import type { LoadOrders } from '../load/closed-loop.ts';
import type { RunningSystem } from './system.ts';

/** The part of a running system that its load takes. */
export function drivenBy(
  process: Pick<OrderedProcess<LoadOrders, never>, 'do'>,
): Pick<RunningSystem, 'startLoop' | 'sample' | 'stopLoop'> {
  return {
    startLoop: (operation, outstanding) => process.do('startLoop', operation, outstanding),
    sample: (ms) => process.do('sample', ms),
    stopLoop: () => process.do('stopLoop'),
  };
}
