import { decodePayload, type EntryBatch, index, plus } from '../../core/index.ts';
import { memoryStorage } from '../../storage/memory-storage.ts';
import type { Codec, LogPosition, StateMachine } from '../../streams/state-machine.ts';
import { expectThat } from '../violation.ts';
import { shown, travelledWords } from '../words-of.ts';
import { AppliedOnce } from './applied-once.ts';
import type { AppliedResults } from './applied-results.ts';
import { dataOf } from './machine-data.ts';
import { answeredWith, type ReadRecord, type RequestLog, threw } from './request-log.ts';
import type { CommittedCommand } from './simulated-cluster.ts';
import { taggedCodec } from './tagged.ts';

/** What a {@link replay} works with. */
export interface ReplayOptions<Command, Result, Query, Answer> {
  /** A machine that has applied nothing. */
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  /** How many commands of clients with sessions it has really carried out. */
  readonly executions: () => number;
  readonly batches: readonly EntryBatch[];
  readonly requests: RequestLog;
  readonly results: AppliedResults;
  /** Calls into the machine. */
  readonly inWorld: <T>(call: () => T) => T;
}

/** What a {@link replay} gives. */
export interface Replayed<Command, Result> {
  readonly committed: readonly CommittedCommand<Command, Result>[];
  /** All that the machine holds in the end, as text; `undefined` if it has no way to tell. */
  readonly data: string | undefined;
}

/**
 * Applies the committed log to a fresh machine, and holds what clients were told against it: each write has the
 * result that it was answered with, what was answered `notCommitted` is not there, no request is there twice, what was
 * written through a session is carried out once, and
 * reads and writes took effect between their beginning and their answer (linearizability). Gives the log, and what the
 * machine then holds.
 *
 * Reads are given the earliest place that they can have: what is right for a set of intervals, if anything is.
 */
export async function replay<Command, Result, Query, Answer>(
  options: ReplayOptions<Command, Result, Query, Answer>,
): Promise<Replayed<Command, Result>> {
  const { machine, executions, batches, requests, results, inWorld } = options;
  const storage = memoryStorage();
  await storage.open();
  await inWorld(() => machine.open(storage.machineStore));
  const codec = taggedCodec(machine.command);
  const log: CommittedCommand<Command, Result>[] = [];
  const seen = new Set<number>();
  const onces = new AppliedOnce();
  const reads = new ReadPlaces(requests.reads);
  const look = (at: number) => reads.look(at, (query) => inWorld(() => machine.query(query as Query)));
  await look(0);
  for (const batch of batches) {
    const entries = batch.kind === 'command' ? decodePayload(batch.payload) : [];
    for (const [offset, bytes] of entries.entries()) {
      const { request, command } = codec.decode(bytes);
      const at: LogPosition = {
        index: plus(batch.index, offset),
        term: batch.term,
        logTimeMs: batch.logTimeMs,
      };
      expectThat(
        !seen.has(request),
        () => `${shown(command)} is in the log twice, the second time at ${at.index}`,
      );
      seen.add(request);
      reads.checkBefore(requests.writes.get(request)?.began ?? 0, at.index);
      const before = executions();
      const [result] = await inWorld(() => machine.apply([command], at));
      if (machine.keeps === 'store') storage.machineStore.advance(at.index, at.logTimeMs);
      checkWrite({
        requests,
        results,
        at,
        request,
        command,
        result: result as Result,
        codec: machine.result,
      });
      const once = requests.onceOf(request);
      if (once !== undefined && executions() > before)
        onces.executed(once, { index: at.index, result: travelledWords(machine.result, result as Result) });
      log.push({ ...at, command, result: result as Result });
      await look(at.index);
    }
    if (entries.length === 0) await look(batch.index + batch.count - 1);
  }
  reads.checkAll();
  onces.checkAll(requests.onces);
  checkAnswers(requests, log);
  return { committed: log, data: await dataOf({ machine, store: storage.machineStore }) };
}

