import { setTimeout as pause } from 'node:timers/promises';
import { percentile } from '../harness/report.ts';
import { ownMemoryOf } from '../harness/usage.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { checkServed, measure, rowOf, warmUp } from '../suite/measure.ts';
import { drivenBy } from '../systems/driven.ts';
import { startNodes, usageOf } from '../systems/rxraft-embedded.ts';
import { inFolder } from './started.ts';

const bytes = 128;
const fullOutstanding = 1_000;
const lookMs = 1_000;
/** What the last quarter's memory may be by the second quarter's: in the first, caches and the heap still fill. */
const growthMax = 1.25;
/** Five a quarter. */
const looksMin = 20;

/** What the nodes use: memory at rest and under the full load, processor time, the event loop's delay; and elections. */
export const resourcesCase: BenchCase = {
  title: 'Resources: memory, processor time and event loop of three processes; proposer in the leader',
  isDefault: true,
  run: (options, findings) =>
    inFolder(async (folder) => {
      const { nodes, leader, paths } = await startNodes(folder, bytes);
      const about = { case: 'resources', system: 'rxraft' };
      const figure = (what: string, value: number, unit: string): void =>
        findings.figure({ ...about, what, value, unit });
      const mebibytesOf = (pid: number): number => ownMemoryOf(pid) / 2 ** 20;
      await pause(options.isQuick ? lookMs : 5 * lookMs);
      for (const { id, pid } of nodes) figure(`anonymous memory of ${id}, idle`, mebibytesOf(pid), ' MiB');

      const running = { ...drivenBy(leader), usage: usageOf(nodes, paths), end: async () => undefined };
      await warmUp(running, options.warmUpMs);
      for (const outstanding of [64, fullOutstanding]) {
        findings.progress(`processor time, ${outstanding} outstanding`);
        const samples = await measure(running, { ...options, operation: 'write', outstanding });
        findings.row(rowOf(samples, { ...about, outstanding, bytes }));
      }

      const { term } = await leader.do('status');
      await running.startLoop('write', fullOutstanding);
      await leader.do('loopDelay');
      const memory: number[] = [];
      let served = 0;
      const startedAt = performance.now();
      const untilMs = startedAt + options.minutes * 60_000;
      for (let second = 0; performance.now() < untilMs; second++) {
        const sample = await running.sample(lookMs);
        checkServed(sample, lookMs);
        served += sample.served;
        memory.push(mebibytesOf(leader.pid));
        if (second % 10 === 0) findings.progress(`${fullOutstanding} outstanding, ${second} s`);
      }
      const seconds = (performance.now() - startedAt) / 1000;
      const delay = await leader.do('loopDelay');
      await running.stopLoop();
      const terms = await Promise.all(nodes.map(async (node) => (await node.do('status')).term));
      await Promise.all(nodes.map((node) => node.kill()));

      figure(`writes a second over ${options.minutes} minutes`, served / seconds, '');
      for (const [at, each] of quartersOf(memory).entries())
        figure(`anonymous memory of the leader, quarter ${at + 1}`, each, ' MiB');
      figure('anonymous memory of the leader, most', Math.max(...memory), ' MiB');
      figure('event loop of the leader late, p50', delay.p50Ms, ' ms');
      figure('event loop of the leader late, p99', delay.p99Ms, ' ms');
      figure('event loop of the leader late, most', delay.maxMs, ' ms');
      const elections = Math.max(...terms) - term;
      findings.bar({ what: 'elections', figure: elections, unit: '', must: 'atMost', limit: 0 });
      const growth = growthOf(memory);
      const what = 'memory of the leader, last quarter by second';
      if (growth === null)
        findings.note(`No bar for the growth of memory: only ${memory.length} looks at it.`);
      else findings.bar({ what, figure: growth, unit: ' ×', must: 'atMost', limit: growthMax });
    }),
};

/** The last quarter by the second; `null` of so few that quarters are chance. */
export function growthOf(figures: readonly number[]): number | null {
  const [, second, , last] = quartersOf(figures);
  if (figures.length < looksMin || second === undefined || last === undefined) return null;
  return last / second;
}

/** The median of each quarter. */
function quartersOf(figures: readonly number[]): readonly number[] {
  const quarter = Math.max(1, figures.length / 4);
  return [0, 1, 2, 3].map((at) => {
    const part = figures.slice(Math.floor(at * quarter), Math.ceil((at + 1) * quarter));
    return percentile(part.length > 0 ? part : figures.slice(-1), 50);
  });
}
