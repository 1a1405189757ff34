import { type Index, type NodeId, plus } from '../../core/index.ts';
import type { MachineStore } from '../../storage/storage.ts';
import { isPromise } from '../../streams/is-promise.ts';
import type { LogPosition, StateMachine } from '../../streams/state-machine.ts';
import { expectThat, InvariantViolation } from '../violation.ts';
import { shown } from '../words-of.ts';
import type { AppliedResults } from './applied-results.ts';
import { type Tagged, taggedCodec } from './tagged.ts';

/** What a {@link watchedMachine} works with. */
export interface MachineWatch {
  readonly id: NodeId;
  readonly results: AppliedResults;
  /** Calls into the machine, in the world of its node. */
  readonly inWorld: <T>(call: () => T) => T;
  /** Whether the process still runs: what a dead one does counts for nothing. */
  readonly isAlive: () => boolean;
  /** Where what queries throw is kept. */
  readonly queryErrors: Set<unknown>;
  /** The command at an index is applied. */
  readonly onApplied: (index: Index) => void;
  /** A promise is broken. */
  readonly onViolation: (error: unknown) => void;
}

/**
 * A user's machine on one node, watched: every entry is applied once in one life of the process and in order, and
 * with the result that it has on every other node.
 */
export function watchedMachine<Command, Result, Query, Answer>(
  machine: StateMachine<Command, Result, Query, Answer>,
  watch: MachineWatch,
): StateMachine<Tagged<Command>, Result, Query, Answer> {
  const watched = new WatchedMachine(machine, watch);
  const { snapshot, restore, isSnapshotEntry } = machine;
  return {
    keeps: machine.keeps,
    command: taggedCodec(machine.command),
    result: machine.result,
    open: (store) => watched.open(store),
    apply: (commands, at) => watched.apply(commands, at),
    query: (query) => watched.query(query),
    ...(isSnapshotEntry && { isSnapshotEntry: isSnapshotEntry.bind(machine) }),
    ...(snapshot && { snapshot: () => watch.inWorld(() => snapshot.call(machine)) }),
    ...(restore && {
      restore: (pieces: Iterable<Uint8Array>, index: Index) => {
        watched.lastApplied = index;
        return watch.inWorld(() => restore.call(machine, pieces, index));
      },
    }),
  };
}

class WatchedMachine<Command, Result, Query, Answer> {
  lastApplied = 0;
  readonly #machine: StateMachine<Command, Result, Query, Answer>;
  readonly #watch: MachineWatch;

  constructor(machine: StateMachine<Command, Result, Query, Answer>, watch: MachineWatch) {
    this.#machine = machine;
    this.#watch = watch;
  }

  open(store: MachineStore): Index | Promise<Index> {
    this.lastApplied = this.#machine.keeps === 'store' ? store.appliedIndex : 0;
    return this.#watch.inWorld(() => this.#machine.open(store));
  }

  apply(tagged: readonly Tagged<Command>[], at: LogPosition): readonly Result[] | Promise<readonly Result[]> {
    const commands = tagged.map(({ command }) => command);
    const results = this.#guarded(() => {
      this.#checkOrder(at);
      return this.#applied(commands, at);
    });
    if (!isPromise(results)) return this.#check(tagged, at, results);
    return Promise.resolve(results).then((settled) => this.#check(tagged, at, settled));
  }

  query(query: Query): Answer | Promise<Answer> {
    const { inWorld, queryErrors } = this.#watch;
    const note = (error: unknown): never => {
      queryErrors.add(error);
      throw error;
    };
    try {
      const answer = inWorld(() => this.#machine.query(query));
      return isPromise(answer) ? answer.catch(note) : answer;
    } catch (error) {
      return note(error);
    }
  }

  #applied(commands: readonly Command[], at: LogPosition): readonly Result[] | Promise<readonly Result[]> {
    try {
      return this.#watch.inWorld(() => this.#machine.apply(commands, at));
    } catch (error) {
      const first = commands.length === 1 ? shown(commands[0]) : `${commands.length} commands`;
      throw new InvariantViolation(
        `${this.#watch.id}: apply threw on ${first} at index ${at.index}: ${shown(error)}.\n` +
          'A command that makes no sense must be answered with a result that says so',
      );
    }
  }

  #checkOrder({ index }: LogPosition): void {
    const { id } = this.#watch;
    expectThat(
      index > this.lastApplied,
      () => `${id} applies index ${index} again: it has applied through ${this.lastApplied}`,
    );
  }

  #check(tagged: readonly Tagged<Command>[], at: LogPosition, results: readonly Result[]): readonly Result[] {
    return this.#guarded(() => {
      if (!this.#watch.isAlive()) return results;
      this.lastApplied = at.index + tagged.length - 1;
      const { id, results: known } = this.#watch;
      expectThat(
        results.length === tagged.length,
        () =>
          `${id}: apply gave ${results.length} results for ${tagged.length} commands at index ${at.index}`,
      );
      tagged.forEach(({ request, command }, offset) => {
        const result = results[offset] as Result;
        const bytes = this.#machine.result.encode(result);
        const index = plus(at.index, offset);
        known.check(id, { ...at, index }, { request, command, result, bytes });
        this.#watch.onApplied(index);
      });
      return results;
    });
  }

  #guarded<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (this.#watch.isAlive()) this.#watch.onViolation(error);
      throw error;
    }
  }
}