function checkWrite<Result>(applied: {
  readonly requests: RequestLog;
  readonly results: AppliedResults;
  readonly at: LogPosition;
  readonly request: number;
  readonly command: unknown;
  readonly result: Result;
  readonly codec: Codec<Result>;
}): void {
  const { at, request, command, result, codec } = applied;
  const record = applied.requests.writes.get(request);
  const words = `${shown(command)} at ${at.index}`;
  expectThat(record !== undefined, () => `${words} is in the log, and nobody wrote it`);
  expectThat(
    record?.outcome !== 'notCommitted',
    () => `${words} is in the log, and was answered notCommitted`,
  );
  if (record?.outcome === 'committed') {
    expectThat(record.index === at.index, () => `${words} was answered as committed at ${record.index}`);
    expectThat(
      record.result === travelledWords(codec, result),
      () =>
        `${words} was answered ${record.result}, and gives ${shown(result)} when the log is applied again`,
    );
  }
  const known = applied.results.at(at.index);
  expectThat(
    known === undefined || travelledWords(codec, codec.decode(known.bytes)) === travelledWords(codec, result),
    () => `${words} gave ${shown(known?.result)}, and gives ${shown(result)} when the log is applied again`,
  );
}

/** What was acknowledged is in the log. */
function checkAnswers(requests: RequestLog, log: readonly CommittedCommand<unknown, unknown>[]): void {
  const indexes = new Set<number>(log.map((entry) => entry.index));
  for (const { outcome, command, index: told } of requests.writes.values()) {
    expectThat(
      outcome !== 'committed' || indexes.has(index(told)),
      () => `${shown(command)}, answered as committed at ${told}, is not in the log`,
    );
  }
}

/** Finds for each read an index at which its answer was the right one. */
class ReadPlaces {
  /** By where they may begin to look, the first last. */
  readonly #later: ReadRecord[];
  /** In the order in which they began. */
  #open: ReadRecord[] = [];

  constructor(reads: readonly ReadRecord[]) {
    const answered = reads.filter(({ answer }) => answer !== null);
    this.#later = answered.sort((a, b) => b.floor - a.floor || b.began - a.began);
  }

  /** The machine has applied through an index: who can have seen it as it is now? */
  async look(at: number, ask: (query: unknown) => unknown): Promise<void> {
    while ((this.#later.at(-1)?.floor ?? Number.POSITIVE_INFINITY) <= at) {
      this.#open.push(this.#later.pop() as ReadRecord);
    }
    this.#open.sort((a, b) => a.began - b.began);
    let unplaced: ReadRecord[] = [];
    for (const read of this.#open) {
      const mustWait = read.isLinearizable && unplaced.some((other) => isBefore(other, read.began));
      const isHere = !mustWait && (await answerOf(ask, read.query)) === read.answer;
      if (!isHere) unplaced = [...unplaced, read];
      expectThat(isHere || at < read.ceiling, () => nowhere(read));
    }
    this.#open = unplaced;
  }

  /** A write that began then is at an index: reads answered before it began have seen less. */
  checkBefore(began: number, at: number): void {
    const late = this.#open.find((read) => isBefore(read, began));
    expectThat(
      late === undefined,
      () => `${nowhere(late as ReadRecord)}; a write that began later is at ${at}`,
    );
  }

  /** The log is at its end. */
  checkAll(): void {
    const left = this.#open[0] ?? this.#later[0];
    expectThat(left === undefined, () => nowhere(left as ReadRecord));
  }
}

/** Whether a linearizable read was answered before something else began. */
function isBefore(read: ReadRecord, began: number): boolean {
  return read.isLinearizable && read.answered < began;
}

async function answerOf(ask: (query: unknown) => unknown, query: unknown): Promise<string> {
  let value: unknown;
  try {
    value = await ask(query);
  } catch (error) {
    return threw(error);
  }
  return answeredWith(query, value);
}

function nowhere({ query, at, answer, floor, ceiling }: ReadRecord): string {
  const place = `from index ${floor}, which was known when it began, to ${ceiling}, when it was answered`;
  return `the read ${shown(query)} at ${at} ${answer}, which is not right anywhere ${place}`;
}
