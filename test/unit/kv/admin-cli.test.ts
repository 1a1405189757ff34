import { afterEach, describe, expect, it, vi } from 'vitest';
import { snapshot, transfer } from '../../../examples/kv/cli/admin-commands.ts';
import type { Cluster } from '../../../examples/kv/cli/cluster.ts';
import {
  add,
  demote,
  members,
  move,
  promote,
  removeMember,
} from '../../../examples/kv/cli/member-commands.ts';
import { withProgress } from '../../../examples/kv/cli/progress.ts';
import { status } from '../../../examples/kv/cli/status-command.ts';
import { statusBody } from '../../../examples/kv/http/status-body.ts';
import { fakeNode, fakeOutput } from './builders.ts';
import { answering, deserted, refusal, taken } from './servers.ts';

const url = (n: number): string => `ws://127.0.0.1:710${n}`;
const voter = (n: number) => ({ id: `n${n}`, url: url(n), role: 'voter' as const });
const joining = { id: 'n4', url: url(4), role: 'learner' as const, willVote: true };
const membership = { configurationIndex: 9, leaderId: 'n1', members: [voter(1), voter(2), joining] };

/** Runs a command against servers, and gives what it said. */
async function said(run: (cluster: Cluster) => Promise<void>, urls: readonly string[], isJson = false) {
  const { output, lines } = fakeOutput({ isJson });
  await run({ urls, flags: ` --urls ${urls.join(',')}`, output });
  return lines.map((line) => urls.reduce((text, each, at) => text.replaceAll(each, `URL${at + 1}`), line));
}

