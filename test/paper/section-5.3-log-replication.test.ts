import { describe, expect, it } from 'vitest';
import { index, step, termAt } from '../../src/core/index.ts';
import { BareCluster } from '../../src/testing/bare-cluster.ts';
import {
  ack,
  appendEntries,
  batchOf,
  diskOf,
  establishedLeader,
  flush,
  from,
  leader,
  messagesOf,
  n2,
  n3,
  node,
  only,
  run,
  wait,
  write,
} from '../unit/core/builders.ts';

const nodes = ['n1', 'n2', 'n3'];

describe('§5.3 Log replication', () => {
  it('The leader appends the command to its log as a new entry, then issues AppendEntries RPCs in parallel to each of the other servers to replicate the entry.', () => {
    const ready = run(establishedLeader(), from(n3, ack(1, 1))).state;

    const { state, outputs } = step(ready, write(1, 'x'));

    expect(state.log.lastIndex).toBe(2);
    expect(messagesOf(outputs)).toMatchObject([
      { to: 'n2', message: { type: 'appendEntries', prevLogIndex: 1, batches: [{ index: 2, term: 1 }] } },
      { to: 'n3', message: { type: 'appendEntries', prevLogIndex: 1, batches: [{ index: 2, term: 1 }] } },
    ]);
  });

  it('When the entry has been safely replicated, the leader applies the entry to its state machine and returns the result of that execution to the client.', () => {
    const cluster = new BareCluster({ nodes });
    cluster.elect('n1');

    const id = cluster.write('n1', ['x']);
    const early = cluster.answer(id);
    cluster.settle();

    expect(early).toBeUndefined();
    expect(cluster.answer(id)).toEqual({ type: 'committed', index: 2, term: 1 });
    expect(cluster.node('n1').applied).toEqual([{ index: 2, command: 'x' }]);
  });

  it('If followers crash or run slowly, or if network packets are lost, the leader retries AppendEntries RPCs indefinitely (even after it has responded to the client) until all followers eventually store all log entries.', () => {
    const cluster = new BareCluster({ nodes });
    cluster.elect('n1');
    cluster.cut('n1', 'n3');
    const ids = ['a', 'b', 'c'].map((command) => cluster.write('n1', [command]));
    cluster.settle();
    const answered = ids.map((id) => cluster.answer(id)?.type);

    cluster.heal();
    cluster.tick('n1', 100);
    cluster.settle();

    expect(answered).toEqual(['committed', 'committed', 'committed']);
    expect(cluster.node('n3').applied.map(({ command }) => command)).toEqual(['a', 'b', 'c']);
  });

  it('A log entry is committed once the leader that created the entry has replicated it on a majority of the servers.', () => {
    const written = flush(run(establishedLeader(), write(1, 'x')).state).state;

    expect(written.commitIndex).toBe(1);
    expect(run(written, from(n3, ack(1, 2))).state.commitIndex).toBe(2);
  });

  it('This also commits all preceding entries in the leader’s log, including entries created by previous leaders.', () => {
    const elected = flush(leader({ terms: [1, 1, 2] })).state;

    const { outputs } = run(elected, from(n2, ack(3, 4)));

    expect(only(outputs, 'applyReq')).toMatchObject([{ through: 4 }]);
  });

  it('The leader keeps track of the highest index it knows to be committed, and it includes that index in future AppendEntries RPCs (including heartbeats) so that the other servers eventually find out.', () => {
    const { outputs } = wait(establishedLeader(), 100);
    const { outputs: written } = step(establishedLeader(), write(1, 'x'));

    for (const { message } of [...messagesOf(outputs), ...messagesOf(written)]) {
      expect(message).toMatchObject({ type: 'appendEntries', leaderCommit: 1 });
    }
    expect(messagesOf(outputs)).toHaveLength(2);
  });

  it('Once a follower learns that a log entry is committed, it applies the entry to its local state machine (in log order).', () => {
    const cluster = new BareCluster({ nodes });
    cluster.elect('n1');
    for (const command of ['a', 'b', 'c']) cluster.write('n1', [command]);
    cluster.settle();

    expect(cluster.node('n2').applied).toEqual([
      { index: 2, command: 'a' },
      { index: 3, command: 'b' },
      { index: 4, command: 'c' },
    ]);
  });

  it('A leader creates at most one entry with a given log index in a given term, and log entries never change their position in the log.', () => {
    const { state, outputs } = run(establishedLeader(), write(1, 'x'), write(2, 'y', 'z'), write(3, 'w'));

    const places = only(outputs, 'persistReq').flatMap(({ batches }) =>
      batches.map((batch) => [batch.index, batch.count]),
    );

    expect(places).toEqual([
      [2, 1],
      [3, 2],
      [5, 1],
    ]);
    expect(state.log.lastIndex).toBe(5);
  });

  it('If the follower does not find an entry in its log with the same index and term, then it refuses the new entries.', () => {
    const state = node({ terms: [1, 1], currentTerm: 3 });

    const missing = step(state, from(n2, appendEntries({ term: 3, prev: [3, 1], batches: [batchOf(4, 3)] })));
    const other = step(state, from(n2, appendEntries({ term: 3, prev: [2, 2], batches: [batchOf(3, 3)] })));

    expect(messagesOf(missing.outputs)).toMatchObject([{ message: { success: false, rejectedIndex: 3 } }]);
    expect(messagesOf(other.outputs)).toMatchObject([{ message: { success: false, rejectedIndex: 2 } }]);
    expect([missing.state.log, other.state.log]).toEqual([state.log, state.log]);
  });

  it('When a leader first comes to power, it initializes all nextIndex values to the index just after the last one in its log.', () => {
    const elected = leader({ terms: [1, 1, 1] });

    expect(elected.role).toMatchObject({
      readyIndex: 4,
      peers: [{ nextIndex: 5, matchIndex: 0 }, { nextIndex: 5 }],
    });
  });

  it('After a rejection, the leader decrements nextIndex and retries the AppendEntries RPC.', () => {
    const elected = flush(leader({ terms: [1, 1, 1] })).state;
    const refusal = {
      ...ack(2, 0),
      success: false,
      rejectedIndex: index(3),
      hintIndex: index(2),
      hintTerm: 1,
    };

    const { outputs } = run(elected, from(n2, refusal as ReturnType<typeof ack>));

    expect(messagesOf(outputs)).toMatchObject([
      { to: 'n2', message: { prevLogIndex: 2, prevLogTerm: 1, batches: [] } },
    ]);
  });

  it('One AppendEntries RPC will be required for each term with conflicting entries, rather than one RPC per entry.', () => {
    const long = (term: number, count: number) => Array.from({ length: count }, () => term);
    let refusals = 0;
    const cluster = new BareCluster({
      nodes,
      onStep: ({ outputs }) => {
        for (const { message } of messagesOf(outputs)) {
          if (message.type === 'appendEntriesReply' && !message.success) refusals += 1;
        }
      },
      disks: {
        n1: diskOf({ terms: [1, ...long(5, 300)] }),
        n2: diskOf({ terms: [1, ...long(5, 300)] }),
        n3: diskOf({ terms: [1, ...long(2, 100), ...long(3, 100), ...long(4, 150)], currentTerm: 5 }),
      },
    });

    cluster.elect('n1');

    expect(refusals).toBeGreaterThan(0);
    expect(refusals).toBeLessThanOrEqual(4);
    expect(cluster.state('n3').log.lastIndex).toBe(302);
    expect(termAt(cluster.state('n3').log, index(2))).toBe(5);
  });

  it('A leader never overwrites or deletes entries in its own log (the Leader Append-Only Property).', () => {
    const state = run(establishedLeader(), write(1, 'x')).state;

    const after = step(
      state,
      from(n2, appendEntries({ term: 1, prev: [1, 1], batches: [batchOf(2, 1, 'other')] })),
    );

    expect(after.state).toBe(state);
    expect(after.outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'twoLeaders' }]);
  });

  it('In the normal case a new entry can be replicated with a single round of RPCs to a majority of the cluster; and a single slow follower will not impact performance.', () => {
    const cluster = new BareCluster({ nodes });
    cluster.elect('n1');

    const id = cluster.write('n1', ['x']);
    cluster.flush('n1');
    const [request] = cluster.inFlight.filter(({ to }) => to.id === 'n2');
    if (request !== undefined) cluster.deliver(request);
    cluster.flush('n2');
    const [reply] = cluster.inFlight.filter(({ from: sender }) => sender.id === 'n2');
    if (reply !== undefined) cluster.deliver(reply);
    cluster.apply('n1');

    expect(cluster.answer(id)).toMatchObject({ type: 'committed' });
    expect(cluster.state('n3').log.lastIndex).toBe(1);
  });

  it('Entries are sent ahead of the acknowledgements of those before them (pipelining, thesis §10.2.1).', () => {
    const ready = establishedLeader();

    const { outputs } = run(ready, write(1, 'a'), write(2, 'b'), write(3, 'c'));

    const toN2 = messagesOf(outputs).filter(({ to }) => to === 'n2');
    expect(toN2).toMatchObject([
      { message: { prevLogIndex: 1, batches: [{ index: 2 }] } },
      { message: { prevLogIndex: 2, batches: [{ index: 3 }] } },
      { message: { prevLogIndex: 3, batches: [{ index: 4 }] } },
    ]);
  });
});
