import { join } from 'node:path';
import { OrderedProcess } from '../harness/ordered-process.ts';
import { percentile, spread } from '../harness/report.ts';
import { makeLongLog } from '../startup/long-log.ts';
import type { StartFigures, StartOrders } from '../startup/startup-main.ts';
import type { BenchCase } from '../suite/bench-case.ts';
import { inFolder } from './started.ts';

const script = new URL('../startup/startup-main.js', import.meta.url);

/** However long the log is: the small tables, the last batch, and what a new leader asks for. */
const keysReadMax = 100;

/** A node that starts on a long log: how long until it leads, and how many keys it reads. */
export const startupCase: BenchCase = {
  title: 'Start-up: a node alone, until it leads',
  isDefault: true,
  run: (options, findings) =>
    inFolder(async (folder) => {
      for (const entries of options.isQuick ? [1e3, 1e5] : [1e3, 1e5, 1e7]) {
        const path = join(folder, String(entries));
        findings.progress(`${entries} entries: writing them`);
        await makeLongLog(path, entries);
        const starts: StartFigures[] = [];
        const fromSpawn: number[] = [];
        while (starts.length < options.samples) {
          findings.progress(`${entries} entries: start ${starts.length + 1}`);
          const spawnedAt = performance.now();
          const child = new OrderedProcess<StartOrders, { path: string }>('n1', script, { path });
          await child.start();
          starts.push(await child.do('start'));
          fromSpawn.push(performance.now() - spawnedAt);
          await child.kill();
        }
        if (starts.some(({ lastIndex }) => lastIndex <= entries))
          throw new Error('the log is shorter than it was made');
        const about = { case: `start-up, ${entries} entries`, system: 'rxraft' };
        const { min, median, max } = spread(starts.map(({ ms }) => ms));
        findings.figure({ ...about, what: 'until it leads, median', value: median, unit: ' ms' });
        findings.figure({ ...about, what: 'until it leads, least', value: min, unit: ' ms' });
        findings.figure({ ...about, what: 'until it leads, most', value: max, unit: ' ms' });
        const whole = percentile(fromSpawn, 50);
        findings.figure({
          ...about,
          what: 'with the start of the process and its end, median',
          value: whole,
          unit: ' ms',
        });
        const keys = Math.max(...starts.map(({ keysRead }) => keysRead));
        const what = `keys read at start-up, ${entries} entries`;
        findings.bar({ what, figure: keys, unit: '', must: 'atMost', limit: keysReadMax });
        const least = Math.min(...starts.map(({ keysRead }) => keysRead));
        // None means that they were not counted.
        findings.bar({ what: `${what}, least`, figure: least, unit: '', must: 'atLeast', limit: 1 });
      }
    }),
};
