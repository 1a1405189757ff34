import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { lmdbStorage } from 'rxraft/storage';
import { describe, expect, it } from 'vitest';
import { flagSource } from '../../../examples/kv/config/sources.ts';
import { readinessOf } from '../../../examples/kv/launcher/cluster.ts';
import { prepareFolder } from '../../../examples/kv/launcher/folder.ts';
import { launchConfig, nodesOf } from '../../../examples/kv/launcher/launch-config.ts';
import { refusalOfNewNodes } from '../../../examples/kv/launcher/stored-members.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A folder as a cluster leaves it. */
function usedFolder(): string {
  const folder = temporaryFolder();
  prepareFolder(folder, { isFresh: false });
  mkdirSync(join(folder, 'n1'));
  writeFileSync(join(folder, 'n1', 'data.mdb'), 'data');
  return folder;
}

describe('the options of npm start', () => {
  it('have defaults', () => {
    const read = launchConfig(flagSource({}));

    if (!('config' in read)) throw new Error('something is wrong with nothing');
    expect(nodesOf(read.config)).toEqual(
      [1, 2, 3].map((n) => ({
        id: `n${n}`,
        data: `.rxraft/n${n}`,
        listen: `127.0.0.1:710${n}`,
        http: `127.0.0.1:810${n}`,
        url: `http://127.0.0.1:810${n}`,
      })),
    );
  });

  it('have all their problems told at once', () => {
    const given = (flags: Record<string, unknown>) => {
      const read = launchConfig(flagSource(flags));
      return 'problems' in read ? read.problems.map((problem) => problem.given) : [];
    };

    expect(given({ nodes: '0', port: 'x', data: '', tls: true })).toEqual([
      '--nodes 0',
      '--port x',
      '--data ""',
      '--tls',
    ]);
    expect(given({ nodes: '5', port: '65533', 'raft-port': '65531' })).toEqual([
      '--port 65533',
      '--port 65533 with --raft-port 65531',
    ]);
  });
});

describe('a folder for a cluster', () => {
  it('is made where there is none', () => {
    const folder = join(temporaryFolder(), 'deep', 'down');

    expect(prepareFolder(folder, { isFresh: true })).toBe(null);
    expect(existsSync(folder)).toBe(true);
  });

  it('is refused where it can not be made, with the reason', () => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, 'mine');

    for (const folder of ['/proc/none', join(file, 'below')]) {
      expect(prepareFolder(folder, { isFresh: false })).toMatch(/can't be used: .* Choose another folder/);
    }
  });

  it('keeps what it holds unless --fresh is given', () => {
    const folder = usedFolder();

    expect(prepareFolder(folder, { isFresh: false })).toBe(null);
    expect(existsSync(join(folder, 'n1', 'data.mdb'))).toBe(true);

    expect(prepareFolder(folder, { isFresh: true })).toBe(null);
    expect(existsSync(join(folder, 'n1'))).toBe(false);
    expect(prepareFolder(folder, { isFresh: true })).toBe(null);
  });

  it('is not emptied if we did not make it', () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'n1'));

    expect(prepareFolder(folder, { isFresh: true })).toContain('npm start did not make it');
    expect(readdirSync(folder)).toEqual(['n1']);
  });

  it('is not emptied if it holds anything else, or is no folder', () => {
    const folder = usedFolder();
    writeFileSync(join(folder, 'thesis.doc'), '');

    expect(prepareFolder(folder, { isFresh: true })).toContain('it holds thesis.doc');
    expect(existsSync(join(folder, 'n1', 'data.mdb'))).toBe(true);
    expect(prepareFolder(join(folder, 'thesis.doc'), { isFresh: true })).toContain('is not a folder');
  });

  it('is not touched while a node of it runs', async () => {
    const folder = usedFolder();
    const node = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)', 'serve']);
    await once(node, 'spawn');
    const prepareWith = (pid: unknown) => {
      writeFileSync(join(folder, 'n1', 'pid'), `${pid}\n`);
      return prepareFolder(folder, { isFresh: false });
    };

    const running = prepareWith(node.pid);
    node.kill('SIGKILL');
    await once(node, 'exit');

    expect(running).toContain(`are running: pid ${node.pid}`);
    expect(prepareWith(node.pid)).toBe(null);
    expect(prepareWith('no number')).toBe(null);
    expect(prepareWith(1)).toBe(null);
  });
});

