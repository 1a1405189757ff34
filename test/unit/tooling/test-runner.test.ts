import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { describe, it } from 'vitest';
import { type Copy, copyOf } from './copy.ts';

const repository = ['tools', 'package.json', 'package-lock.json', 'vitest.config.ts'];
/** Stands for the build: says in `dist/` that it was done. */
const builder = `import { mkdirSync, writeFileSync } from 'node:fs';
export function buildIfNeeded(root) {
  mkdirSync(root + '/dist');
  writeFileSync(root + '/dist/built', '');
  return true;
}
`;
const started =
  "import { it } from 'vitest';\nimport { readFileSync } from 'node:fs';\nit('starts what was built', () => { readFileSync('dist/built'); });\n";
const passing = "import { it } from 'vitest';\nit('passes', () => {});\n";

/** Runs `npm test` on a copy that holds these tests only; gives its last line and its exit code. */
async function run(files: Record<string, string>, args = ['--only', 'unit,paper,integration']) {
  using copy: Copy = copyOf(repository);
  copy.write('tools/build.mjs', builder);
  for (const [path, content] of Object.entries(files)) copy.write(path, content);
  const { VITEST: _, ...env } = process.env;
  const child = spawn(process.execPath, ['tools/test.mjs', ...args], {
    cwd: copy.folder,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const exited = new Promise((resolve) => child.on('exit', resolve));
  const output = await text(child.stdout);
  return { code: await exited, last: output.trimEnd().split('\n').at(-1) };
}

describe.concurrent('npm test', { timeout: 60_000 }, () => {
  it('adds up the projects', async ({ expect }) => {
    const result = await run({
      'test/unit/a.test.ts': passing,
      'test/paper/a.test.ts': passing,
      'test/integration/a.test.ts': `${passing}it.skip('waits', () => {});\n`,
    });

    expect(result).toEqual({ code: 0, last: '3 passed, 0 failed, 1 skipped' });
  });

  it('builds first what the tests of processes start', async ({ expect }) => {
    const result = await run({ 'test/integration/a.test.ts': started }, ['--only', 'integration', 'a.test']);

    expect(result).toEqual({ code: 0, last: '1 passed, 0 failed' });
  });

  it('builds nothing for other tests', async ({ expect }) => {
    const result = await run({ 'test/unit/a.test.ts': started }, ['--only', 'unit']);

    expect(result).toEqual({ code: 1, last: '0 passed, 1 failed' });
  });

  it('fails when the build does, and runs what needs none', async ({ expect }) => {
    const result = await run({
      'tools/build.mjs': 'export const buildIfNeeded = () => false;\n',
      'test/unit/a.test.ts': passing,
      'test/integration/a.test.ts': passing,
    });

    expect(result).toEqual({ code: 1, last: '1 passed, 1 failed' });
  });

  it('fails when a test fails', async ({ expect }) => {
    const failing = `${passing}it('fails', () => { throw new Error('planted'); });\n`;

    expect(await run({ 'test/unit/a.test.ts': failing })).toEqual({ code: 1, last: '1 passed, 1 failed' });
  });

  it('fails when a file of tests does not load', async ({ expect }) => {
    const result = await run({
      'test/unit/a.test.ts': passing,
      'test/unit/b.test.ts': "import './none.ts';\n",
    });

    expect(result).toEqual({ code: 1, last: '1 passed, 1 failed' });
  });

  it('fails on an error outside of the tests', async ({ expect }) => {
    const rejecting = `${passing}it('leaves a promise', () => { void Promise.reject(new Error('planted')); });\n`;

    expect(await run({ 'test/unit/a.test.ts': rejecting })).toEqual({ code: 1, last: '2 passed, 1 failed' });
  });

  it('fails when vitest dies', async ({ expect }) => {
    const result = await run({ 'test/unit/a.test.ts': passing, 'vitest.config.ts': 'process.exit(0);\n' });

    expect(result).toEqual({ code: 1, last: '0 passed, 1 failed' });
  });

  it('fails when no test ran', async ({ expect }) => {
    const result = await run({ 'test/unit/a.test.ts': passing }, ['--only', 'unit', '-t', 'nothing']);

    expect(result).toEqual({ code: 1, last: '0 passed, 1 failed, 1 skipped' });
  });

  it('counts a check that fails', async ({ expect }) => {
    const result = await run({ 'test/unit/a.test.ts': passing }, ['--only', 'errors,unit']);

    expect(result).toEqual({ code: 1, last: '1 passed, 1 failed' });
  });

  it('refuses a step it does not know', async ({ expect }) => {
    expect(await run({}, ['--only', 'units'])).toEqual({ code: 1, last: '0 passed, 1 failed' });
  });
});
