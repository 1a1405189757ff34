import { describe, expect, it } from 'vitest';
import { joinCluster } from '../../../examples/kv/join.ts';
import { fakeNode } from './builders.ts';
import { answering, deserted, refusal, taken } from './servers.ts';

/** A node outside of every cluster, which becomes a part of one when the server has been asked so often. */
async function outsider({ urls, isLearner = false }: { urls: readonly string[]; isLearner?: boolean }) {
  const { node, become } = await fakeNode({ id: 'n4', storeId: 's4', clusterId: null, members: [] });
  const logged: string[] = [];
  const log = (_: object, message: string): void => void logged.push(message);
  const closing = new AbortController();
  const joined = joinCluster(node, {
    urls,
    url: 'ws://127.0.0.1:7104',
    isLearner,
    logger: { debug: log, info: log, warn: log, error: log },
    signal: closing.signal,
  });
  return { joined, become, logged, closing };
}

const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a node that joins', () => {
  it('asks to be added with its name, address and store, and ends when it belongs to the cluster', async () => {
    const server = await answering({ body: {} });
    const { joined, become, logged } = await outsider({ urls: [server.url] });

    await until(() => server.asked.length > 0);
    become({ clusterId: 'c' });
    await joined;

    const add = { id: 'n4', url: 'ws://127.0.0.1:7104', storeId: 's4', learner: false };
    expect(server.asked[0]).toEqual({ line: 'POST /admin/members', body: { add } });
    expect(logged.at(-1)).toBe('this node has joined');
  });

  it('goes on to the next server, and asks again after a while', async () => {
    const server = await answering(refusal(503, 'RAFT_NO_LEADER'), { body: {} });
    const { joined, become, logged } = await outsider({
      urls: [await deserted(), server.url],
      isLearner: true,
    });

    await until(() => server.asked.length === 2);
    become({ clusterId: 'c' });
    await joined;

    expect(server.asked[1]).toMatchObject({ body: { add: { learner: true } } });
    expect(logged[0]).toMatch(/ECONNREFUSED.*RAFT_NO_LEADER/);
  });

  it('says what to do where its name is taken, once', async () => {
    const server = await answering(taken('ws://127.0.0.1:7104'));
    const { joined, closing, logged } = await outsider({ urls: [server.url] });

    await until(() => server.asked.length === 2);
    closing.abort();
    await joined;

    expect(logged).toEqual([expect.stringContaining(`rxraft remove n4 --url ${server.url}`)]);
  });

  it('says no more than the server where something else is wrong', async () => {
    const server = await answering(refusal(400, 'RAFT_BAD_REQUEST'));
    const { joined, closing, logged } = await outsider({ urls: [server.url] });

    await until(() => server.asked.length > 0 && logged.length > 0);
    closing.abort();
    await joined;

    expect(logged).toEqual([expect.stringMatching(/RAFT_BAD_REQUEST it is$/)]);
  });

  it('asks nothing if its store belongs to a cluster', async () => {
    const server = await answering({ body: {} });
    const { node } = await fakeNode({ clusterId: 'c' });
    const signal = new AbortController().signal;
    const silent = (): void => undefined;
    const logger = { debug: silent, info: silent, warn: silent, error: silent };

    await joinCluster(node, { urls: [server.url], url: 'ws://h:1', isLearner: false, logger, signal });

    expect(server.asked).toEqual([]);
  });
});
