import { memoryStorage, raftNode, type StateMachine } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { index0 } from '../../../src/core/index.ts';
import { resultsBytesMax } from '../../../src/transport/transport.ts';
import { wsTransport } from '../../../src/transport/ws-transport.ts';
import { freePorts } from '../../ports.ts';
import { failureOf } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

const nodes: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(nodes.splice(0).map((node) => node.close()));
});

const bytes = { encode: (of: Uint8Array) => of, decode: (of: Uint8Array) => of };

/** A command is a number, and its result that many bytes, of which the first says how many results there have been. */
function machine(): StateMachine<number, Uint8Array, null, number> {
  let count = 0;
  return {
    keeps: 'memory',
    command: {
      encode: (command) => new TextEncoder().encode(String(command)),
      decode: (of) => Number(new TextDecoder().decode(of)),
    },
    result: bytes,
    open: () => index0,
    apply: (commands) =>
      commands.map((command) => {
        count += 1;
        return new Uint8Array(command).fill(count);
      }),
    query: () => count,
  };
}

/** A follower of three nodes over WebSockets. */
async function follower() {
  const first = await freePorts(3);
  const members = [0, 1, 2].map((at) => ({ id: `n${at}`, url: `ws://127.0.0.1:${first + at}` }));
  const started = await Promise.all(
    members.map(({ id }, at) =>
      raftNode({
        id,
        members,
        machine: machine(),
        storage: memoryStorage(),
        transport: wsTransport({ listen: { port: first + at } }),
        timeoutMs: 50_000,
      }),
    ),
  );
  nodes.push(...started);
  await vi.waitFor(() => expect(started.every((node) => node.status().leaderId !== null)).toBe(true), {
    timeout: 20_000,
  });
  return started.find((node) => node.status().role !== 'leader') as (typeof started)[number];
}

describe('writes on a follower', () => {
  it.each([
    ['a result larger than what may wait for a peer', 1, 6_000_000],
    ['results that are so together', 60, 100_000],
  ])('get %s', async (_what, count, length) => {
    const node = await follower();

    const committed = await Promise.all(Array.from({ length: count }, () => node.write(length)));

    expect(committed.map(({ result }) => [result.length, result[0], result[length - 1]])).toEqual(
      Array.from({ length: count }, (_, at) => [length, at + 1, at + 1]),
    );
  });

  it('are told at once that a result is too large, and the next one is answered', async () => {
    const node = await follower();

    const tooLarge = node.write(resultsBytesMax - 3);
    const message = tooLarge.catch((error: Error) => error.message);

    expect(await failureOf(tooLarge)).toEqual({ code: 'RAFT_BAD_RESULT', outcome: 'unknown' });
    expect(await message).toContain(`the limit is ${resultsBytesMax}`);
    expect((await node.write(3)).result).toEqual(new Uint8Array(3).fill(2));
  });
});
