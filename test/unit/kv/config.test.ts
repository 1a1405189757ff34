import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { withFlags } from '../../../examples/kv/cli/flags.ts';
import { readConfig } from '../../../examples/kv/cli/read-config.ts';
import { printableConfig } from '../../../examples/kv/config/serve-config.ts';
import { serveSettings } from '../../../examples/kv/config/serve-settings.ts';
import { formatProblems } from '../../../examples/kv/config/settings.ts';
import { temporaryFolder } from './temporary-folder.ts';

const good = ['--id', 'n1', '--data', './data/n1'];

/** What a command line, an environment and a file come to. */
function read({ args = good, env = {}, file }: { args?: string[]; env?: NodeJS.ProcessEnv; file?: unknown }) {
  const command = withFlags(new Command('serve'), serveSettings).option('--config <FILE>').exitOverride();
  const path = file === undefined ? '' : join(temporaryFolder(), 'config.json');
  if (file !== undefined) writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));
  command.action(() => undefined);
  command.parse([...args, ...(file === undefined ? [] : ['--config', path])], { from: 'user' });
  return readConfig(command, env);
}

function configOf(given: Parameters<typeof read>[0]) {
  const result = read(given);
  if ('problems' in result) throw new Error(formatProblems(result.problems));
  return result.config;
}

function problemsOf(given: Parameters<typeof read>[0]) {
  const result = read(given);
  if ('config' in result) throw new Error('nothing is wrong with it');
  return result.problems;
}

describe('a configuration', () => {
  it('needs a name and a folder, and has defaults for the rest', () => {
    expect(configOf({})).toEqual({
      id: 'n1',
      data: './data/n1',
      listen: { host: '127.0.0.1', port: 7101 },
      http: { host: '127.0.0.1', port: 8101 },
      members: [{ id: 'n1', url: 'ws://127.0.0.1:7101' }],
      areMembersGiven: false,
      join: null,
      isLearner: false,
      advertise: 'ws://127.0.0.1:7101',
      electionMs: 500,
      heartbeatMs: 100,
      timeoutMs: 5_000,
      snapshotEntries: 100_000,
      snapshotBytes: 67_108_864,
      valueBytesMax: 1_048_576,
      keyBytesMax: 1_024,
      allowedHosts: [],
      record: null,
      logLevel: 'info',
      isInsecure: false,
    });
  });

  it('takes a flag before a variable, and a variable before a file', () => {
    const config = configOf({
      args: [...good, '--election-ms', '1000'],
      env: { RXRAFT_ELECTION_MS: '2000', RXRAFT_HEARTBEAT_MS: '90' },
      file: { 'election-ms': 3_000, 'heartbeat-ms': 80, 'timeout-ms': 70 },
    });

    expect(config).toMatchObject({ electionMs: 1_000, heartbeatMs: 90, timeoutMs: 70 });
  });

  it('may name the members in a list, in a file', () => {
    const members = ['n1=ws://127.0.0.1:7101', 'n2=ws://[::1]:7102/'];

    expect(configOf({ file: { members } }).members).toEqual([
      { id: 'n1', url: 'ws://127.0.0.1:7101' },
      { id: 'n2', url: 'ws://[::1]:7102' },
    ]);
  });

  it('leaves variables alone that are no setting: Kubernetes sets some', () => {
    expect(
      configOf({ env: { RXRAFT_PORT: 'tcp://10.0.0.1:7101', RXRAFT_SERVICE_HOST: '10.0.0.1' } }).id,
    ).toBe('n1');
  });

  it('printed, is a file that says the same', () => {
    const args = [
      ...good,
      '--http',
      '[::1]:0',
      '--allowed-hosts',
      'A.example,b',
      '--insecure',
      '--log-level',
      'warn',
      '--record',
      'steps',
      '--record-payloads',
    ];
    const config = configOf({ args });

    expect(config.record).toEqual({ path: 'steps', payloads: 'whole' });
    expect(configOf({ args: [], file: printableConfig(config) })).toEqual({
      ...config,
      areMembersGiven: true,
    });
  });
});

describe('a configuration of a node that joins', () => {
  const join = ['--join', 'http://127.0.0.1:8101,http://h:8102/'];

  it('needs no members, and says where the node is reached', () => {
    const config = configOf({ args: [...good, ...join, '--listen', '127.0.0.1:7104', '--learner'] });

    expect(config).toMatchObject({
      join: ['http://127.0.0.1:8101', 'http://h:8102'],
      members: [],
      isLearner: true,
      advertise: 'ws://127.0.0.1:7104',
    });
  });

  it('may have the node reached elsewhere than it listens', () => {
    const elsewhere = ['--listen', '0.0.0.0:7104', '--insecure', '--advertise', 'ws://10.0.0.4:7104'];

    expect(configOf({ args: [...good, ...join, ...elsewhere] }).advertise).toBe('ws://10.0.0.4:7104');
  });

  it('printed, is a file that says the same', () => {
    const config = configOf({
      args: [...good, ...join, '--snapshot-entries', '10', '--snapshot-bytes', '20'],
    });

    expect(config).toMatchObject({ snapshotEntries: 10, snapshotBytes: 20 });
    expect(configOf({ args: [], file: printableConfig(config) })).toEqual(config);
  });
});

