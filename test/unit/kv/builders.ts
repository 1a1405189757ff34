import type { Commit, Committed, NodeStatus, ReadOptions, RequestOptions } from 'rxraft';
import { index, term } from 'rxraft/core';
import { memoryStorage } from 'rxraft/storage';
import { kvApp } from '../../../examples/kv/http/app.ts';
import type { KvContext, KvServices } from '../../../examples/kv/http/context.ts';
import { peerClock } from '../../../examples/kv/http/peer-clock.ts';
import { type KvCommand, kvCommandCodec } from '../../../examples/kv/kv-command.ts';
import { type KvAnswer, type KvNode, type KvQuery, kvMachine } from '../../../examples/kv/kv-machine.ts';
import { type KvResult, kvResultCodec } from '../../../examples/kv/kv-result.ts';

/** Text as bytes. */
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));

/** Bytes as text. */
export const text = (value: Uint8Array): string => Buffer.from(value).toString('utf8');

/** A machine over a store in memory. */
export async function openMachine() {
  const storage = memoryStorage();
  await storage.open();
  const machine = kvMachine();
  await machine.open(storage.machineStore);
  let applied = 0;
  return {
    machine,
    store: storage.machineStore,
    async apply(...commands: KvCommand[]): Promise<readonly KvResult[]> {
      const at = { index: index(applied + 1), term: term(1), logTimeMs: 0 };
      applied += commands.length;
      return machine.apply(commands, at);
    },
    ask: async (query: KvQuery): Promise<KvAnswer> => machine.query(query),
  };
}

/** What a test may say about a status; the rest is a leader of three. */
export function nodeStatus(status: Partial<NodeStatus> = {}): NodeStatus {
  const url = (n: number): string => `ws://127.0.0.1:710${n}`;
  const member = (n: number) => ({ id: `n${n}`, storeId: `s${n}`, url: url(n), role: 'voter' as const });
  return {
    id: 'n1',
    clusterId: 'c',
    storeId: 's1',
    role: 'leader',
    term: term(7),
    leaderId: 'n1',
    commitIndex: index(137),
    lastApplied: index(137),
    lastIndex: index(138),
    firstIndex: index(1),
    snapshotIndex: index(0),
    members: [member(1), member(2), member(3)],
    peers: [
      { id: 'n2', state: 'replicate', matchIndex: index(138), lag: 0, rttMs: 0.8 },
      { id: 'n3', state: 'unreachable', matchIndex: index(128), lag: 10, rttMs: null },
    ],
    links: [],
    ...status,
  };
}

/** A node of one that keeps everything in memory, and remembers what it was asked. */
export async function fakeNode(status: Partial<NodeStatus> = {}) {
  const { machine } = await openMachine();
  const log: Commit<KvCommand>[] = [];
  const asked: { command?: KvCommand; query?: KvQuery; options: ReadOptions & RequestOptions }[] = [];
  let wake: (() => void)[] = [];
  let failure: unknown;

  const node: Partial<KvNode> = {
    id: 'n1',
    status: () => nodeStatus({ lastApplied: index(log.length), ...status }),
    async write(given, options = {}): Promise<Committed<KvResult>> {
      asked.push({ command: given, options });
      if (failure !== undefined) throw failure;
      const command = kvCommandCodec.decode(kvCommandCodec.encode(given));
      const at = { index: index(log.length + 1), term: term(1), logTimeMs: 5 };
      log.push({ ...at, command });
      for (const resolve of wake.splice(0)) resolve();
      const [result] = await machine.apply([command], at);
      if (result === undefined) throw new Error('no result');
      return { index: at.index, term: at.term, result: kvResultCodec.decode(kvResultCodec.encode(result)) };
    },
    async read(query, options = {}) {
      asked.push({ query, options });
      if (failure !== undefined) throw failure;
      return { value: await machine.query(query), index: index(log.length) };
    },
    async *commits({ from = 1, signal } = {}) {
      if (failure !== undefined) throw failure;
      const aborted = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve()));
      for (let at = from; signal?.aborted !== true; ) {
        const found = log.slice(at - 1, at + 1);
        at += found.length;
        if (found.length > 0) yield found;
        else await Promise.race([new Promise<void>((resolve) => (wake = [...wake, resolve])), aborted]);
      }
    },
  };
  return {
    node: node as KvNode,
    asked,
    /** Every request from now on fails like this. */
    failWith: (error: unknown): void => {
      failure = error;
    },
  };
}

/** The HTTP application over a fake node. */
export async function fakeServer(
  options: { status?: Partial<NodeStatus>; services?: Partial<KvServices> } = {},
) {
  const fake = await fakeNode(options.status);
  const logged: object[] = [];
  const log = (facts: object): void => void logged.push(facts);
  const closing = new AbortController();
  const app = kvApp({
    node: () => fake.node,
    peerClock: peerClock(),
    limits: { keyBytesMax: 1_024, valueBytesMax: 1_024, watchersMax: 2, heartbeatMs: 15_000 },
    hosts: { boundHost: '127.0.0.1', allowedHosts: ['kv.example.org'] },
    logger: { debug: log, info: log, warn: log, error: log },
    version: '1.2.3',
    closing: closing.signal,
    ...options.services,
  });
  const send = (
    method: string,
    path: string,
    body?: RequestInit['body'],
    headers: Record<string, string> = {},
  ) => {
    const target = { incoming: { url: path } } as KvContext['env'];
    const init = { method, headers, ...(body == null ? {} : { body, duplex: 'half' }) };
    return app.request(path, init as RequestInit, target);
  };
  return { ...fake, app, logged, closing, send };
}
