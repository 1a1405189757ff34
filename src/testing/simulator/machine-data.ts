import { decodePayload, type EntryBatch, lastOf } from '../../core/index.ts';
import { memoryStorage } from '../../storage/memory-storage.ts';
import type { MachineStore } from '../../storage/storage.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import { InvariantViolation } from '../violation.ts';
import { apart, readable } from '../words-of.ts';
import { taggedCodec } from './tagged.ts';

/** A machine, and where it keeps its data if it does so in the store. */
export interface Kept<Command, Result, Query, Answer> {
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  readonly store: MachineStore;
}

/** All that a machine holds, as text; `undefined` if it has no way to tell. */
export async function dataOf<C, R, Q, A>({ machine, store }: Kept<C, R, Q, A>): Promise<string | undefined> {
  if (machine.keeps === 'store') {
    return [...store.range({})].map(([key, value]) => `${readable(key)} = ${readable(value)}`).join(', ');
  }
  if (machine.snapshot === undefined) return undefined;
  const pieces: string[] = [];
  for await (const piece of machine.snapshot()) pieces.push(readable(piece));
  return pieces.join('');
}

/** What the nodes hold, and what a fresh machine does to which the log was applied again, one command at a time. */
export interface HeldData<Command, Result, Query, Answer> {
  /** Of all nodes, which agree. */
  readonly held: string;
  readonly replayed: string;
  readonly batches: readonly EntryBatch[];
  /** A machine that has applied nothing. */
  readonly fresh: () => StateMachine<Command, Result, Query, Answer>;
  /** Calls into the machine. */
  readonly inWorld: <T>(call: () => T) => T;
}

/**
 * The nodes hold what the log makes of a fresh machine. That they agree with one another is not enough: they are given
 * the commands in the same groups, and may all have been restored from a snapshot.
 *
 * Throws an `InvariantViolation` that tells which of the two it is.
 */
export async function checkReplayed<C, R, Q, A>(data: HeldData<C, R, Q, A>): Promise<void> {
  const { held, replayed, batches } = data;
  if (held === replayed) return;
  const [ofNodes, ofFresh] = apart(held, replayed);
  const words = `through index ${lastIndexOf(batches)} all nodes hold ${ofNodes}`;
  const isByGroup = (await groupedData(data)) === held;
  throw new InvariantViolation(
    isByGroup
      ? `${words}, and a machine that was given the same commands one at a time holds ${ofFresh}.\n${groupAdvice}`
      : `${words}, and a fresh machine to which the log is applied again holds ${ofFresh}.\n${restoreAdvice}`,
  );
}

const groupAdvice =
  'apply must depend on nothing but the commands so far and their positions: how many of them come in one call is not ' +
  'promised, and nodes that get them in other groups would hold other data. Let it go command by command, the next at at.index + 1';

const restoreAdvice =
  'apply must depend on nothing but the commands so far and their positions, and a node that starts again or is sent a ' +
  'snapshot must hold all that it held: look at what snapshot, restore and open leave out, or put in another order';

function lastIndexOf(batches: readonly EntryBatch[]): number {
  const last = batches.at(-1);
  return last === undefined ? 0 : lastOf(last);
}

/** What a fresh machine holds that is given the commands in the groups in which the nodes were. */
async function groupedData<C, R, Q, A>({
  batches,
  fresh,
  inWorld,
}: HeldData<C, R, Q, A>): Promise<string | undefined> {
  const machine = fresh();
  const storage = memoryStorage();
  await storage.open();
  const store = storage.machineStore;
  await inWorld(() => machine.open(store));
  const codec = taggedCodec(machine.command);
  for (const batch of batches) {
    const { kind, payload, index, term, logTimeMs } = batch;
    if (kind !== 'command') continue;
    const commands = decodePayload(payload).map((bytes) => codec.decode(bytes).command);
    await inWorld(() => machine.apply(commands, { index, term, logTimeMs }));
    if (machine.keeps === 'store') store.advance(lastOf(batch), logTimeMs);
  }
  return dataOf({ machine, store });
}
