import { EMPTY, of } from 'rxjs';
import { index, type NodeStatus, type RoleName } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { adviceFor } from '../../../examples/kv/cli/status-command.ts';
import { clusterStatus } from '../../../examples/kv/cli/status-rows.ts';
import { statusTable } from '../../../examples/kv/cli/status-table.ts';
import { type StatusBody, statusBody } from '../../../examples/kv/http/status-body.ts';
import type { KvNode } from '../../../examples/kv/kv-machine.ts';
import { nodeStatus, stateOf } from './builders.ts';

/** What a node answers; with `n3` unreachable for 12 seconds, where it leads. */
function body(
  status: Partial<NodeStatus> = {},
  configuration: Parameters<typeof stateOf>[1] = {},
): StatusBody {
  const peerClock = {
    observe: () => undefined,
    unreachableMs: (id: string) => (id === 'n3' ? 12_300 : null),
  };
  const all = { ...nodeStatus(), ...status };
  const peers = all.peers.map((peer) => ({ ...peer }));
  const state$ = all.clusterId === null ? EMPTY : of(stateOf(all, configuration));
  const node = { status: () => ({ ...all, peers }), state$, explain: () => [] };
  return statusBody(node as unknown as KvNode, { peerClock, version: '1' });
}

const follower = (id: string, role: RoleName = 'follower', status: Partial<NodeStatus> = {}): StatusBody =>
  body({ id, role, commitIndex: index(136), lastApplied: index(136), peers: [], ...status });

const leader = (): StatusBody => body();
const healthyLeader = (): StatusBody => {
  const { peers = [], ...rest } = leader();
  return {
    ...rest,
    peers: peers.map(({ id, lag }) => ({ id, state: 'replicate', matchIndex: 138 - lag, lag, rttMs: 0.84 })),
  };
};

describe('the table of a cluster', () => {
  it('looks as the contract shows it', () => {
    const { rows, summary } = clusterStatus([leader(), follower('n2')]);

    expect([...statusTable(rows), summary]).toEqual([
      'NODE  ROLE        TERM   LAST  COMMIT  APPLIED  LAG  RTT     LINK',
      'n1    ★ leader       7    138     137      137    0  -       -',
      'n2    ● follower     7    138     136      136    0  0.8 ms  replicate',
      'n3    ✕ down         -    128       -        -   10  -       unreachable 12 s',
      'Degraded: 2 of 3 voters. One more failure stops writes.',
    ]);
  });

  it('grows where a name or a number needs it', () => {
    const members = [{ id: 'a-long-name', storeId: 's', url: 'ws://h:1', role: 'voter' as const }];
    const answer = body({ id: 'a-long-name', members, peers: [], lastIndex: index(123_456_789) });

    const [title, line] = statusTable(clusterStatus([answer]).rows);

    expect(title?.indexOf('ROLE')).toBe(13);
    expect(line).toContain('a-long-name  ★ leader       7  123456789');
  });
});

