import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePorts } from '../ports.ts';
import { clusterOfTest } from './harness/cluster.ts';
import { ask } from './harness/http.ts';
import { launch, type Running } from './harness/program.ts';
import { until } from './harness/until.ts';

interface Launched {
  readonly launcher: Running;
  readonly data: string;
  readonly url: (node: number) => string;
  readonly pid: (node: number) => number;
}

async function launched(...args: readonly string[]): Promise<Launched> {
  return launchedOn(join(clusterOfTest().folder, 'data'), ...args);
}

async function launchedOn(data: string, ...args: readonly string[]): Promise<Launched> {
  const [port, raftPort] = [await freePorts(3), await freePorts(3)];
  const places = ['--data', data, '--port', String(port), '--raft-port', String(raftPort)];
  const launcher = launch(...places, ...args);
  onTestFinished(async () => {
    launcher.signal('SIGTERM');
    await launcher.ended;
  });
  await launcher.says('stdout', 'Write and read');
  return {
    launcher,
    data,
    url: (node) => `http://127.0.0.1:${port + node - 1}`,
    pid: (node) => Number(readFileSync(join(data, `n${node}`, 'pid'), 'utf8')),
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('npm start', () => {
  it('runs three processes that take a write at once, reports one that dies, and stops on Ctrl-C', async () => {
    const { launcher, data, url, pid } = await launched();
    const pids = [1, 2, 3].map(pid);

    const put = await ask(url(2), 'PUT /kv/greeting', { body: 'hello' });
    const got = await ask(url(3), 'GET /kv/greeting');
    process.kill(pid(1), 'SIGKILL');
    await launcher.says('stderr', 'was killed by SIGKILL');
    await launcher.says('stderr', 'It stays down. To start it: npx rxraft serve --id n1');
    const again = () => ask(url(2), 'PUT /kv/greeting', { body: 'again' });
    await until('the others take writes', async () => (await again()).status === 200); // n1 may have led.
    const dead = ask(url(1), 'GET /livez');
    await expect(dead).rejects.toThrow('ECONNREFUSED');
    launcher.signal('SIGINT');
    const { code, stdout } = await launcher.ended;

    expect([put.status, got.text]).toEqual([200, 'hello']);
    for (const node of [1, 2, 3]) expect(stdout).toContain(`n${node}  ${url(node)}  pid ${pids[node - 1]}`);
    expect(code).toBe(0);
    expect(pids.filter(isAlive)).toEqual([]);
    expect(existsSync(join(data, 'n2', 'pid'))).toBe(false);
  });

  it('starts a node that dies again with --restart', async () => {
    const { launcher, url, pid } = await launched('--restart');
    const before = pid(1);

    process.kill(before, 'SIGKILL');
    await launcher.says('stderr', 'It starts again');
    await until('the node is ready again', async () => (await ask(url(1), 'GET /readyz')).status === 200);

    expect(pid(1)).not.toBe(before);
  });

  it('serves without a node whose folder is gone, and says at once how it comes back', async () => {
    const first = await launched();
    first.launcher.signal('SIGTERM');
    await first.launcher.ended;
    rmSync(join(first.data, 'n3'), { recursive: true });

    const { launcher, url } = await launchedOn(first.data);
    const put = await ask(url(1), 'PUT /kv/greeting', { body: 'hello' });
    const dead = ask(url(3), 'GET /livez');
    await expect(dead).rejects.toThrow('ECONNREFUSED');
    launcher.signal('SIGTERM');
    const { stdout, stderr } = await launcher.ended;

    expect(put.status).toBe(200);
    expect(stdout).toContain('2 nodes are running');
    expect(stderr).toMatch(/n3 was stopped, since the others keep it out: n3 comes with an empty store/);
    expect(stderr).toMatch(/npx rxraft remove n3 --urls .*\n.*npx rxraft serve --id n3 .* --join http:/);
    expect(readFileSync(join(first.data, 'n3', 'log'), 'utf8')).toContain('n3 is kept out of the cluster');
  });

  it('leaves no node behind when it is killed', async () => {
    const { launcher, pid } = await launched();
    const pids = [1, 2, 3].map(pid);

    launcher.signal('SIGKILL');
    await launcher.ended;

    await until('every node has ended', () => !pids.some(isAlive));
  });

  it('says which folder can not be used, and leaves no node behind that it has just started', async () => {
    const data = join(clusterOfTest().folder, 'data');
    mkdirSync(data);
    writeFileSync(join(data, 'n2'), 'a file');
    const [port, raftPort] = [await freePorts(3), await freePorts(3)];

    const { ended } = launch('--data', data, '--port', String(port), '--raft-port', String(raftPort));
    const { code, stderr } = await ended;

    expect(code).toBe(1);
    expect(stderr).toMatch(/the cluster was not started: .*data\/n2/);
    await until('n1 has ended', () => readFileSync(join(data, 'n1', 'log'), 'utf8').includes('"closed"'));
  });

  it('says what is wrong with its arguments', async () => {
    const { code, stderr } = await launch('--nodes', '0', '--port', 'x').ended;

    expect(code).toBe(1);
    expect(stderr).toContain('2 things are wrong');
  });
});