describe('a command that changes the members', () => {
  const cases: [name: string, run: (cluster: Cluster) => Promise<void>, body: object, says: string][] = [
    [
      'add',
      (cluster) => add(cluster, 'n4', url(4), { expectedIndex: '7' }),
      { add: { id: 'n4', url: url(4) }, expectedIndex: 7 },
      'text n4 is a learner, and votes once it has caught up',
    ],
    [
      'add --learner',
      (cluster) => add(cluster, 'n1', url(1), { learner: true }),
      { add: { id: 'n1', url: url(1), learner: true } },
      'text n1 is a voter',
    ],
    [
      'remove',
      (cluster) => removeMember(cluster, 'n3', {}),
      { remove: 'n3' },
      'text n3 is no member any more; 3 are left',
    ],
    ['promote', (cluster) => promote(cluster, 'n4', {}), { promote: 'n4' }, 'text n4 is a voter'],
    [
      'demote',
      (cluster) => demote(cluster, 'n2', {}),
      { demote: 'n2' },
      'text n2 is a learner: it receives the log and does not vote',
    ],
    [
      'move',
      (cluster) => move(cluster, 'n2', url(9), {}),
      { move: { id: 'n2', url: url(9) } },
      `text n2 is to be reached at ${url(9)}`,
    ],
  ];
  it.each(cases)('asks the server, and says what has come of it: %s', async (_, run, body, says) => {
    const server = await answering({ body: membership });

    const lines = await said(run, [server.url]);

    expect(server.asked).toEqual([{ line: 'POST /admin/members', body }]);
    expect(lines).toContain(says);
    expect(lines.at(-1)).toMatch(/^next /);
    expect(lines).toContain(`json ${JSON.stringify(membership)}`);
  });

  it('says how to start a node that does not answer', async () => {
    const server = await answering(refusal(503, 'RAFT_TIMEOUT'));

    const lines = await said((cluster) => add(cluster, 'n4', url(4), { timeoutMs: '70' }), [server.url]);

    expect(server.asked).toMatchObject([{ line: 'POST /admin/members?timeoutMs=70' }]);
    expect(lines).toContain('fail RAFT_TIMEOUT: RAFT_TIMEOUT it is');
    expect(lines.at(-1)).toContain(
      'rxraft serve --id n4 --data DIR --listen HOST:PORT --http HOST:PORT --join URL1',
    );
  });

  it.each([
    [
      'is a member elsewhere',
      taken(url(9)),
      `rxraft move n4 ${url(4)} --urls URL1 if n4 is reached there now, or rxraft remove n4 --urls URL1 if n4 has lost its data and is to come again`,
    ],
    [
      'is a member there',
      taken(url(4)),
      'rxraft remove n4 --urls URL1 if n4 has lost its data and is to come again',
    ],
    [
      'is one too many',
      refusal(400, 'RAFT_BAD_REQUEST'),
      'rxraft members --urls URL1 shows who is in the cluster',
    ],
    ['is not written so', refusal(400, 'KV_MALFORMED'), 'rxraft add --help shows how to write it'],
    [
      'is to come into another configuration',
      refusal(409, 'RAFT_CONFLICT'),
      'rxraft members --json --urls URL1 gives the index of the configuration in effect',
    ],
    [
      'has to wait for another change',
      refusal(409, 'RAFT_BUSY'),
      'rxraft status --urls URL1 shows how the nodes are; ask again once the reason is gone',
    ],
    [
      'finds no leader',
      refusal(503, 'RAFT_NO_LEADER'),
      'rxraft status --urls URL1 shows how the nodes are; ask again once the reason is gone',
    ],
    [
      'may be in or not',
      refusal(503, 'RAFT_TIMEOUT', 'unknown'),
      'rxraft members --urls URL1 shows what has come of it',
    ],
  ])('says what to do about a new node that %s', async (_, answer, hint) => {
    const server = await answering(answer);

    const lines = await said((cluster) => add(cluster, 'n4', url(4), {}), [server.url]);

    expect(lines.at(-1)).toBe(`next ${hint}`);
  });

  it.each([
    [
      'of somebody who is none',
      'RAFT_BAD_REQUEST',
      (cluster: Cluster) => removeMember(cluster, 'n9', {}),
      'members',
      'who is in the cluster',
    ],
    [
      'of one that votes',
      'RAFT_BAD_REQUEST',
      (cluster: Cluster) => promote(cluster, 'n1', {}),
      'members',
      'who is in the cluster',
    ],
    [
      'of one that is behind',
      'RAFT_BUSY',
      (cluster: Cluster) => promote(cluster, 'n4', {}),
      'status',
      'how far n4 is',
    ],
  ])('shows what there is where it was asked %s', async (_, code, run, command, what) => {
    const server = await answering(refusal(409, code));

    const lines = await said(run, [server.url]);

    expect(lines.at(-1)).toBe(`next rxraft ${command} --urls URL1 shows ${what}`);
  });

  it('goes on to the next server only where nothing can have happened', async () => {
    const taken = await answering(refusal(503, 'RAFT_UNKNOWN_OUTCOME', 'unknown'));
    const next = await answering({ body: membership });

    const stopped = await said((cluster) => removeMember(cluster, 'n3', {}), [taken.url, next.url]);
    const passed = await said((cluster) => removeMember(cluster, 'n3', {}), [await deserted(), next.url]);

    expect(stopped[1]).toMatch(/^fail RAFT_UNKNOWN_OUTCOME/);
    expect(passed).toContain('text n3 is no member any more; 3 are left');
    expect(next.asked).toHaveLength(1);
  });
});

