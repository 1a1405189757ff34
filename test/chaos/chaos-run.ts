import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Dice } from '../../src/testing/dice.ts';
import { ChaosCluster } from './chaos-cluster.ts';
import type { ChaosOptions } from './chaos-options.ts';
import { ChaosViolation } from './chaos-violation.ts';
import { Client } from './client.ts';
import type { Ground } from './fault.ts';
import { chosenFaults } from './faults/chosen-faults.ts';
import { Ledger } from './ledger.ts';
import { runRound } from './round.ts';
import type { Tally } from './tally.ts';

/** One cluster under faults. */
export interface ChaosRun extends Ground {
  readonly durationMs: number;
  readonly options: ChaosOptions;
  readonly tally: Tally;
  say(line: string): void;
}

/** Runs rounds until the time is over. Rejects with the first violation, and keeps what there is to see of it. */
export async function runChaos(run: ChaosRun): Promise<void> {
  const { size, durationMs, options, tally, say } = run;
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-chaos-'));
  const chosen = chosenFaults(options.faults, run);
  const problems: string[] = [];
  const onProblem = (problem: string): void => {
    problems.push(problem);
    say(`PROBLEM  ${problem}`);
  };
  const dice = new Dice(options.seed + size);
  const { net, hasFailingDisks } = run;
  const { snapshotEntries } = options;
  const cluster = await ChaosCluster.found({
    size,
    dice,
    folder,
    net,
    hasFailingDisks,
    snapshotEntries,
    onProblem,
  });
  const clients = clientsOf(run, cluster, dice);
  const ledger = new Ledger('chaos/ledger/');
  const since = performance.now(); // From here, so that a founding that took long leaves time for a round.
  try {
    for (let number = 1; performance.now() - since < durationMs; number++) {
      const left = durationMs - (performance.now() - since);
      const faultMs = Math.min(options.roundMs, Math.max(5_000, left));
      const sayFault = options.isVerbose ? say : () => undefined;
      const all = { number, faultMs, faults: chosen, cluster, clients, ledger, dice, tally };
      await runRound({ ...all, say: sayFault });
      if (problems.length > 0) throw new ChaosViolation(problems.join('\n'));
      say(lineOf(number, tally));
    }
    await cluster.remove();
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    for (const { node } of cluster.slots) await node.kill();
    keepEvidence(options.evidence, error, problems);
    say(`data folders and logs of the nodes: ${folder}; histories: ${options.evidence}`);
    throw error;
  } finally {
    tally.minutes = (performance.now() - since) / 60_000;
  }
}

function clientsOf(
  { size, options, tally }: ChaosRun,
  { slots }: ChaosCluster,
  dice: Dice,
): readonly Client[] {
  const { clientsPerNode, thinkMsMax } = options;
  return Array.from({ length: size * clientsPerNode }, (_, at) => {
    const own = new Dice(dice.below(2 ** 31));
    return new Client({ name: `c${at + 1}`, slots, home: at, dice: own, tally, thinkMsMax });
  });
}

function keepEvidence(folder: string, error: unknown, problems: readonly string[]): void {
  mkdirSync(folder, { recursive: true });
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  writeFileSync(join(folder, 'violation.txt'), `${text}\n${problems.join('\n')}\n`);
  if (!(error instanceof ChaosViolation)) return;
  for (const { name, history, staleReads } of error.keys)
    writeFileSync(
      join(folder, `${name.replaceAll('/', '-')}.json`),
      `${JSON.stringify({ name, history, staleReads }, null, 1)}\n`,
    );
}

function lineOf(number: number, tally: Tally): string {
  const faultCount = [...tally.faults.values()].reduce((sum, each) => sum + each, 0);
  const recovery = Math.round(tally.recoveriesMs.at(-1) ?? 0);
  return (
    `round ${number}: ok. So far ${tally.total()} operations (${tally.total('unknown')} unknown), ` +
    `${faultCount} faults, term ${tally.terms}, ${tally.keys} histories; recovered in ${recovery} ms`
  );
}
