import { type Index, membersOf, type NodeId, RaftError } from '../core/index.ts';
import { countProblem } from '../core/member-rules.ts';
import { StorageError } from '../storage/errors.ts';
import type { Loaded, Storage } from '../storage/storage.ts';
import { problemList } from '../transport/limits.ts';
import type { MemberAddress } from '../transport/transport.ts';
import { batchHolding } from './batch-holding.ts';
import { foundLogOf } from './found-log.ts';
import { NodeFace } from './node-face.ts';
import { NodeRuntime } from './node-runtime.ts';
import { settingsOf } from './options.ts';
import type { RaftNode, RaftNodeOptions } from './raft-node.ts';
import { piecesIn } from './saved-machine.ts';
import type { StateMachine } from './state-machine.ts';

/**
 * Starts a node. Resolves once its storage is open and its transport listens; requests then wait for a leader.
 *
 * Rejects, with nothing left open, if the options are wrong (`RAFT_BAD_OPTIONS`, every problem at once), the
 * storage can't be opened (a `StorageError`), or the transport can't listen (a `TransportError`). That there are too many
 * `members` is found out once the storage is open: a store that belongs to a cluster has members of its own.
 *
 * ```ts
 * const machine = reducer(0, (sum: number, add: number) => [sum + add, sum + add] as const);
 * await using node = await raftNode({ id: 'n1', machine, storage: memoryStorage() });
 * const { result } = await node.write(5);
 * ```
 */
export async function raftNode<Command, Result, Query, Answer>(
  options: RaftNodeOptions<Command, Result, Query, Answer>,
): Promise<RaftNode<Command, Result, Query, Answer>> {
  const settings = settingsOf(options);
  const loaded = await options.storage.open();
  let runtime: NodeRuntime<Command, Result, Query, Answer> | undefined;
  try {
    refuseForeign(loaded, options.id);
    refuseFounding(loaded, settings.members);
    const appliedIndex = await openMachine(options.machine, { storage: options.storage, loaded });
    refuseGap(loaded, appliedIndex, options.machine);
    const logTimeMs = await logTimeAt(options.storage, appliedIndex);
    const { keeps } = options.machine;
    const found = await foundLogOf(options.storage, { log: loaded.log, appliedIndex, keeps }, settings);
    runtime = new NodeRuntime(options, { settings, loaded, appliedIndex, logTimeMs, found });
    runtime.follow();
    await runtime.network.open();
    runtime.begin();
    return new NodeFace(options, runtime);
  } catch (error) {
    const closing = runtime === undefined ? options.storage.discard() : runtime.lifetime.close();
    await closing.catch((cause: unknown) =>
      settings.logger.error({ cause }, 'could not let go of everything'),
    );
    throw error;
  }
}

/** A store of another node must not speak under this name (rule 9). */
function refuseForeign({ storeId, founding, configurations }: Loaded, id: NodeId): void {
  const latest = configurations.at(-1)?.configuration ?? founding?.configuration;
  const owner = latest && membersOf(latest).find((member) => member.storeId === storeId);
  if (owner === undefined || owner.id === id) return;
  throw new StorageError(
    'RAFT_STORE_OTHER_NODE',
    `This store belongs to node ${owner.id}, and the node was started as ${id}. Nothing was changed. ` +
      `Start it as ${owner.id}, or give ${id} the folder that is its own.`,
  );
}

/**
 * A cluster of more members than a change of members may leave could not be changed any more. A store that belongs to such a
 * one, founded by an earlier release, is not locked up: nobody reads the declared members there.
 */
function refuseFounding({ founding, configurations }: Loaded, declared: readonly MemberAddress[]): void {
  if (founding !== null || configurations.length > 0) return;
  const problem = countProblem(declared.length);
  if (problem === undefined) return;
  const what = `members: ${problem}; declare fewer, the same ones on every node`;
  throw new RaftError(
    'RAFT_BAD_OPTIONS',
    `The node was not started, and nothing was changed:${problemList([what])}`,
  );
}

