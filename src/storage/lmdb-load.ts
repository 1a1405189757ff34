import {
  type ConfigurationAt,
  decodeConfiguration,
  type HardState,
  index0,
  type LogIndex,
  lastOf,
  lastTerm,
  type Term,
  type TermStart,
  term0,
} from '../core/index.ts';
import { damaged, gapProblem } from './damage.ts';
import { type LmdbTables, records } from './lmdb-tables.ts';
import type { LogStart } from './log-writes.ts';
import type { MachineState } from './machine-overlay.ts';
import type { StageState } from './medium.ts';
import { withoutChecksum } from './record.ts';
import { piecesOf } from './staged-value.ts';
import type { Founding } from './storage.ts';
import { generationOfKey, indexOfKey, tables } from './store-keys.ts';

/** What a store holds of one group, its log's batches and its machine's data aside. */
export interface GroupTables {
  readonly founding: Founding | null;
  readonly hardState: HardState;
  readonly log: LogIndex;
  readonly configurations: readonly ConfigurationAt[];
  readonly machine: MachineState;
  readonly stage: StageState | null;
  readonly lastGeneration: number;
}

/**
 * Everything a node starts from, checked. Reads the small tables and the last batch, never the log. What can't
 * be is `RAFT_STORE_DAMAGED`.
 */
export function loadTables(stored: LmdbTables): GroupTables {
  const machine = stored.machineState();
  const stage = stored.record<StageState>(records.stage) ?? null;
  const loaded: GroupTables = {
    founding: stored.record<Founding>(records.founding) ?? null,
    hardState: stored.record<HardState>(records.hardState) ?? { currentTerm: term0, votedFor: null },
    log: loadLog(stored),
    configurations: loadConfigurations(stored),
    machine,
    stage,
    lastGeneration: Math.max(
      machine.generation,
      stage === null ? 0 : piecesOf(stage),
      lastGeneration(stored),
    ),
  };
  checkTogether(stored, loaded);
  return loaded;
}

function loadLog(stored: LmdbTables): LogIndex {
  const start = stored.record<LogStart>(records.logStart) ?? { index: index0, term: term0, logTimeMs: 0 };
  const base = { startIndex: start.index, startTerm: start.term };
  const terms = stored.rows(tables.terms, (index, value): TermStart => {
    return { index, term: stored.decode<Term>(value, `term at index ${index}`) };
  });
  const newest = stored.batchAtOrBefore(Number.MAX_SAFE_INTEGER);
  const last = newest !== undefined && newest.index > start.index ? newest : undefined; // Or not deleted yet.
  if (last === undefined && terms.length === 0)
    return { ...base, lastIndex: start.index, terms, lastLogTimeMs: start.logTimeMs };
  const first = start.index + 1;
  const firstBatch = firstBatchFrom(stored, first);
  if (terms[0]?.index !== first || firstBatch !== first) {
    const begins = `the term table begins at index ${terms[0]?.index} and the log at ${firstBatch}`;
    throw damaged(stored.name(`gap: ${begins}, not at ${first},`));
  }
  const lastStart = terms.at(-1) as TermStart;
  const isTogether = last?.term === lastStart.term && last.index >= lastStart.index;
  if (isTogether && areAscending(terms, start.term))
    return { ...base, lastIndex: lastOf(last), terms, lastLogTimeMs: last.logTimeMs };
  throw damaged(
    stored.name(
      `gap: the term table ends with term ${lastStart.term} from index ${lastStart.index} on, and the log ` +
        `with a batch of term ${last?.term} at index ${last?.index},`,
    ),
  );
}

function firstBatchFrom({ environment, keys }: LmdbTables, index: number): number | undefined {
  for (const key of environment.getKeys({ ...keys.from(tables.log, index), limit: 1 }))
    return indexOfKey(key);
  return undefined;
}

function areAscending(terms: readonly TermStart[], startTerm: Term): boolean {
  return terms.every(({ term }, at) => {
    const before = terms[at - 1];
    return before === undefined ? term >= startTerm : term > before.term;
  });
}

function loadConfigurations(stored: LmdbTables): readonly ConfigurationAt[] {
  return stored.rows(tables.configurations, (index, value): ConfigurationAt => {
    const bytes = withoutChecksum(value);
    const configuration = bytes && decodeConfiguration(bytes);
    if (configuration !== undefined) return { index, configuration };
    throw damaged(`${stored.name(`configuration at index ${index}`)} can't be read`);
  });
}

/** The highest generation of which there are data. */
function lastGeneration({ environment, keys }: LmdbTables): number {
  const { start, end } = keys.generationsFrom(0);
  for (const key of environment.getKeys({ start: end, end: start, reverse: true, limit: 1 }))
    return generationOfKey(key);
  return 0;
}

/** What the tables say about each other. */
function checkTogether(stored: LmdbTables, { founding, hardState, ...rest }: GroupTables): void {
  const { log, configurations, machine } = rest;
  if (lastTerm(log) > hardState.currentTerm) {
    const terms = `the log has term ${lastTerm(log)} and record hardState term ${hardState.currentTerm}`;
    throw damaged(stored.name(`gap: ${terms}`));
  }
  const gap = gapProblem(machine.index, log);
  if (gap !== undefined) throw gap;
  const first = configurations[0]?.index;
  const last = configurations.at(-1)?.index ?? index0;
  const isFounded = founding !== null;
  const reachesStart = first !== undefined && first <= log.startIndex;
  if (isFounded === reachesStart && last <= log.lastIndex) return;
  throw damaged(
    stored.name(
      `gap: the configuration table reaches from index ${first} to ${last}, the log from ${log.startIndex} to ` +
        `${log.lastIndex}, and there is ${isFounded ? 'a' : 'no'} record founding,`,
    ),
  );
}
