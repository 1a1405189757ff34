import type { Loaded } from '../storage/storage.ts';
import { same } from './same.ts';
import { claim, conform, type OpenPlace, rejects, type StorageConformanceCase } from './storage-kit.ts';
import { contentOf, factsOf, type WriteKind, writeKinds } from './storage-write-kinds.ts';
import { seenWords } from './words-of.ts';

/** What every storage does when its process is killed or the power goes, whatever it was writing. */
export const storageOutageCases: readonly StorageConformanceCase[] = [
  ...(['kill', 'losePower'] as const).map((end) =>
    conform(
      `has been opened, as which store and by which node, once it is open: ${end}`,
      async (place) => {
        const { storeId, bootCounter } = await place.open({ nodeId: 'n1' });
        await place.fault(end);
        const second = await place.open({ nodeId: 'n1' });
        await place.fault(end);
        await rejects('opening it as n2', 'RAFT_STORE_OTHER_NODE', place.another({ nodeId: 'n2' }).open());
        const third = await place.open({ nodeId: 'n1' });

        same('boot counters', [bootCounter, second.bootCounter, third.bootCounter], [1, 2, 3]);
        same('names', [second.storeId, third.storeId], [storeId, storeId]);
      },
      [end],
    ),
  ),
  ...(['kill', 'losePower'] as const).flatMap((end) =>
    writeKinds.map((kind) =>
      conform(
        `has ${kind.what} whole or not at all whenever it ends, and whole once it was answered: ${end}`,
        (_, __, make) => endAnywhere(kind, make, (place) => reopenedAfter(place, end)),
        [end],
      ),
    ),
  ),
  ...writeKinds.map((kind) =>
    conform(
      `has flushed what a killed process left of ${kind.what} once it is open`,
      (_, __, make) =>
        endAnywhere(kind, make, async (place) => {
          const left = factsOf(place, await reopenedAfter(place, 'kill'));
          const staged = await kind.look?.(place);
          const loaded = await reopenedAfter(place, 'losePower');
          same('what was loaded before the power went', factsOf(place, loaded), left);
          same('what was staged then', await kind.look?.(place), staged);
          return loaded;
        }),
      ['kill', 'losePower'],
    ),
  ),
];

async function reopenedAfter(place: OpenPlace, end: 'kill' | 'losePower'): Promise<Loaded> {
  await place.fault(end);
  return place.open();
}

/** Ends the writer at one moment after another, on a place of its own each time, and looks what is there. */
async function endAnywhere(
  kind: WriteKind,
  make: () => Promise<OpenPlace>,
  end: (place: OpenPlace) => Promise<Loaded>,
): Promise<void> {
  const before = await settled(kind, make, { isWritten: false });
  const after = await settled(kind, make, { isWritten: true });
  claim(`${kind.what} changes what is stored`, seenWords(before) !== seenWords(after));
  for (const { when, wait } of momentsOf(await turnsOf(kind, make))) {
    const place = await make();
    await kind.prepare(place);
    const writing = answerOf(kind.write(place));
    await wait(writing.promise);
    const { isAnswered } = writing;
    const loaded = await end(place);
    const seen = await contentOf(place, loaded, kind);
    isWhole(
      `ended ${when}, ${isAnswered ? 'after' : 'before'} the answer`,
      seen,
      isAnswered ? [after] : [before, after],
    );
  }
}

/** What a place holds that was closed in peace, before the write or after it. */
async function settled(
  kind: WriteKind,
  make: () => Promise<OpenPlace>,
  { isWritten }: { readonly isWritten: boolean },
): Promise<Readonly<Record<string, unknown>>> {
  const place = await make();
  await kind.prepare(place);
  if (isWritten) await kind.write(place);
  return contentOf(place, await place.reopen(), kind);
}

interface Moment {
  readonly when: string;
  /** Comes at that moment after the write began. */
  wait(written: Promise<unknown>): Promise<unknown>;
}

/** While the write is prepared, at up to ten turns of the event loop while it is carried out, and at its answer. */
function momentsOf(turnCount: number): readonly Moment[] {
  const atSteps = Array.from({ length: 8 }, (_, steps) => ({
    when: `${steps} steps into the write`,
    wait: () => repeated(steps, () => Promise.resolve()),
  }));
  const stride = Math.ceil((turnCount + 1) / 10);
  const atTurns = Array.from({ length: Math.ceil((turnCount + 1) / stride) }, (_, at) => ({
    when: `${1 + at * stride} turns into the write`,
    wait: () => repeated(1 + at * stride, turn),
  }));
  return [...atSteps, ...atTurns, { when: 'at the answer', wait: (written) => written }];
}

/** How many turns of the event loop the write takes. */
async function turnsOf(kind: WriteKind, make: () => Promise<OpenPlace>): Promise<number> {
  const place = await make();
  await kind.prepare(place);
  const writing = answerOf(kind.write(place));
  let turns = 0;
  for (; !writing.isSettled; turns++) await turn();
  await writing.promise;
  return turns;
}

async function repeated(count: number, once: () => Promise<void>): Promise<void> {
  for (let done = 0; done < count; done++) await once();
}

/** The shortest turn there is, so that a cut comes between two writes of one request too. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

interface Answer {
  readonly promise: Promise<unknown>;
  isAnswered: boolean;
  isSettled: boolean;
}

/** A promise, and what has become of it. It is never left unhandled. */
function answerOf(promise: Promise<unknown>): Answer {
  const answer = { promise, isAnswered: false, isSettled: false };
  const settle = (isAnswered: boolean) => Object.assign(answer, { isAnswered, isSettled: true });
  promise.then(
    () => settle(true),
    () => settle(false),
  );
  return answer;
}

/** All of it is as in one of those, and nothing as in another. */
function isWhole(
  when: string,
  seen: Readonly<Record<string, unknown>>,
  allowed: readonly Readonly<Record<string, unknown>>[],
): void {
  if (allowed.some((each) => seenWords(each) === seenWords(seen))) return;
  const differences = allowed.map((each) =>
    Object.keys(seen)
      .filter((name) => seenWords(seen[name]) !== seenWords(each[name]))
      .map((name) => `${name} is ${seenWords(seen[name])} instead of ${seenWords(each[name])}`)
      .join(', '),
  );
  throw new Error(`${when}: ${differences.join('; or ')}`);
}