describe('what the nodes say together', () => {
  it('is that of the leader of the highest term', () => {
    const deposed = { ...healthyLeader(), id: 'n2', term: 3 };

    const { rows } = clusterStatus([deposed, leader()]);

    expect(rows.map(({ id, link }) => [id, link])).toEqual([
      ['n1', null],
      ['n2', 'replicate'],
      ['n3', 'unreachable 12 s'],
    ]);
  });

  it('shows members that were not asked as their leader sees them', () => {
    const { rows, summary } = clusterStatus([leader()]);

    expect(rows.map(({ role, lastIndex }) => [role, lastIndex])).toEqual([
      ['leader', 138],
      ['follower', 138],
      ['down', 128],
    ]);
    expect(summary).toContain('2 of 3 voters');
  });

  it('is healthy, degraded, or stopped', () => {
    const two = [
      follower('n2', 'candidate', { leaderId: null }),
      follower('n3', 'follower', { leaderId: null }),
    ];
    const unfounded = follower('n1', 'follower', { clusterId: null, members: [], leaderId: null });

    const verdict = (...answers: StatusBody[]) => {
      const { level, summary } = clusterStatus(answers);
      return [level, summary];
    };
    expect(verdict(healthyLeader())).toEqual(['healthy', 'Healthy: 3 of 3 voters. One failure is survived.']);
    expect(verdict(...two)).toEqual([
      'stopped',
      'No leader: 2 of 3 voters answer. Writes wait until one is elected.',
    ]);
    expect(verdict(follower('n2'))).toEqual(['stopped', 'No quorum: 1 of 3 voters. Writes wait for 1 more.']);
    expect(verdict(unfounded)[1]).toContain('Not founded yet');
    expect(verdict()).toEqual(['stopped', 'Nobody answers: as far as one can see, no node is up.']);
  });

  it('does not say of a node that a cluster keeps out that its cluster is yet to be founded', () => {
    const reason = 'n3 comes with an empty store';
    const refusals = [{ id: 'n1', by: 'peer', code: 'wipedStore', reason } as const];
    const wiped = body({ id: 'n3', role: 'follower', clusterId: null, members: [], peers: [], refusals });

    const together = clusterStatus([wiped]);

    expect(wiped.refusals).toEqual(refusals);
    expect(together).toMatchObject({ level: 'stopped', refused: 'n3' });
    expect(together.summary).toBe('n3 is in no cluster: one is there, and keeps it out.');
    expect(adviceFor(together, { urls: [], flags: '' })).toContain('do what is said above of n3');
  });

  it('says of two nodes of one name at a first start who does not let whom in, and of no cluster that is there', () => {
    const reason = 'both ends are called n1';
    const refusals = [{ id: 'n2', by: 'peer', code: 'nameInUse', reason } as const];
    const doubled = body({ id: 'n1', role: 'follower', clusterId: null, members: [], peers: [], refusals });

    const together = clusterStatus([doubled]);

    expect(together).toMatchObject({ level: 'stopped', refused: 'n1' });
    expect(together.summary).toBe('n1 is in no cluster: n2 does not let it in (nameInUse).');
    expect(adviceFor(together, { urls: [], flags: '' })).toContain('do what is said above of n1');
  });

  it('counts failures that are left, of five and of one', () => {
    const members = [1, 2, 3, 4, 5].map((n) => ({
      id: `n${n}`,
      storeId: '',
      url: '',
      role: 'voter' as const,
    }));
    const peer = (n: number, state: 'replicate' | 'unreachable') =>
      ({ id: `n${n}`, state, matchIndex: index(1), lag: 0, rttMs: null }) as const;
    const peers = [peer(2, 'replicate'), peer(3, 'replicate'), peer(4, 'replicate')];

    const five = clusterStatus([body({ members, peers: [...peers, peer(5, 'replicate')] })]);
    const four = clusterStatus([body({ members, peers: [...peers, peer(5, 'unreachable')] })]);
    const one = clusterStatus([body({ members: members.slice(0, 1), peers: [] })]);

    expect(five.summary).toBe('Healthy: 5 of 5 voters. 2 failures are survived.');
    expect(four.summary).toBe('Degraded: 4 of 5 voters. 2 more failures stop writes.');
    expect(one.summary).toBe('Healthy: 1 of 1 voters. No failures are survived.');
  });

  it.each(['preCandidate', 'candidate'] as const)('does not count a %s while another node leads', (role) => {
    const { rows, summary } = clusterStatus([
      healthyLeader(),
      follower('n2'),
      follower('n3', role, { leaderId: null }),
    ]);

    expect(rows.map((row) => row.role)).toEqual(['leader', 'follower', role]);
    expect(summary).toBe('Degraded: 2 of 3 voters. One more failure stops writes.');
  });

  it('needs both majorities while the members change', () => {
    const all = [1, 2, 3, 4].map((n) => ({ id: `n${n}`, storeId: '', url: '', role: 'voter' as const }));
    const peers = [2, 3, 4].map(
      (n) => ({ id: `n${n}`, state: 'replicate', matchIndex: index(1), lag: 0, rttMs: null }) as const,
    );
    const unreachable = (...gone: string[]) =>
      peers.map((peer) => (gone.includes(peer.id) ? ({ ...peer, state: 'unreachable' } as const) : peer));
    const [one, ...others] = all;
    const joint = { voters: others, votersOutgoing: all.slice(0, 3) };
    const summary = (...gone: string[]) => {
      const { summary: text, level } = clusterStatus([
        body({ members: all, peers: unreachable(...gone) }, joint),
      ]);
      return [level, text];
    };

    expect(one?.id).toBe('n1');
    expect(summary()).toEqual([
      'healthy',
      'Healthy: 3 of 3 old and 3 of 3 new voters. One failure is survived.',
    ]);
    expect(summary('n4')).toEqual([
      'degraded',
      'Degraded: 3 of 3 old and 2 of 3 new voters. One more failure stops writes.',
    ]);
    expect(summary('n2', 'n3')).toEqual([
      'stopped',
      'No quorum: 1 of 3 old and 1 of 3 new voters. Writes wait for 1 more.',
    ]);
  });

  it('does not count learners, nor nodes that are not in the cluster or have lost their data', () => {
    const learner = { id: 'n4', storeId: 's4', url: 'ws://h:4', role: 'learner' as const };
    const members = [...nodeStatus().members, learner];
    const peer = (id: string, state: 'replicate' | 'snapshot' | 'unreachable') =>
      ({ id, state, matchIndex: index(0), lag: 138, rttMs: null }) as const;
    const peers = [peer('n2', 'replicate'), peer('n3', 'unreachable'), peer('n4', 'snapshot')];
    const wiped = follower('n3', 'follower', { clusterId: null, members: [], leaderId: null });

    const { rows, summary } = clusterStatus([body({ members, peers }), wiped, follower('n9', 'learner')]);

    expect(summary).toBe('Degraded: 2 of 3 voters. One more failure stops writes.');
    const cluster = { urls: ['http://h:1'], flags: ' --urls http://h:1' };
    expect(adviceFor({ rows, summary, level: 'degraded', refused: null }, cluster)).toContain(
      'rxraft remove n3 --urls http://h:1, then start n3 with --join http://h:1',
    );
    expect(statusTable(rows).slice(1)).toEqual([
      'n1    ★ leader       7    138     137      137    0  -       -',
      'n2    ● follower     -      0       -        -  138  -       replicate',
      'n3    ○ outside      7    138     136      136    -  -       unreachable 12 s',
      'n4    ■ learner      -      0       -        -  138  -       snapshot',
      'n9    ○ outside      7    138     136      136    -  -       -',
    ]);
  });
});
