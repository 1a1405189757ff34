import { closeSync, existsSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { freePort } from '../ports.ts';
import { clusterOfTest } from './harness/cluster.ts';
import { run } from './harness/program.ts';

/** Somebody else's server on a port. */
async function listener(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
}

describe('a wrong configuration', () => {
  it('has all its problems told at once, with what to write instead', async () => {
    const { folder } = clusterOfTest();
    const data = join(folder, 'never-made');

    const { code, stderr } = await run(
      ...['serve', '--id', 'not a name', '--data', data, '--listen', '0.0.0.0:7101', '--http', 'nowhere'],
      ...['--members', 'n1', '--election-ms', '150', '--heartbeat-ms', '100', '--colour', 'blue'],
    );

    expect(code).toBe(1);
    expect(stderr).toContain('6 things are wrong with it');
    expect(stderr).toContain('--id not a name');
    expect(stderr).toContain('--listen 0.0.0.0:7101');
    expect(stderr).toContain('--http nowhere');
    expect(stderr).toContain('--members n1');
    expect(stderr).toContain('--election-ms 150 with --heartbeat-ms 100');
    expect(stderr).toContain('--colour');
    expect(stderr.match(/^ +expected /gm)).toHaveLength(6);
    expect(stderr.match(/^ +such as /gm)).toHaveLength(6);
    expect(existsSync(data)).toBe(false);
  });

  it('says what is missing', async () => {
    const { code, stderr } = await run('serve');

    expect(code).toBe(1);
    expect(stderr).toContain('no --id');
    expect(stderr).toContain('no --data');
  });

  it('is found in a file, too', async () => {
    const { folder } = clusterOfTest();
    const file = join(folder, 'node.json');
    writeFileSync(file, JSON.stringify({ id: 'n1', data: join(folder, 'n1'), http: 'nowhere', color: 1 }));

    const wrong = await run('serve', '--config', file);
    const absent = await run('serve', '--config', join(folder, 'absent.json'));

    expect([wrong.code, absent.code]).toEqual([1, 1]);
    expect(wrong.stderr).toContain(`"http" in ${file}`);
    expect(wrong.stderr).toContain(`"color" in ${file}`);
    expect(absent.stderr).toContain('absent.json');
    expect(absent.stderr).not.toContain('no --id'); // It may stand in that file.
  });

  it('says which command there is', async () => {
    const { code, stderr } = await run('server');

    expect(code).toBe(1);
    expect(stderr).toMatch(/unknown command 'server'[\s\S]*serve/);
  });
});

describe('an address that others can reach', () => {
  it('is refused without --insecure, for clients and for nodes', async () => {
    const { folder } = clusterOfTest();
    for (const flag of ['--listen', '--http']) {
      for (const address of ['0.0.0.0:17999', '192.0.2.1:17999']) {
        const data = join(folder, 'n1');

        const { code, stderr } = await run('serve', '--id', 'n1', '--data', data, flag, address);

        expect(code).toBe(1);
        expect(stderr).toContain(`${flag} ${address}`);
        expect(stderr).toContain('a loopback address, or --insecure');
        expect(existsSync(data)).toBe(false);
      }
    }
  });

  it('is taken with --insecure, which it says loudly', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');

    node.start('--insecure', '--http', `0.0.0.0:${node.place.httpPort}`);
    await node.ready();

    expect(node.log).toContain(`WARNING: --insecure: whoever reaches 0.0.0.0:${node.place.httpPort}`);
  });
});

describe('a list of members that gives this node another port than its own', () => {
  it('is taken, with a warning', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    const other = await freePort();

    node.start('--members', `n1=ws://127.0.0.1:${other},n2=ws://127.0.0.1:${await freePort()}`);

    await node.says(
      `dial this node at ws://127.0.0.1:${other}, and it listens on port ${node.place.raftPort}`,
    );
  });
});

describe('a port in use', () => {
  it('keeps a node from starting, and says which', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    const taken = await freePort();
    await listener(taken);

    node.start('--http', `127.0.0.1:${taken}`);
    const forClients = await node.ended;
    node.start('--listen', `127.0.0.1:${taken}`, '--members', `n1=ws://127.0.0.1:${taken}`);
    const forNodes = await node.ended;

    expect([forClients.code, forNodes.code]).toEqual([1, 1]);
    expect(node.log).toContain(`127.0.0.1:${taken} (--http) is in use`);
    expect(node.log).toMatch(
      new RegExp(`port ${taken} on 127.0.0.1 is taken.*listen on another port.*RAFT_PORT_IN_USE`),
    );

    // Nothing is half-done: with its own ports it starts.
    node.start();
    await node.ready();
    expect((await node.ask('PUT /kv/a', { body: 'b' })).status).toBe(200);
  });
});

describe('a folder that is none', () => {
  it('keeps a node from starting', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    mkdirSync(cluster.folder, { recursive: true });
    const file = join(cluster.folder, 'file');
    writeFileSync(file, 'mine');

    node.start('--data', file);
    const { code } = await node.ended;

    expect(code).toBe(1);
    expect(node.log).toMatch(/n1 was not started\. .*file/);
    expect(readdirSync(cluster.folder)).toEqual(['file']);
  });
});

describe('a folder that takes no file for the pid', () => {
  it('keeps no node from working, which says so', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    mkdirSync(join(node.place.data, 'pid'), { recursive: true });

    node.start();
    await node.ready();

    expect(node.log).toMatch(/"level":40.*\/n1\/pid could not be written.*the node works without it/);
  });
});

describe('a log that can not be written', () => {
  it('ends no node', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    const fullDisk = openSync('/dev/full', 'w');
    onTestFinished(() => closeSync(fullDisk));

    node.startWith({ stderr: fullDisk }, '--log-level', 'trace');
    await node.ready();
    const put = await node.ask('PUT /kv/a', { body: 'b' });
    const { code } = await node.stop();

    expect([put.status, code]).toEqual([200, 0]);
  });
});
