import type { RecordedOperation } from './history.ts';

type Recorded = RecordedOperation<unknown, unknown>;

/** Operations of one process that have answers, in the order in which it asked: by their places in a history. */
type Asked = readonly number[];

/**
 * Refuses a history whose times can't be those of processes that do one thing at a time: no order could be found
 * in it, or any. Throws a `RangeError` that names the operations.
 */
export function checkTimes(history: readonly Recorded[]): void {
  for (const each of history) {
    const problem = problemWith(each);
    if (problem !== undefined)
      throw new RangeError(
        `${nameOf(each)} ${problem}: the history can't be judged. Mend how it is recorded`,
      );
  }
  for (const asked of answeredBy(history).values()) {
    for (const [at, place] of asked.entries()) {
      const [before, each] = [history[asked[at - 1] ?? -1], history[place] as Recorded];
      if (before !== undefined && each.invokedAt < before.returnedAt)
        throw new RangeError(overlap(before, each));
    }
  }
}

function problemWith({ invokedAt, returnedAt, outcome }: Recorded): string | undefined {
  if (!['ok', 'notCommitted', 'unknown'].includes(outcome.type))
    return `has the outcome ${JSON.stringify(outcome.type)}, expected ok, notCommitted or unknown`;
  if (!Number.isFinite(invokedAt)) return `has invokedAt ${invokedAt}, expected a finite number`;
  if (outcome.type === 'ok' && !(returnedAt >= invokedAt))
    return `has returnedAt ${returnedAt}, expected a number from its invokedAt, ${invokedAt}`;
  return undefined;
}

function overlap(before: Recorded, each: Recorded): string {
  return (
    `${nameOf(each)} was called at ${each.invokedAt}, while ${nameOf(before)} was under way, which was answered at ` +
    `${before.returnedAt}: the history can't be judged. A client with several operations under way at once counts as several: give each a process of its own`
  );
}

function nameOf({ process, key }: Recorded): string {
  return `an operation of process ${process} on key ${key}`;
}

/**
 * By place: the operation of the same process that was answered before this one was called, if the times alone
 * don't say so since both are the same. Nothing follows an unknown one: it may take effect at any later time.
 *
 * @param history - of one key, with times that {@link checkTimes} lets pass.
 */
export function predecessors(history: readonly Recorded[]): ReadonlyMap<number, number> {
  const before = new Map<number, number>();
  const answered = answeredBy(history);
  for (const asked of answered.values()) {
    for (const [at, place] of asked.slice(1).entries()) before.set(place, asked[at] as number);
  }
  history.forEach(({ process, invokedAt, outcome }, place) => {
    if (outcome.type === 'ok') return;
    const last = answered.get(process)?.findLast((other) => {
      const { invokedAt: began, returnedAt: ended } = history[other] as Recorded;
      return ended < invokedAt || (ended === invokedAt && (began < invokedAt || other < place));
    });
    if (last !== undefined) before.set(place, last);
  });
  return before;
}

/** In the order of their times, and as listed where these are the same. */
function answeredBy(history: readonly Recorded[]): ReadonlyMap<string, Asked> {
  const byProcess = new Map<string, number[]>();
  history.forEach(({ process, outcome }, place) => {
    if (outcome.type !== 'ok') return;
    const others = byProcess.get(process);
    if (others === undefined) byProcess.set(process, [place]);
    else others.push(place);
  });
  for (const places of byProcess.values()) {
    places.sort((a, b) => {
      const [one, other] = [history[a], history[b]] as [Recorded, Recorded];
      return one.invokedAt - other.invokedAt || one.returnedAt - other.returnedAt; // The sort is stable.
    });
  }
  return byProcess;
}
