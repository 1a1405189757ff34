import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { clusterOfTest } from './harness/cluster.ts';
import { run } from './harness/program.ts';

describe('a server that is recorded, killed and started again', () => {
  it('is replayed without a difference, and a difference is found where one is made', async () => {
    const cluster = clusterOfTest();
    const node = await cluster.addNode('n1');
    const file = join(cluster.folder, 'recording');
    const secret = 'a value that is nobody else is to see';

    node.start('--record', file);
    await node.ready();
    for (let at = 0; at < 20; at++) await node.ask(`PUT /kv/key-${at}`, { body: secret });
    await node.kill();
    node.start('--record', file);
    await node.ready();
    await node.ask('GET /kv/key-1');
    await node.ask('PUT /kv/key-1', { body: secret });
    await node.stop();

    const recorded = readFileSync(file, 'utf8');
    expect(recorded.includes(secret)).toBe(false);
    expect(recorded).toMatch(/"kind":"command",[^{}]*"payload":\{"bytes":\d+,"crc32":\d+\}/);
    expect(recorded).not.toMatch(/"kind":"command",[^{}]*"payload":\{"base64"/);
    expect(recorded.match(/"type":"start"/g)).toHaveLength(2);
    const replayed = await run('inspect', 'replay', file);
    expect(replayed.stdout).toMatch(/^\d+ steps of 1 node replayed, no difference$/m);
    expect(replayed.code).toBe(0);
    const start = await run('inspect', 'replay', file, '--node', 'n1', '--to', '0');
    expect(JSON.parse(start.stdout)).toMatchObject({ self: { id: 'n1' }, role: { type: 'follower' } });
    expect(start.stderr).toContain('no difference');

    const lines = recorded.split('\n');
    const at = lines.findIndex((line) => line.includes('"type":"writeRes"'));
    const { seq } = JSON.parse(lines[at] as string);
    const tampered = (lines[at] as string).replace('"type":"committed"', '"type":"unknown"');
    writeFileSync(file, lines.with(at, tampered).join('\n'));
    const different = await run('inspect', 'replay', file, '--json');
    expect(different.code).toBe(1);
    expect(JSON.parse(different.stdout).difference).toMatchObject({
      node: 'n1',
      seq,
      line: at + 1,
      path: 'outputs[0].result.type',
      recorded: 'unknown',
      replayed: 'committed',
    });
    expect(different.stderr).toContain(`step ${seq} of n1 (line ${at + 1}) came out differently`);

    const before = await run('inspect', 'replay', file, '--node', 'n1', '--to', String(seq - 1));
    expect(JSON.parse(before.stdout)).toMatchObject({ self: { id: 'n1' }, role: { type: 'leader' } });
  });
});

describe('a recording that can’t be replayed', () => {
  it('is refused with a line number and a code', async () => {
    const cluster = clusterOfTest();
    const file = join(cluster.folder, 'recording');
    writeFileSync(file, '{"type":"start"}\n');

    const damaged = await run('inspect', 'replay', file);
    const absent = await run('inspect', 'replay', join(cluster.folder, 'absent'), '--json');

    expect([damaged.code, absent.code]).toEqual([1, 1]);
    expect(damaged.stderr).toMatch(/error: Line 1 of the recording is damaged: .*RAFT_RECORDING_DAMAGED/s);
    expect(absent.stderr).toMatch(/ENOENT/);
    expect(JSON.parse(absent.stdout)).toMatchObject({ error: { code: 'ENOENT' } });
  });
});
