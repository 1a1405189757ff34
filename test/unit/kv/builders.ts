import { BehaviorSubject, map } from 'rxjs';
import {
  type Commit,
  type Committed,
  type Configuration,
  type MembershipChange,
  type NodeStatus,
  type ReadOptions,
  type RequestOptions,
  type SessionCommand,
  type SessionResult,
  type State,
  withSessions,
} from 'rxraft';
import { index, term } from 'rxraft/core';
import { memoryStorage } from 'rxraft/storage';
import type { Output } from '../../../examples/kv/cli/output.ts';
import { kvApp } from '../../../examples/kv/http/app.ts';
import type { KvContext, KvServices } from '../../../examples/kv/http/context.ts';
import { peerClock } from '../../../examples/kv/http/peer-clock.ts';
import type { KvCommand } from '../../../examples/kv/kv-command.ts';
import { type KvAnswer, type KvNode, type KvQuery, kvMachine } from '../../../examples/kv/kv-machine.ts';
import type { KvExecuted, KvResult } from '../../../examples/kv/kv-result.ts';

/** An output that keeps what it is told, one line each: `text`, `json`, `say`, `next` or `fail`, then what. */
export function fakeOutput({ isJson = false } = {}) {
  const lines: string[] = [];
  const keep =
    (kind: string) =>
    (line: string): void =>
      void lines.push(`${kind} ${line}`);
  const output: Output = {
    isJson,
    text: keep('text'),
    json: (value) => void lines.push(`json ${JSON.stringify(value)}`),
    bytes: () => undefined,
    say: keep('say'),
    next: keep('next'),
    fail: keep('fail'),
  };
  return { output, lines };
}

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
      return (await machine.apply(commands, at)).map(({ result }) => result);
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
    refusals: [],
    ...status,
  };
}

/** What `state$` says of the members: those of a status, or others. */
export function stateOf(
  { members }: Pick<NodeStatus, 'members'>,
  {
    index: at = index(0),
    ...given
  }: Partial<Configuration> & { readonly index?: ReturnType<typeof index> } = {},
): State {
  const [voters, learners] = (['voter', 'learner'] as const).map((role) =>
    members.filter((member) => member.role === role),
  );
  const configuration = { voters, votersOutgoing: [], learners, ...given };
  return { configurations: [{ index: at, configuration }] } as unknown as State;
}

/** A request of an operator, as a fake node saw it. */
export type AdminRequest =
  | { readonly changes: readonly MembershipChange[]; readonly options: object }
  | { readonly to: string | undefined; readonly options: object }
  | { readonly snapshot: object };

/** What an operator's request makes of a fake node: the rest of its status from now on, or an error. */
export type AdminEffect = (request: AdminRequest) => Partial<NodeStatus> | undefined;

/** A node of one that keeps everything in memory, and remembers what it was asked. */
export async function fakeNode(status: Partial<NodeStatus> = {}) {
  const storage = memoryStorage();
  await storage.open();
  const machine = withSessions(kvMachine());
  await machine.open(storage.machineStore);
  const log: Commit<SessionCommand<KvCommand>>[] = [];
  const asked: {
    command?: SessionCommand<KvCommand>;
    query?: KvQuery;
    options: ReadOptions & RequestOptions;
  }[] = [];
  const administered: AdminRequest[] = [];
  let failure: unknown;
  let effect: AdminEffect = () => undefined;
  let current: Partial<NodeStatus> = status;
  let ageMs: number | null = 0;
  const statusNow = (): NodeStatus => nodeStatus({ lastApplied: index(log.length), ...current });
  const state$ = new BehaviorSubject(stateOf(statusNow()));
  const leader$ = new BehaviorSubject<string | null>(statusNow().leaderId);
  const become = (next: Partial<NodeStatus>): void => {
    current = { ...current, ...next };
    state$.next(stateOf(statusNow()));
    leader$.next(statusNow().leaderId);
  };
  const administer = async (request: AdminRequest): Promise<void> => {
    administered.push(request);
    if (failure !== undefined) throw failure;
    become(effect(request) ?? {});
  };
  let wake: (() => void)[] = [];

  const node: Partial<KvNode> = {
    id: 'n1',
    status: statusNow,
    explain: () => [{ topic: 'lag', text: 'n3 is not connected; it lacks 10 entries.' }],
    state$,
    leader$,
    members$: state$.pipe(map(({ configurations }) => configurations[0]?.configuration as Configuration)),
    changeMembers: (changes, options = {}) => administer({ changes, options }),
    transferLeadership: (to, options = {}) => administer({ to, options }),
    snapshot: (options = {}) => administer({ snapshot: options }),
    async write(given, options = {}): Promise<Committed<SessionResult<KvExecuted>>> {
      asked.push({ command: given, options });
      if (failure !== undefined) throw failure;
      const command = machine.command.decode(machine.command.encode(given));
      const at = { index: index(log.length + 1), term: term(1), logTimeMs: 5 };
      log.push({ ...at, command });
      for (const resolve of wake.splice(0)) resolve();
      const [result] = await machine.apply([command], at);
      if (result === undefined) throw new Error('no result');
      return { index: at.index, term: at.term, result: machine.result.decode(machine.result.encode(result)) };
    },
    async read(query, options = {}) {
      asked.push({ query, options });
      if (failure !== undefined) throw failure;
      return { value: await machine.query(query), index: index(log.length), ageMs };
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
    administered,
    /** What requests of an operator do from now on, besides being noted. */
    onAdmin: (next: AdminEffect): void => {
      effect = next;
    },
    /** The node's status changes. */
    become,
    /** How old what it reads is from now on. */
    setAge: (next: number | null): void => {
      ageMs = next;
    },
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
  const services: KvServices = {
    node: () => fake.node,
    peerClock: peerClock(),
    limits: { keyBytesMax: 1_024, valueBytesMax: 1_024, timeoutMs: 200, watchersMax: 2, heartbeatMs: 15_000 },
    hosts: { boundHost: '127.0.0.1', allowedHosts: ['kv.example.org'] },
    logger: { debug: log, info: log, warn: log, error: log },
    version: '1.2.3',
    closing: closing.signal,
    ...options.services,
  };
  const app = kvApp(services);
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
  return { ...fake, app, services, logged, closing, send };
}
