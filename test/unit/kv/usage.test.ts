import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import { clusterOf, withCluster, withTimeout } from '../../../examples/kv/cli/cluster-options.ts';
import { replay } from '../../../examples/kv/cli/inspect-command.ts';
import {
  asksForJson,
  refuseConfiguration,
  refuseUsage,
  withJsonErrors,
} from '../../../examples/kv/cli/usage.ts';
import { fakeOutput } from './builders.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** What `rxraft` with one command prints on stdout for such arguments, which can't be understood. */
function printedFor(...args: string[]): readonly unknown[] {
  const printed: unknown[] = [];
  const json = (value: unknown) => void (asksForJson(args) && printed.push(value));
  const program = withJsonErrors(new Command('rxraft'), args, json).exitOverride();
  withTimeout(withCluster(program.command('put <KEY> <VALUE>'))).action(() => undefined);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  try {
    expect(() => program.parse(args, { from: 'user' })).toThrow();
    expect(stderr.mock.calls.flat().join('')).toContain('error: ');
  } finally {
    stderr.mockRestore();
  }
  return printed;
}

describe('a program that asks for JSON', () => {
  it.each<[string, readonly string[]]>([
    ["unknown command 'frob'", ['frob', '--json']],
    ["missing required argument 'VALUE'", ['put', 'a', '--json']],
    ["unknown option '--bogus'", ['put', 'a', 'b', '--json', '--bogus']],
    ['Expected a whole number from 1 to 600000', ['put', 'a', 'b', '--timeout-ms', 'x', '--json']],
  ])('is told on stdout that its arguments are wrong: %s', (message, args) => {
    expect(printedFor(...args)).toEqual([
      { error: { code: 'USAGE', message: expect.stringContaining(message), outcome: 'notCommitted' } },
    ]);
  });

  it('is one that says so before the options end', () => {
    expect(printedFor('put', '--', '--json')).toEqual([]);
  });

  it('is told of a configuration that can’t be used, and what to do', () => {
    const { output, lines } = fakeOutput({ isJson: true });

    refuseConfiguration([{ given: 'no --id', expected: 'a name', example: '--id n1' }], output);

    const [json = '', ...others] = lines;
    expect(JSON.parse(json.replace('json ', ''))).toEqual({
      error: { code: 'CONFIGURATION', message: expect.stringContaining('no --id'), outcome: 'notCommitted' },
    });
    expect(others.map((line) => line.slice(0, 5))).toEqual(['fail ', 'next ']);
  });

  it('is told of a variable that can’t be read; anything else goes on', () => {
    const { output, lines } = fakeOutput({ isJson: true });
    vi.stubEnv('RXRAFT_URL', 'ftp://nowhere');
    try {
      clusterOf({});
    } catch (error) {
      refuseUsage(error, output);
    } finally {
      vi.unstubAllEnvs();
    }

    expect(lines[0]).toMatch(/^json .*"USAGE".*RXRAFT_URL can't be used/);
    expect(() => refuseUsage(new Error('a bug'), output)).toThrow('a bug');
    expect(() => refuseUsage(new InvalidArgumentError('x'), output)).not.toThrow();
  });
});

describe('rxraft inspect replay', () => {
  it.each<[string, RegExp]>([
    ['', /has no line that starts a node/],
    ['\n', /Line 1 of the recording is damaged: it is empty/],
  ])('fails for %j, which holds nothing, and says what to do', async (content, message) => {
    const { output, lines } = fakeOutput();
    const file = join(temporaryFolder(), 'recording');
    writeFileSync(file, content);

    await replay(file, {}, output);

    const [json, ...others] = lines;
    expect(json).toContain('RAFT_RECORDING_DAMAGED');
    expect(others).toEqual([
      expect.stringMatching(message),
      expect.stringMatching(/^next rxraft serve --record FILE/),
    ]);
    expect(others[0]).toMatch(/^fail /);
  });

  it.each<[string, object, string]>([
    ['a file that is not there', {}, 'ENOENT'],
    ['half of what belongs together', { node: 'n1' }, 'USAGE'],
  ])('tells programs and people of %s', async (_what, flags, code) => {
    const { output, lines } = fakeOutput({ isJson: true });

    await replay(join(temporaryFolder(), 'absent'), flags, output);

    expect(lines.map((line) => line.split(' ')[0])).toEqual(['json', 'fail', 'next']);
    expect(JSON.parse((lines[0] as string).slice(5))).toMatchObject({
      error: { code, outcome: 'notCommitted' },
    });
  });
});