describe('a configuration with problems', () => {
  it('tells all of them at once, each with what was given, what was expected, and an example', () => {
    const problems = problemsOf({
      args: [
        '--id',
        'n 1',
        '--listen',
        '127.0.0.1',
        '--http',
        '127.0.0.1:99999',
        '--election-ms',
        '1s',
        '--token-file',
        'token',
        'word',
      ],
      env: { RXRAFT_LOG_LEVEL: 'loud', RXRAFT_INSECURE: 'maybe' },
      file: { 'heartbeat-ms': -1, electionMs: 5, members: 'n1=http://127.0.0.1:7101' },
    });

    expect(problems.map(({ given }) => given.replace(/ in .*config\.json/, ' in FILE'))).toEqual([
      '"word"',
      '--id n 1',
      'no --data',
      '--listen 127.0.0.1',
      '--http 127.0.0.1:99999',
      '"members" in FILE: n1=http://127.0.0.1:7101',
      '--election-ms 1s',
      '"heartbeat-ms" in FILE: -1',
      'RXRAFT_LOG_LEVEL loud',
      'RXRAFT_INSECURE maybe',
      '--token-file',
      '"electionMs" in FILE:',
    ]);
    for (const { expected, example } of problems) {
      expect(expected).not.toBe('');
      expect(example).not.toBe('');
    }
    expect(formatProblems(problems)).toContain('12 things are wrong with it');
  });

  it('tells what does not fit together', () => {
    const problems = problemsOf({
      args: [
        ...good,
        '--members',
        'n2=ws://127.0.0.1:7102',
        '--election-ms',
        '100',
        '--http',
        '127.0.0.1:7101',
        '--record-payloads',
      ],
    });

    expect(problems.map(({ given }) => given)).toEqual([
      '--members n2=ws://127.0.0.1:7102',
      '--election-ms 100 with --heartbeat-ms 100',
      '--http 127.0.0.1:7101 and --listen 127.0.0.1:7101',
      '--record-payloads without --record',
    ]);
  });

  it('tells what does not go with joining', () => {
    const join = ['--join', 'http://127.0.0.1:8101'];
    const given = (...args: string[]) =>
      problemsOf({ args: [...good, ...args] }).map((problem) => problem.given);

    expect(given(...join, '--members', 'n1=ws://127.0.0.1:7101')).toEqual(['--join with --members']);
    expect(given('--learner')).toEqual(['--learner without --join']);
    expect(given(...join, '--listen', '0.0.0.0:7104', '--insecure')).toEqual([
      '--join with --listen 0.0.0.0:7104',
    ]);
    expect(given('--join', '127.0.0.1:8101')).toEqual(['--join 127.0.0.1:8101']);
    expect(given('--advertise', 'http://127.0.0.1:7101')).toEqual(['--advertise http://127.0.0.1:7101']);
    expect(given('--snapshot-entries', '0', '--snapshot-bytes', '1k')).toEqual([
      '--snapshot-entries 0',
      '--snapshot-bytes 1k',
    ]);
  });

  it.each([
    'n1=ws://127.0.0.1:7101,n1=ws://127.0.0.1:7102',
    'n1=ws://127.0.0.1:7101,n2=ws://127.0.0.1:7101',
    'n1=wss://127.0.0.1:7101',
    'n1',
    '',
  ])('takes no members such as %s', (members) => {
    expect(problemsOf({ args: [...good, '--members', members] })).toHaveLength(1);
  });

  it.each(['0.0.0.0:8101', '[::]:8101', '192.168.0.7:8101', 'example.org:8101'])(
    'refuses to serve %s to everyone unless that is wanted',
    (address) => {
      const [problem] = problemsOf({ args: [...good, '--http', address] });

      expect(problem?.expected).toContain('--insecure');
      expect(configOf({ args: [...good, '--http', address, '--insecure'] }).isInsecure).toBe(true);
    },
  );

  it.each(['127.0.0.1:8101', '127.9.9.9:8101', '[::1]:8101', 'localhost:8101'])(
    'takes %s for loopback',
    (address) => {
      expect(configOf({ args: [...good, '--http', address] }).isInsecure).toBe(false);
    },
  );

  it('says why a file can not be read', () => {
    const [broken] = problemsOf({ file: '{"id": ' });
    const [missing] = problemsOf({ env: { RXRAFT_CONFIG: '/nowhere/config.json' } });
    const [list] = problemsOf({ file: [1] });

    expect(broken?.given).toContain('JSON');
    expect(missing?.given).toContain('ENOENT');
    expect(list?.expected).toContain('JSON object');
  });
});
