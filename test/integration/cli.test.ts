import { describe, expect, it } from 'vitest';
import { clusterOfAll } from './harness/cluster.ts';
import { run, start } from './harness/program.ts';

const cluster = clusterOfAll(['n1', 'n2', 'n3']);

const urls = (): string => cluster.nodes.map(({ url }) => url).join(',');
const committed = { index: expect.any(Number), term: expect.any(Number) };

describe('the command line', () => {
  it('puts, gets and deletes', async () => {
    const put = await run('put', 'greeting', 'hello', '--urls', urls(), '--json');
    const get = await run('get', 'greeting', '--urls', urls(), '--json');
    const plain = await run('get', 'greeting', '--urls', urls());
    const deleted = await run('delete', 'greeting', '--urls', urls(), '--json');
    const gone = await run('get', 'greeting', '--urls', urls(), '--json');

    expect(put.code).toBe(0);
    expect(JSON.parse(put.stdout)).toEqual({ key: 'greeting', ...committed });
    expect(JSON.parse(get.stdout)).toEqual({ key: 'greeting', value: 'hello', index: expect.any(Number) });
    expect([plain.code, plain.stdout]).toEqual([0, 'hello']);
    expect(plain.stderr).toMatch(/^Next: rxraft watch --from \d+/m);
    expect(JSON.parse(deleted.stdout)).toEqual({ key: 'greeting', existed: true, ...committed });
    expect(gone.code).toBe(1);
    expect(JSON.parse(gone.stdout)).toMatchObject({ error: { code: 'KV_NOT_FOUND' } });
    expect(gone.stderr).toContain('Next: rxraft put greeting VALUE');
  });

  it('shows the cluster', async () => {
    const leader = await cluster.leader();

    const json = await run('status', '--urls', urls(), '--json');
    const table = await run('status', '--urls', urls());

    const { level, members, nodes } = JSON.parse(json.stdout);
    expect(json.code).toBe(0);
    expect(level).toBe('healthy');
    expect(members.filter((each: { role: string }) => each.role === 'leader')).toMatchObject([
      { id: leader.id },
    ]);
    expect(nodes.map((each: { status: { id: string } }) => each.status.id)).toEqual(['n1', 'n2', 'n3']);
    expect(table.stdout).toMatch(/^NODE +ROLE +TERM +LAST +COMMIT +APPLIED +LAG +RTT +LINK/);
    expect(table.stdout).toMatch(new RegExp(`^${leader.id} +★ leader`, 'm'));
    expect(table.stdout).toContain('Healthy: 3 of 3 voters. One failure is survived.');
  });

  it('watches, and goes on with another node when its own dies', async () => {
    const leader = await cluster.leader();
    const [watched, other] = cluster.nodes.filter((node) => node !== leader);
    if (watched === undefined || other === undefined) throw new Error('there are three nodes');
    const watch = start('watch', '--urls', `${watched.url},${other.url}`, '--prefix', 'seen-', '--json');
    await watch.says('stderr', `watching ${watched.url}`);

    await leader.ask('PUT /kv/seen-1', { body: 'one' });
    await watch.says('stdout', 'seen-1');
    await watched.kill();
    await leader.ask('PUT /kv/seen-2', { body: 'two' });
    await watch.says('stdout', 'seen-2');
    watch.signal('SIGINT');
    const { code, stdout } = await watch.ended;
    watched.start();
    await watched.ready();

    expect(code).toBe(0);
    const events = stdout.trimEnd().split('\n');
    expect(events.map((line) => JSON.parse(line))).toMatchObject([
      { op: 'put', key: 'seen-1', value: 'one' },
      { op: 'put', key: 'seen-2', value: 'two' },
    ]);
  });

  it('measures a cluster, says how it goes, and leaves no key behind', async () => {
    const options = ['--seconds', '1', '--outstanding', '20', '--connections', '2', '--reads', '30'];
    const bench = await run('bench', '--urls', urls(), '--json', ...options);
    const left = await cluster.nodes[0]?.ask('GET /range?prefix=rxraft-bench');

    expect(bench.code).toBe(0);
    const row = JSON.parse(bench.stdout);
    expect(row).toMatchObject({
      outstanding: 20,
      connections: 2,
      bytes: 128,
      readPercent: 30,
      session: true,
    });
    expect(row.outcomes).toEqual({ answered: expect.any(Number), notCommitted: 0, unknown: 0 });
    expect(Math.min(row.writesPerSecond, row.readsPerSecond)).toBeGreaterThan(0);
    const times = [row.p50Ms, row.p95Ms, row.p99Ms, row.maxMs];
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(bench.stderr).toMatch(/^1 s: [\d,]+\/s, p50 [\d.]+ ms, p99 [\d.]+ ms$/m);
    expect(left?.json).toMatchObject({ items: [] });
  });

  it('says what to do when nobody answers', async () => {
    const nobody = 'http://127.0.0.1:9';

    const put = await run('put', 'a', 'b', '--url', nobody, '--json');
    const status = await run('status', '--url', nobody);

    expect(put.code).toBe(1);
    expect(JSON.parse(put.stdout)).toMatchObject({ error: { code: 'NO_ANSWER', outcome: 'notCommitted' } });
    expect(put.stderr).toContain('Nothing was changed.');
    expect(status.code).toBe(1);
    expect(status.stderr).toContain('Next: npm start');
  });

  it('ends a node in good order when asked to', async () => {
    const leader = await cluster.leader();

    const end = await leader.stop('SIGTERM');
    const successor = await cluster.leader();
    leader.start();
    await leader.ready();

    expect(end).toEqual({ code: 0, signal: null });
    expect(successor).not.toBe(leader);
  });
});