describe('a folder with the stores of a cluster', () => {
  /** The nodes that so many stores are there for, and the first of which belong to a cluster of n1 to n3. */
  async function nodesWith({ stores, founded }: { stores: number; founded: number }) {
    const read = launchConfig(flagSource({ nodes: '5', data: temporaryFolder() }));
    if (!('config' in read)) throw new Error('something is wrong with the flags');
    const nodes = nodesOf(read.config);
    const member = (n: number) => ({ id: `n${n}`, storeId: `s${n}`, url: `ws://127.0.0.1:710${n}` });
    const configuration = { voters: [1, 2, 3].map(member), votersOutgoing: [], learners: [] };
    for (const [at, { id, data }] of nodes.slice(0, stores).entries()) {
      const storage = lmdbStorage({ path: data, nodeId: id });
      await storage.open();
      if (at < founded) await storage.found({ clusterId: 'c', configuration });
      await storage.close();
    }
    return nodes;
  }

  it('takes no nodes that the cluster does not know, and says who is in it and what to do', async () => {
    const nodes = await nodesWith({ stores: 3, founded: 3 });

    const refusal = await refusalOfNewNodes(nodes);

    expect(refusal).toMatch(/^n4, n5 can't be started .* a cluster of n1, n2, n3\. Nothing was started\./);
    expect(refusal).toContain('Start it with --nodes 3,');
    expect(refusal).toMatch(/rxraft serve --id n4 .* --join http:\/\/127\.0\.0\.1:8101; .* --fresh/);
    expect(await refusalOfNewNodes(nodes.slice(0, 3))).toBe(null);
  });

  it('takes any that are new, that are members, or whose cluster is not founded yet', async () => {
    const unfounded = await nodesWith({ stores: 3, founded: 0 });
    const lost = await nodesWith({ stores: 2, founded: 1 });

    expect(await refusalOfNewNodes(unfounded)).toBe(null);
    expect(await refusalOfNewNodes(lost.slice(0, 3))).toBe(null);
    expect(await refusalOfNewNodes(lost)).toMatch(/^n4, n5 .* --nodes 3,/);
  });
});

describe('a cluster that is starting', () => {
  const read = launchConfig(flagSource({}));
  const processes = 'config' in read ? nodesOf(read.config).map((node) => ({ node })) : [];
  const wiped = { id: 'n3', by: 'us', code: 'wipedStore', reason: 'n3 is empty' } as const;
  const sight = (leaderId: string, ...refused: (typeof wiped)[]) => ({ leaderId, refused });

  it('is ready once all agree on who leads, but for one that was removed', () => {
    expect(readinessOf(processes, [sight('n2'), sight('n2'), sight('n2')])).toEqual({
      leaderId: 'n2',
      keptOut: [],
    });
    expect(readinessOf(processes, [sight('n2'), sight('n2'), 'outside'])?.leaderId).toBe('n2');
    expect(readinessOf(processes, [sight('n1'), sight('n2'), sight('n2')])).toBeNull();
    expect(readinessOf(processes, [sight('n2'), sight('n2'), null])).toBeNull();
    expect(readinessOf(processes, [null, null, null])).toBeNull();
  });

  it("waits for nobody whom the leader keeps out, and takes no word for it but the leader's", () => {
    const [, , third] = processes;

    expect(readinessOf(processes, [sight('n2'), sight('n2', wiped), null])).toEqual({
      leaderId: 'n2',
      keptOut: [{ node: third?.node, code: 'wipedStore', reason: 'n3 is empty' }],
    });
    expect(readinessOf(processes, [sight('n2', wiped), sight('n2'), null])).toBeNull();
    expect(readinessOf(processes, [sight('n2', wiped), null, null])).toBeNull();
    expect(readinessOf(processes, [null, sight('n2', wiped), null])).toBeNull();
  });
});