describe('the other commands of an operator', () => {
  it('list the members, as the node says that knows most', async () => {
    const { node, become } = await fakeNode();
    const services = { peerClock: { observe: () => undefined, unreachableMs: () => null }, version: '1' };
    const old = await answering({ body: statusBody(node, services) });
    become({
      term: 8 as never,
      members: [
        { ...voter(1), storeId: 's1' },
        { ...joining, storeId: 's4', willVote: true },
      ],
    });
    const fresh = await answering({ body: statusBody(node, services) });

    const lines = await said(members, [old.url, fresh.url, await deserted()]);

    expect(lines.slice(1, -1)).toEqual([
      'text n1  voter    ws://127.0.0.1:7101  ★ leads',
      'text n4  learner  ws://127.0.0.1:7104  votes once it has caught up',
    ]);
    expect(JSON.parse(lines[0]?.slice('json '.length) ?? '')).toMatchObject({
      leaderId: 'n1',
      configurationIndex: 0,
    });
  });

  it('hand leadership over', async () => {
    const server = await answering({ body: { leaderId: 'n2', term: 8, members: [] } });

    const named = await said((cluster) => transfer(cluster, 'n2', {}), [server.url]);
    await said((cluster) => transfer(cluster, undefined, {}), [server.url]);

    expect(server.asked.map(({ body }) => body)).toEqual([{ to: 'n2' }, {}]);
    expect(named).toEqual([
      'json {"leaderId":"n2","term":8}',
      'text n2 leads, in term 8',
      'next rxraft status --urls URL1',
    ]);
  });

  it('take a snapshot at each address, and fail where one can not', async () => {
    const server = await answering({ body: { id: 'n1', snapshotIndex: 9, firstIndex: 10 } });
    const full = await answering(refusal(503, 'RAFT_STOPPED'));

    const lines = await said((cluster) => snapshot(cluster, {}), [full.url, server.url]);

    expect(lines).toEqual([
      'fail URL1: RAFT_STOPPED: RAFT_STOPPED it is',
      'text n1: snapshot through 9, the log begins at 10',
      expect.stringMatching(/^json \{"snapshots":\[\{.*"error":.*"snapshotIndex":9/),
      'next rxraft status --urls URL1,URL2',
    ]);
  });

  it('show what the nodes say is the matter, each thing once', async () => {
    const { node } = await fakeNode();
    const services = { peerClock: { observe: () => undefined, unreachableMs: () => null }, version: '1' };
    const server = await answering({ body: statusBody(node, services) });

    const lines = await said(status, [server.url, server.url]);

    expect(lines.filter((line) => line.startsWith('text n3 is'))).toEqual([
      'text n3 is not connected; it lacks 10 entries.',
    ]);
  });

  it('say what to do where nobody answers', async () => {
    for (const run of [members, status, (cluster: Cluster) => transfer(cluster, undefined, {})]) {
      const lines = await said(run, [await deserted()]);

      expect(lines.at(-2)).toMatch(/^fail .*ECONNREFUSED|^fail nobody answers/s);
      expect(lines.at(-1)).toBe('next npm start starts a cluster; --urls says where one is');
    }
  });

  it('tell programs all that the server says of an error', async () => {
    const error = { code: 'RAFT_NO_LEADER', message: 'none', outcome: 'notCommitted', leaderId: 'n2' };
    const server = await answering({ status: 503, body: { error } });

    const lines = await said((cluster) => transfer(cluster, undefined, {}), [server.url]);

    expect(lines[0]).toBe(`json ${JSON.stringify({ error })}`);
  });

  it('tell programs, too, that nobody answers', async () => {
    for (const run of [members, (cluster: Cluster) => transfer(cluster, undefined, {})]) {
      const lines = await said(run, [await deserted()]);

      const [told = ''] = lines.filter((line) => line.startsWith('json '));
      expect(JSON.parse(told.slice('json '.length))).toEqual({
        error: {
          code: 'NO_ANSWER',
          message: expect.stringContaining('URL1: connect ECONNREFUSED'),
          outcome: 'notCommitted',
        },
      });
    }
  });
});

describe('something that takes a while', () => {
  afterEach(() => vi.useRealTimers());

  it('is said to be under way, once a second', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
    const { output, lines } = fakeOutput();
    let finish: (value: string) => void = () => undefined;
    const work = withProgress(output, 'no answer yet', new Promise<string>((resolve) => (finish = resolve)));

    vi.advanceTimersByTime(999);
    expect(lines).toEqual([]);
    vi.advanceTimersByTime(1_001);
    finish('done');
    await work;
    vi.advanceTimersByTime(5_000);

    expect(lines).toEqual(['say no answer yet (1 s)', 'say no answer yet (2 s)']);
  });
});
