import type { Fault, FaultKind } from './output.ts';

/** Says what can't be, with the numbers that contradict each other. */
export function fault(
  scope: Fault['scope'],
  kind: FaultKind,
  detail: Readonly<Record<string, string | number>>,
): Fault {
  return { type: 'fault', scope, kind, detail };
}
