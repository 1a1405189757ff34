import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { chaosOptions } from '../chaos/chaos-options.ts';
import { runChaos } from '../chaos/chaos-run.ts';
import { Tally } from '../chaos/tally.ts';

/** Those that need neither root nor long. `npm run chaos` has all. */
const faults = ['kill', 'stop', 'restart', 'delay', 'drop', 'oneWay', 'halfOpen', 'partition', 'cut'];

it('three processes keep what they promise while they are killed, stopped and cut off from each other', async () => {
  const evidence = mkdtempSync(join(tmpdir(), 'rxraft-chaos-test-'));
  onTestFinished(() => rmSync(evidence, { recursive: true, force: true }));
  const options = chaosOptions(['--faults', faults.join(','), '--seed', '7', '--evidence', evidence]);
  const tally = new Tally();
  const said: string[] = [];
  const say = (line: string): unknown => said.push(line);
  const run = { size: 3, durationMs: 8_000, options, net: null, hasFailingDisks: false, tally, say };

  await runChaos(run).catch((error: unknown) => {
    console.error(said.join('\n'));
    throw error;
  });

  expect(tally.rounds).toBeGreaterThan(0);
  expect([...tally.faults.values()].reduce((sum, each) => sum + each, 0)).toBeGreaterThan(1);
  expect(tally.total('ok')).toBeGreaterThan(50);
  expect(tally.keys).toBeGreaterThan(20);
  console.log(said.at(-1));
});
