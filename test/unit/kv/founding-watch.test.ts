import type { NodeStatus } from 'rxraft';
import { describe, expect, it, onTestFinished } from 'vitest';
import { watchFounding } from '../../../examples/kv/founding-watch.ts';
import { fakeNode } from './builders.ts';

const members = [1, 2, 3].map((n) => ({ id: `n${n}`, url: `ws://10.0.0.${n}:7101` }));

/** What a node without a cluster logs that has been refused like this. */
async function watched(refusals: NodeStatus['refusals'], againMs = 60_000) {
  const { node, become } = await fakeNode({ id: 'n3', clusterId: null, members: [], refusals });
  const warned: string[] = [];
  const failed: string[] = [];
  const none = () => undefined;
  const closing = new AbortController();
  onTestFinished(() => closing.abort());
  const ended = watchFounding(node, {
    config: {
      id: 'n3',
      data: 'd/n3',
      listen: { host: '127.0.0.1', port: 7103 },
      http: { host: '127.0.0.1', port: 8103 },
      members,
      advertise: 'ws://127.0.0.1:7103',
      isInsecure: false,
    },
    logger: {
      debug: none,
      info: none,
      warn: (_, message) => void warned.push(message),
      error: (_, message) => void failed.push(message),
    },
    signal: closing.signal,
    againMs,
  });
  return { warned, failed, become, ended };
}

const until = async (isDone: () => boolean): Promise<void> => {
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 5));
};

describe('a node that was to found a cluster, and finds one that does not let it in', () => {
  it('says at once that its data are gone, with the commands for its own place', async () => {
    const { warned, failed, become, ended } = await watched([
      { id: 'n1', by: 'peer', code: 'wipedStore', reason: 'it is empty' },
    ]);

    await until(() => failed.length > 0);
    become({ clusterId: 'c' });
    await ended;

    expect(failed).toEqual([
      expect.stringMatching(/^n3 is kept out of the cluster: d\/n3 holds no data of it, and n1 knows n3 by/),
    ]);
    expect(failed[0]).toContain(
      'run npx rxraft remove n3 --urls http://HOST:PORT, stop this process, and start',
    );
    expect(failed[0]).toContain(
      'npx rxraft serve --id n3 --data d/n3 --listen 127.0.0.1:7103 --http 127.0.0.1:8103 ' +
        '--advertise ws://10.0.0.3:7101 --join http://HOST:PORT',
    );
    expect(warned).toEqual([]);
  });

  it('has nothing to remove where it is not a member any more', async () => {
    const { failed } = await watched([{ id: 'n1', by: 'peer', code: 'notAMember', reason: 'unknown' }]);

    await until(() => failed.length > 0);

    expect(failed[0]).toMatch(/n1 says that n3 is not a member.*The reason given: unknown$/);
    expect(failed[0]).not.toContain('rxraft remove');
  });

  it('gives the reason where two nodes have one name or lists differ, and does not say that a cluster is there', async () => {
    for (const code of ['nameInUse', 'otherMembers'] as const) {
      const { failed } = await watched([{ id: 'n1', by: 'peer', code, reason: 'correct the name' }]);

      await until(() => failed.length > 0);

      expect(failed).toEqual(['n3 is in no cluster: n1 does not let it in: correct the name']);
    }
  });

  it('says whom it waits for where nobody has said so', async () => {
    const { warned, failed } = await watched(
      [{ id: 'n1', by: 'us', code: 'notAMember', reason: 'n1 is a stranger' }],
      5,
    );

    await until(() => warned.length > 0);

    expect(warned[0]).toContain('no connection to n1 at ws://10.0.0.1:7101, n2 at ws://10.0.0.2:7101');
    expect(failed).toEqual([]);
  });
});
