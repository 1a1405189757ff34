import { type SessionCommand, type SessionResult, withSessions } from 'rxraft';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { KeyMap } from '../../../src/storage/key-map.ts';
import { type KeyText, keyText } from '../../../src/storage/key-text.ts';
import { encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import { encodeSession, resultKey, sessionKey, useKey } from '../../../src/streams/session-rows.ts';
import { VirtualCluster } from '../../../src/testing/virtual-cluster.ts';
import { noteMachine } from './note-machine.ts';
import { all, type Words, type WordsMachine, wordsMachine } from './words.ts';

vi.setConfig({ testTimeout: 60_000 });

type Cluster = VirtualCluster<
  SessionCommand<string>,
  SessionResult<number>,
  (words: Words) => unknown,
  unknown
>;
let cluster: Cluster;

afterEach(() => cluster.close());

const machines = { store: () => noteMachine([]), memory: wordsMachine };

/** What was logged, but for what is of no importance. */
function notedLogger() {
  const logged: { readonly peer?: string; readonly message: string }[] = [];
  const note = (facts: object, message: string): void => void logged.push({ ...facts, message });
  return { logged, logger: { debug: () => {}, info: () => {}, warn: note, error: note } };
}

/** Three nodes, one of which was away so long that it needs a snapshot, and whose leader's data are damaged. */
async function damagedLeader(
  { keeps }: { readonly keeps: 'store' | 'memory' },
  damage: (data: KeyMap<Uint8Array>, session: number) => void,
) {
  const { logged, logger } = notedLogger();
  cluster = new VirtualCluster({
    seed: 1,
    machine: () => withSessions<string, number, never, unknown>(machines[keeps]() as WordsMachine),
    node: { logger },
  });
  await cluster.startAll();
  const leader = await cluster.leader();
  const { index: session } = await cluster.settle(leader.write({ type: 'open' }));
  const away = cluster.ids.find((id) => id !== leader.id) as string;
  cluster.kill(away);
  const once = (sequence: number) =>
    ({ type: 'once', command: `w${sequence}`, session, sequence, lowestUnanswered: 1 }) as const;
  await cluster.settle(leader.write(once(1)));
  await cluster.settle(leader.snapshot());
  await cluster.run(500);
  const { image } = cluster.disk(leader.id);
  const data = image.generations.get(image.machine.generation) as KeyMap<Uint8Array>;
  const sound = new Map(data.entries());
  damage(data, session);
  const mend = () => {
    for (const [key] of [...data.entries()]) if (!sound.has(key)) data.delete(key);
    for (const [key, value] of sound) data.set(key, value);
  };
  const follower = await cluster.start(away);
  return { leader, follower, once, mend, logged };
}

const nothing = new Uint8Array(0);
const row = encodeSession({ lastUsedMs: 1, notedMs: 1, lowestUnanswered: 1, results: 0 });
const tooHigh = Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255);
const withNumber = (bytes: Uint8Array, at: number) =>
  Uint8Array.from([...bytes.subarray(0, at), ...tooHigh, ...bytes.subarray(at + 8)]);

const badRows: readonly [what: string, key: (session: number) => Uint8Array, value: Uint8Array][] = [
  ['a session of which a byte is missing', sessionKey, row.subarray(1)],
  ['a session with a number that is none', sessionKey, withNumber(row, 16)],
  ['a session without an id', () => Uint8Array.of(1), row],
  ['a session whose id is none', (session) => withNumber(sessionKey(session), 1), row],
  ['a result without a sequence', (session) => resultKey(session, 1).subarray(0, 9), nothing],
  ['a use with something more', (session) => useKey(1, session), Uint8Array.of(1)],
  ['what no table has', () => Uint8Array.of(9), nothing],
];

describe('a follower whose leader sends it a table of sessions with a malformed row', () => {
  const pieceOf = (key: Uint8Array, value: Uint8Array) => Uint8Array.of(1, ...encodeChunk([[key, value]]));
  const firstPiece: KeyText = keyText(new Uint8Array(4));

  it.each([
    ...badRows.map(
      ([what, key, value]) =>
        [
          'store',
          what,
          (data: KeyMap<Uint8Array>, session: number) => data.set(keyText(key(session)), value),
        ] as const,
    ),
    ...badRows.map(
      ([what, key, value]) =>
        [
          'memory',
          what,
          (data: KeyMap<Uint8Array>, session: number) => data.set(firstPiece, pieceOf(key(session), value)),
        ] as const,
    ),
    [
      'memory',
      'what is no table',
      (data: KeyMap<Uint8Array>) => data.set(firstPiece, Uint8Array.of(1, 1, 255)),
    ] as const,
    [
      'memory',
      'a piece of neither',
      (data: KeyMap<Uint8Array>) => data.set(firstPiece, Uint8Array.of(2)),
    ] as const,
  ])('keeps its data (in %s), and gets another after a pause: %s', async (keeps, _, damage) => {
    const { leader, follower, once, mend, logged } = await damagedLeader({ keeps }, damage);
    await cluster.run(3_000);

    await cluster.settle(leader.write(once(2)));
    expect(follower.status()).toMatchObject({ lastApplied: 0, firstIndex: 1 });
    const said = {
      peer: leader.id,
      code: 'RAFT_BAD_SNAPSHOT',
      message: expect.stringMatching(/this state machine can't have written/),
    };
    const pausing = (pauseMs: number) => ({
      peer: follower.id,
      index: expect.any(Number),
      transferId: expect.any(String),
      message: expect.stringContaining(`gets another snapshot in ${pauseMs} ms`),
    });
    expect(logged).toEqual([said, pausing(1_000), pausing(2_000)]);

    mend();
    const { index } = await cluster.settle(leader.write(once(3)));
    const read = follower.read(all as never, { consistency: 'session', index, timeoutMs: 20_000 });
    expect((await cluster.settle(read)).value).toEqual(['w1', 'w2', 'w3']);
  });
});

describe("a machine's own view of what a snapshot can hold", () => {
  it.each(['store', 'memory'] as const)('is asked for, of the part that is its own: %s', (keeps) => {
    const isSnapshotEntry = vi.fn(() => false);
    const machine = withSessions({ ...machines[keeps](), isSnapshotEntry } as WordsMachine);
    const [key, value] =
      keeps === 'store'
        ? [[0, 7, 8], [9]]
        : [
            [0, 0, 0, 1],
            [0, 9],
          ];

    const isEntry = machine.isSnapshotEntry?.(
      Uint8Array.from(key as number[]),
      Uint8Array.from(value as number[]),
    );

    const own =
      keeps === 'store'
        ? [Uint8Array.of(7, 8), Uint8Array.of(9)]
        : [Uint8Array.from(key as number[]), Uint8Array.of(9)];
    expect(isEntry).toBe(false);
    expect(isSnapshotEntry.mock.calls).toEqual([own]);
  });

  it('takes the one piece of a machine in memory that has nothing to give', () => {
    expect(withSessions(wordsMachine()).isSnapshotEntry?.(new Uint8Array(4), nothing)).toBe(true);
  });
});