/** What a machine says it has applied must be what its data hold, or commands are applied twice or never. */
async function openMachine<C, R, Q, A>(
  machine: StateMachine<C, R, Q, A>,
  { storage, loaded }: { readonly storage: Storage; readonly loaded: Loaded },
): Promise<Index> {
  const { keeps } = machine;
  const applied = await machine.open(storage.machineStore);
  const expected = keeps === 'store' ? storage.machineStore.appliedIndex : 0;
  const isPossible = Number.isSafeInteger(applied) && applied >= 0;
  if (isPossible && (keeps === 'own' || applied === expected))
    return restoreMachine(machine, { applied, storage, loaded });
  throw new RaftError(
    'RAFT_BAD_OPTIONS',
    `The node was not started, and nothing was changed:\n  - machine.open() gave ${applied}, and a machine that ` +
      `keeps its data in ${JSON.stringify(keeps)} ${keeps === 'own' ? 'gives the index it has applied' : `gives ${expected} here`}`,
  );
}

/** A machine outside the store goes on from the snapshot saved there, if its own data are older than the log. */
async function restoreMachine<C, R, Q, A>(
  machine: StateMachine<C, R, Q, A>,
  {
    applied,
    storage,
    loaded,
  }: { readonly applied: Index; readonly storage: Storage; readonly loaded: Loaded },
): Promise<Index> {
  const saved = storage.machineStore.appliedIndex;
  const isNeeded =
    machine.keeps === 'memory' ? saved > 0 : machine.keeps === 'own' && applied < loaded.log.startIndex;
  if (!isNeeded) return applied;
  if (machine.restore === undefined || saved < loaded.log.startIndex) {
    throw new StorageError(
      'RAFT_STORE_DAMAGED',
      `The log begins after ${loaded.log.startIndex}, and the state machine can't be brought there: it has applied ${applied}, ` +
        `the snapshot saved beside the log goes through ${saved}, and the machine ${machine.restore ? 'can' : "can't"} restore it. ` +
        `Nothing was changed. Start the node with the machine and the data it had, or take it out of the cluster and ${anew(machine)}.`,
    );
  }
  await machine.restore(piecesIn(storage.machineStore), saved);
  return saved;
}

/**
 * The log's clock at the machine's applied index: that of what the store holds of the machine, or of the batch there.
 * Only a machine with a storage of its own stands elsewhere than the store says.
 */
async function logTimeAt(storage: Storage, appliedIndex: Index): Promise<number> {
  if (appliedIndex !== storage.machineStore.appliedIndex) {
    const batch = await batchHolding(storage, appliedIndex);
    if (batch !== undefined) return batch.logTimeMs;
  }
  const view = storage.viewMachine();
  try {
    return view.logTimeMs;
  } finally {
    view.close();
  }
}

/** Rule 13: data beyond the log were written by a disk that lost part of the log. */
function refuseGap(
  { log }: Loaded,
  appliedIndex: Index,
  machine: Pick<StateMachine<never, unknown, never, unknown>, 'keeps'>,
): void {
  if (appliedIndex <= log.lastIndex) return;
  throw new StorageError(
    'RAFT_STORE_DAMAGED',
    `The state machine has applied ${appliedIndex}, but the log ends at ${log.lastIndex}: part of it is lost, or it is not the ` +
      'log of this machine. Nothing was changed. If another folder holds that log, start the node with it. Otherwise take the ' +
      `node out of the cluster and ${anew(machine)}: it receives everything from the others.`,
  );
}

/** Data that a machine keeps elsewhere outlive its store, and with a new one they would be ahead of the log again. */
function anew({ keeps }: Pick<StateMachine<never, unknown, never, unknown>, 'keeps'>): string {
  const store = 'let it join again with a new store';
  return keeps === 'own'
    ? `${store} and with a state machine that has no data, or it is refused again`
    : store;
}
