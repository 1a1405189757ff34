import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { describe, it, type TestContext } from 'vitest';

const script = fileURLToPath(new URL('../../dist/bench/main.js', import.meta.url));
const tiny = ['--quick', '--samples', '1', '--sample-ms', '300', '--warm-up-ms', '50'];

/** Runs the benchmark; gives its exit code, the report, and what it writes as JSON. */
async function bench({ onTestFinished }: TestContext, ...args: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-bench-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const json = join(folder, 'report.json');
  const child = spawn(process.execPath, [script, ...args, ...tiny, '--json', json], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const [report, progress] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: await ended, report, progress, json: JSON.parse(readFileSync(json, 'utf8')) };
}

// No bar depends on how fast it goes: side by side.
describe.concurrent('npm run bench', () => {
  it('measures what it is asked for, and reports for people and for programs', async (context) => {
    const { expect } = context;
    const only = [
      '--systems',
      'prototype',
      '--drivers',
      'embedded,clients',
      '--operations',
      'write',
      '--outstanding',
      '16',
    ];

    const { code, report, progress, json } = await bench(
      context,
      'step',
      '--times-etcd',
      '0.001',
      'cluster',
      ...only,
    );

    expect(progress).toContain('prototype, embedded: write of 128 bytes, 16 outstanding');
    expect(report).toContain('| embedded write | prototype | 16 | 128 |');
    expect(code, `${progress}\n${report}`).toBe(0);
    expect(json).toMatchObject({
      machine: expect.any(String),
      samples: 1,
      versions: { rxraft: expect.any(String) },
    });
    const row = json.rows.find((each: { case: string }) => each.case === 'embedded write');
    expect(row).toMatchObject({ system: 'prototype', outstanding: 16, bytes: 128 });
    for (const name of ['perSecond', 'p50Ms', 'p99Ms', 'cpuUs', 'flushesPerSecond'])
      expect(row[name], name).toBeGreaterThan(0);
    expect(row.clientsCpuUs).toBeNull(); // It is in that of the nodes.
    const ofClients = json.rows.find((each: { case: string }) => each.case === 'clients write');
    expect(ofClients.clientsCpuUs).toBeGreaterThan(0);
    expect(new Set(json.rows.map((each: { case: string }) => each.case)).size).toBeGreaterThan(2);
    expect(json.bars.every((each: { isMet: boolean }) => each.isMet)).toBe(true);
  });

  it('ends with 1 if a bar is missed, and says which', async (context) => {
    const { expect } = context;
    const { code, report, json } = await bench(context, 'step', '--times-etcd', '1000000');

    expect(code).toBe(1);
    expect(report).toContain('FAIL  step, 1 a batch');
    expect(json.bars).toContainEqual(expect.objectContaining({ must: 'atMost', isMet: true }));
    expect(json.bars).toContainEqual(expect.objectContaining({ must: 'atLeast', isMet: false }));
  });

  it('names the cases there are, if it is asked for another', async ({ expect }) => {
    const child = spawn(process.execPath, [script, 'nonsense'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const ended = new Promise((resolve) => child.once('close', resolve));

    expect(await text(child.stderr)).toContain('There is no case nonsense. There are: step, ');
    expect(await ended).toBe(1);
  });
});
