import { describe, expect, it } from 'vitest';
import { step } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  appendEntries,
  candidate,
  fiveNodes,
  flush,
  from,
  leader,
  messagesOf,
  n1,
  n2,
  n3,
  node,
  preVote,
  run,
  vote,
  voteRequest,
  wait,
} from '../unit/core/builders.ts';

describe('§5.2 Leader election', () => {
  it('When servers start up, they begin as followers.', () => {
    expect(node().role).toMatchObject({ type: 'follower', leader: null });
  });

  it('A server remains in follower state as long as it receives valid RPCs from a leader or candidate.', () => {
    let state = node();
    for (let passed = 0; passed < 5000; passed += 400) {
      state = run(wait(state, 400).state, from(n2, appendEntries({ term: 1 }))).state;
    }

    expect(state.role).toMatchObject({ type: 'follower', leader: n2 });
  });

  it('If a follower receives no communication over a period of time called the election timeout, then it assumes there is no viable leader and begins an election to choose a new leader.', () => {
    const { electionTimeoutMs } = node();
    const early = wait(node(), electionTimeoutMs - 25).state;

    expect(early.role.type).toBe('follower');
    expect(wait(early, 50).state.role.type).toBe('preCandidate');
  });

  it('To begin an election, a follower increments its current term and transitions to candidate state.', () => {
    expect(candidate({ currentTerm: 3 })).toMatchObject({ currentTerm: 4, role: { type: 'candidate' } });
  });

  it('It then votes for itself and issues RequestVote RPCs in parallel to each of the other servers in the cluster.', () => {
    const { state, outputs } = flush(candidate());

    expect(state).toMatchObject({ votedFor: n1, role: { votes: [n1] } });
    expect(messagesOf(outputs)).toMatchObject([
      { to: 'n2', message: { type: 'requestVote', term: 1 } },
      { to: 'n3', message: { type: 'requestVote', term: 1 } },
    ]);
  });

  it('A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same term.', () => {
    const asking = run(node({ configuration: fiveNodes }), { type: 'campaign', id: 0 }).state;
    const standing = flush(run(asking, from(n2, preVote(1)), from(n3, preVote(1))).state).state;

    const two = run(standing, from(n2, vote(1))).state;
    const three = run(two, from(n3, vote(1))).state;

    expect(two.role.type).toBe('candidate');
    expect(three.role.type).toBe('leader');
  });

  it('Each server will vote for at most one candidate in a given term, on a first-come-first-served basis.', () => {
    const voted = flush(run(node(), from(n2, voteRequest(1))).state).state;

    const { state, outputs } = step(voted, from(n3, voteRequest(1)));

    expect(state.votedFor).toEqual(n2);
    expect(messagesOf(outputs)).toMatchObject([{ to: 'n3', message: { voteGranted: false } }]);
  });

  it('Once a candidate wins an election, it becomes leader. It then sends heartbeat messages to all of the other servers to establish its authority and prevent new elections.', () => {
    const elected = run(flush(candidate()).state, from(n2, vote(1)));
    const later = wait(leader(), 100);

    expect(messagesOf(elected.outputs).map(({ to, message }) => [to, message.type])).toEqual([
      ['n2', 'appendEntries'],
      ['n3', 'appendEntries'],
    ]);
    expect(messagesOf(later.outputs)).toMatchObject([
      { to: 'n2', message: { type: 'appendEntries', batches: [] } },
      { to: 'n3', message: { type: 'appendEntries', batches: [] } },
    ]);
  });

  it('If the leader’s term (included in its RPC) is at least as large as the candidate’s current term, then the candidate recognizes the leader as legitimate and returns to follower state.', () => {
    const same = step(candidate(), from(n2, appendEntries({ term: 1 }))).state;
    const larger = step(candidate(), from(n2, appendEntries({ term: 2 }))).state;

    expect(same).toMatchObject({ currentTerm: 1, role: { type: 'follower', leader: n2 } });
    expect(larger).toMatchObject({ currentTerm: 2, role: { type: 'follower', leader: n2 } });
  });

  it('If the term in the RPC is smaller than the candidate’s current term, then the candidate rejects the RPC and continues in candidate state.', () => {
    const { state, outputs } = step(candidate({ currentTerm: 4 }), from(n2, appendEntries({ term: 4 })));

    expect(state).toMatchObject({ currentTerm: 5, role: { type: 'candidate' } });
    expect(messagesOf(outputs)).toMatchObject([{ to: 'n2', message: { success: false, term: 5 } }]);
  });

  it('When this happens, each candidate will time out and start a new election by incrementing its term and initiating another round of RequestVote RPCs.', () => {
    const split = run(flush(candidate()).state, from(n2, vote(1, false)), from(n3, vote(1, false))).state;

    const again = wait(split, 1025).state;
    const { state, outputs } = flush(run(again, from(n2, preVote(2))).state);

    expect(state).toMatchObject({ currentTerm: 2, role: { type: 'candidate' } });
    expect(messagesOf(outputs)).toMatchObject([
      { message: { type: 'requestVote', term: 2 } },
      { message: { term: 2 } },
    ]);
  });

  it('To prevent split votes in the first place, election timeouts are chosen randomly from a fixed interval.', () => {
    const timeouts = Array.from({ length: 1000 }, (_, seed) => node({ seed }).electionTimeoutMs);

    expect(Math.min(...timeouts)).toBeGreaterThanOrEqual(500);
    expect(Math.max(...timeouts)).toBeLessThanOrEqual(1000);
    for (let low = 500; low < 1000; low += 50) {
      expect(timeouts.filter((timeout) => timeout >= low && timeout < low + 50).length).toBeGreaterThan(50);
    }
  });

  it('Each candidate restarts its randomized election timeout at the start of an election, and it waits for that timeout to elapse before starting the next election.', () => {
    const first = wait(node(), 1025).state;
    const second = wait(first, 1025).state;

    expect(first.role.type).toBe('preCandidate');
    expect(first.electionElapsedMs).toBeLessThan(first.electionTimeoutMs);
    expect(new Set([node(), first, second].map((state) => state.electionTimeoutMs)).size).toBe(3);
  });

  it('Election Safety: at most one leader can be elected in a given term.', () => {
    const cluster = new BareCluster({ nodes: ['n1', 'n2', 'n3', 'n4', 'n5'] });
    const leaders = new Map<number, string>();
    for (const id of ['n1', 'n4', 'n2', 'n5', 'n3']) {
      cluster.elect(id);
      const { currentTerm } = cluster.state(id);
      expect(leaders.has(currentTerm)).toBe(false);
      leaders.set(currentTerm, id);
    }

    expect(leaders.size).toBe(5);
    expect([...cluster.nodes.values()].filter(({ state }) => state.role.type === 'leader')).toHaveLength(1);
  });
});
