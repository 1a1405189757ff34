import type { MemoryDisk } from '../../storage/memory-disk.ts';
import { Dice } from '../dice.ts';
import { checkReplayed, dataOf } from './machine-data.ts';
import { worldOf } from './node-world.ts';
import { replay } from './replay.ts';
import type { Run } from './run.ts';
import type { SimProcess } from './sim-process.ts';
import type { CommittedCommand } from './simulated-cluster.ts';

/** When the faults have stopped, each stage of the recovery may take so many virtual milliseconds. */
export const recoveryMsMax = 40_000;

/**
 * The faults stop. The cluster must elect, commit, catch up and agree, and every request have its answer; then
 * everything that clients were told is held against the log.
 */
export async function recover<C, R, Q, A>(run: Run<C, R, Q, A>): Promise<void> {
  const { cluster, operator, requests, clients } = run;
  for (const end of [...run.lasting]) end();
  cluster.network.heal();
  for (const { disk } of cluster.processes) forgive(disk);
  const isWhole = () => !operator.isBusy && operator.view.isComplete;
  await within(run, isWhole, 'a leader is elected, and the nodes that it counts are there');
  const index = await probe(run);
  const isApplied = () => membersOf(run).every(({ state }) => (state?.lastApplied ?? 0) >= index);
  await within(run, isApplied, `every member has applied through ${index}`);
  const isAnswered = () => !clients.isTrying && requests.waiting.length === 0;
  await within(run, isAnswered, 'every request is answered');
  await within(run, () => isAtRest(run), 'all members have applied the same');
  const held = await checkData(run);
  const committed = await checkTold(run, held);
  await checkAsUsers(run, committed);
}

/** Who operates the cluster looks after it meanwhile: a change that was asked for before may be committed late. */
async function within<C, R, Q, A>(run: Run<C, R, Q, A>, holds: () => boolean, what: string): Promise<void> {
  const isMended = () => {
    run.operator.repair();
    return holds();
  };
  await run.until(isMended, { limitMs: recoveryMsMax, what });
}

const plannedWritesMax = 16;

/** What was planned for this disk, and has not struck yet, never will. */
function forgive(disk: MemoryDisk): void {
  for (let nth = 1; nth <= plannedWritesMax; nth++) disk.plan({ type: 'delay', delayMs: 0 }, nth);
  disk.release();
}

function membersOf<C, R, Q, A>({ cluster, operator }: Run<C, R, Q, A>): readonly SimProcess<C, R, Q, A>[] {
  return cluster.running.filter((process) => operator.view.isMemberProcess(process));
}

/** A write is committed: gives its index. */
async function probe<C, R, Q, A>(run: Run<C, R, Q, A>): Promise<number> {
  const { clients, cluster } = run;
  const command = probeCommand(run);
  if (command === undefined) return cluster.history.commitIndex;
  let index = 0;
  let isAsking = false;
  const ask = () => {
    const [process] = cluster.leader === undefined ? [] : [cluster.leader];
    if (process === undefined || isAsking) return;
    isAsking = true;
    clients.write(process, command, { timeoutMs: 1000 }).then(
      (committed) => {
        index = committed.index;
      },
      () => {
        isAsking = false;
      },
    );
  };
  const isCommitted = () => {
    if (index === 0) ask();
    return index > 0;
  };
  await within(run, isCommitted, 'a write is committed');
  return index;
}

const probeDrawsMax = 1000;

/** The first command of the workload's that another dice draws; `undefined` if it only reads. */
function probeCommand<C, R, Q, A>({ settings }: Run<C, R, Q, A>): C | undefined {
  const dice = new Dice(settings.seed + 1);
  for (let draw = 1; draw <= probeDrawsMax; draw++) {
    const operation = settings.workload(dice, -draw);
    if (operation.type === 'read') continue;
    const { command } = operation;
    return settings.hasSessions ? ({ type: 'plain', command } as C) : command;
  }
  return undefined;
}

/** Nothing is under way, and everybody has all of it. */
function isAtRest<C, R, Q, A>(run: Run<C, R, Q, A>): boolean {
  const leader = run.cluster.leader?.state;
  if (leader === undefined || leader === null || run.operator.isBusy || !run.operator.view.isComplete)
    return false;
  const { lastIndex } = leader.log;
  return membersOf(run).every(({ state }) => state?.lastApplied === lastIndex && state.installing === null);
}

/** After the same commands, the same data: gives them, as text, if the machine has a way to tell. */
async function checkData<C, R, Q, A>(run: Run<C, R, Q, A>): Promise<string | undefined> {
  let held: string | undefined;
  for (const process of membersOf(run)) {
    process.commits.checkAll();
    held = await dataOf(process);
    const { id, state } = process;
    if (held !== undefined) run.cluster.results.checkSnapshot(id, state?.lastApplied ?? 0, held);
  }
  return held;
}

/** What clients were told, and what the nodes hold, is what the log makes of a fresh machine. */
async function checkTold<C, R, Q, A>(
  run: Run<C, R, Q, A>,
  held: string | undefined,
): Promise<readonly CommittedCommand<C, R>[]> {
  const { cluster, requests, settings } = run;
  const inWorld = worldOf({ nowMs: () => 0, random: () => 0 });
  const batches = cluster.history.committedBatches();
  let executions = 0;
  const onExecute = () => {
    executions += 1;
  };
  const { committed, data } = await replay({
    machine: settings.machine('replay', onExecute),
    executions: () => executions,
    batches,
    requests,
    results: cluster.results,
    inWorld,
  });
  if (held !== undefined && data !== undefined)
    await checkReplayed({ held, replayed: data, batches, fresh: () => settings.machine('replay'), inWorld });
  return committed;
}

async function checkAsUsers<C, R, Q, A>(
  run: Run<C, R, Q, A>,
  committed: readonly CommittedCommand<C, R>[],
): Promise<void> {
  const nodes = membersOf(run).flatMap(({ id, node, machine }) =>
    node === null ? [] : [{ id, machine, status: node.status() }],
  );
  for (const check of run.settings.checks) await check({ nodes, committed });
}
