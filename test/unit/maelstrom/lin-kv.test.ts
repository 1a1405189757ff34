import { dirname, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { folderOf } from '../../../examples/kv/cli/maelstrom-command.ts';
import { canonicalJson } from '../../../examples/maelstrom/canonical-json.ts';
import { DoubledRequests } from '../../../examples/maelstrom/doubled-requests.ts';
import { linKvMachine } from '../../../examples/maelstrom/lin-kv-machine.ts';
import { answerTo, type LinKvNode } from '../../../examples/maelstrom/lin-kv-service.ts';
import { LineReader } from '../../../examples/maelstrom/line-reader.ts';
import { storePath } from '../../../examples/maelstrom/maelstrom-node.ts';
import type { Body } from '../../../examples/maelstrom/message.ts';
import { memoryStorage, RaftError, raftNode } from '../../../src/index.ts';

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

describe('canonical JSON', () => {
  it.each([
    ['{"b":1,"a":[1.0,2e0]}', '{"a":[1,2],"b":1}'],
    ['{"a":{"d":null,"c":"\\u0041"}}', '{"a":{"c":"A","d":null}}'],
    ['{"__proto__":1,"2":1,"10":2}', '{"10":2,"2":1,"__proto__":1}'],
    ['-0', '0'],
    ['"\\ud800"', '"\\ud800"'],
  ])('of %s is %s', (text, canonical) => {
    expect(canonicalJson(JSON.parse(text))).toBe(canonical);
  });

  it('keeps apart what differs', () => {
    const different = ['1', '"1"', 'null', '"null"', '[]', '{}', '[[]]', 'false', '0', '""'];

    expect(new Set(different.map((text) => canonicalJson(JSON.parse(text)))).size).toBe(different.length);
  });
});

describe('a reader of lines', () => {
  const lineBytesMax = 10;

  function linesOf(...chunks: readonly string[]) {
    const lines: string[] = [];
    const tooLong: number[] = [];
    const reader = new LineReader({
      lineBytesMax,
      onLine: (line) => lines.push(line),
      onTooLong: (bytes) => tooLong.push(bytes),
    });
    for (const chunk of chunks) reader.push(Buffer.from(chunk, 'latin1'));
    return { lines, tooLong };
  }

  it('puts lines together from whatever pieces they come in', () => {
    expect(linesOf('a', 'b\nc', '\n\nd\ne').lines).toEqual(['ab', 'c', 'd']);
  });

  it('leaves out a line that is too long, and goes on with the next', () => {
    const { lines, tooLong } = linesOf('0123456789\n01234', '56789', 'x', 'y\nnext\n');

    expect(lines).toEqual(['0123456789', 'next']);
    expect(tooLong).toEqual([12]);
  });

  it('puts characters together that a chunk has cut', () => {
    expect(linesOf('\xc3', '\xa4\n').lines).toEqual(['ä']);
  });
});

describe('a lin-kv node', () => {
  async function ask(bodies: readonly Body[]): Promise<readonly Body[]> {
    await using node = await raftNode({
      id: 'n1',
      machine: linKvMachine(),
      storage: memoryStorage(),
      tickMs: 5,
      heartbeatMs: 10,
      electionMs: 20,
    });
    const answers: Body[] = [];
    for (const body of bodies) answers.push(await answerTo(node, body, quiet));
    return answers;
  }

  it('answers as the workload asks', async () => {
    const key = { b: 1, a: ['x'] };
    const answers = await ask([
      { type: 'read', key },
      { type: 'cas', key, from: 1, to: 2 },
      { type: 'write', key, value: { y: 1, z: 2 } },
      { type: 'read', key: { a: ['x'], b: 1 } },
      { type: 'cas', key, from: { z: 2, y: 1 }, to: null },
      { type: 'cas', key, from: { z: 2, y: 1 }, to: 3 },
      { type: 'read', key },
      { type: 'cas', key: 'new', from: 1, to: 'made', create_if_not_exists: true },
      { type: 'read', key: 'new' },
    ]);

    expect(answers).toEqual([
      expect.objectContaining({ type: 'error', code: 20 }),
      expect.objectContaining({ type: 'error', code: 20 }),
      { type: 'write_ok' },
      { type: 'read_ok', value: { y: 1, z: 2 } },
      { type: 'cas_ok' },
      expect.objectContaining({ type: 'error', code: 22 }),
      { type: 'read_ok', value: null },
      { type: 'cas_ok' },
      { type: 'read_ok', value: 'made' },
    ]);
  });

  it('keeps keys of any length apart', async () => {
    const long = 'k'.repeat(100_000);
    const answers = await ask([
      { type: 'write', key: `${long}1`, value: 1 },
      { type: 'write', key: `${long}2`, value: 2 },
      { type: 'read', key: `${long}1` },
    ]);

    expect(answers.at(-1)).toEqual({ type: 'read_ok', value: 1 });
  });

  it('refuses what makes no sense, and says that nothing happened', async () => {
    let deep: unknown = 0;
    for (let depth = 0; depth < 100_000; depth++) deep = [deep];
    const answers = await ask([
      { type: 'broadcast', message: 1 },
      { key: 1 },
      { type: 'write', key: 1 },
      { type: 'cas', key: 1, from: 2 },
      { type: 'write', key: 1, value: deep },
      { type: 'write', key: 1, value: Number.POSITIVE_INFINITY },
      { type: 'write', key: 1, value: 'v'.repeat(2 * 1024 * 1024) },
      { type: 'toString' },
    ]);

    expect(answers.map(({ code }) => code)).toEqual([10, 12, 12, 12, 12, 12, 12, 10]);
  });

  it.each([
    ['write', 'unknown', 13],
    ['write', 'notCommitted', 11],
    ['read', 'notCommitted', 11],
  ] as const)('answers a %s whose outcome is %s with %i', async (type, outcome, code) => {
    const fail = () => Promise.reject(new RaftError('RAFT_TIMEOUT', 'too late', { outcome }));
    const node = { write: fail, read: fail } as unknown as LinKvNode;

    expect(await answerTo(node, { type, key: 1, value: 2 }, quiet)).toMatchObject({ type: 'error', code });
  });
});

describe('a request that comes twice', () => {
  const write = { src: 'c1', dest: 'n1', body: { type: 'write', msg_id: 1, key: 1, value: 2 } };

  it('is carried out once, and answered the same', async () => {
    const doubled = new DoubledRequests(2);
    let count = 0;
    const carryOut = async () => ({ type: 'write_ok', count: ++count });

    const [first, second] = [doubled.answer(write, carryOut), doubled.answer(write, carryOut)];

    expect(await second).toEqual(await first);
    expect(count).toBe(1);
  });

  it('is another request with another number, client or body, or without a number; and a read is asked again', async () => {
    const doubled = new DoubledRequests(100);
    let count = 0;
    const carryOut = async () => ({ count: ++count });
    const read = { ...write, body: { type: 'read', msg_id: 1, key: 1 } };
    const requests = [
      write,
      { ...write, src: 'c2' },
      { ...write, body: { ...write.body, msg_id: 2 } },
      { ...write, body: { ...write.body, value: 3 } },
      read,
      read,
      ...[undefined, undefined, 'one', 'one', 1.5, 1.5].map((msg_id) => ({
        ...write,
        body: { ...write.body, msg_id },
      })),
    ];

    for (const request of requests) await doubled.answer(request, carryOut);

    expect(count).toBe(requests.length);
  });

  it('is forgotten once so many others have come', async () => {
    const doubled = new DoubledRequests(1);
    let count = 0;
    const carryOut = async () => ({ count: ++count });

    for (const src of ['c1', 'c2', 'c1']) await doubled.answer({ ...write, src }, carryOut);

    expect(count).toBe(3);
  });
});

describe('the folder of a node', () => {
  it('is where the environment says, else beside the folder the process works in', () => {
    expect(folderOf({ MINI_MAELSTROM_DIR: '/data' }, '/home/me/work')).toBe('/data');
    expect(folderOf({}, '/home/me/work')).toBe('/home/me/work.maelstrom');
  });

  it.each(['.', '..', 'n/1', ''])('is in that one, and no other node’s, if the node is called %j', (id) => {
    const store = storePath('/data', id);

    expect(dirname(resolve(store))).toBe('/data');
    expect(store).not.toBe(storePath('/data', `${id}1`));
  });
});
