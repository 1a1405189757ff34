import type { Observable } from 'rxjs';
import {
  type Configuration,
  type Explanation,
  explain,
  type Index,
  index,
  index0,
  type NodeId,
  plus,
  type State,
  term0,
} from '../core/index.ts';
import { knownNameProblem } from '../core/member-rules.ts';
import { changesProblem } from '../transport/member-rules.ts';
import type { AdminWork } from './admin-queue.ts';
import { commitsFrom } from './commit-stream.ts';
import { badRequest } from './errors.ts';
import { handOver } from './hand-over.ts';
import type { NodeRuntime } from './node-runtime.ts';
import type {
  CloseOptions,
  Commit,
  Committed,
  CommittedAll,
  MembershipChange,
  NodeStatus,
  RaftNode,
  RaftNodeOptions,
  ReadAnswer,
  ReadOptions,
  RequestOptions,
  RoleName,
} from './raft-node.ts';
import { type Answered, valueAt } from './read-call.ts';
import { statusOf } from './status.ts';
import type { Stepped } from './step-with.ts';

const noOptions: RequestOptions & ReadOptions = {};

/** Less than the truth is answered to whoever asked for less, and to nobody else (rule 11). */
function consistencyOf({
  consistency = 'linearizable',
}: ReadOptions): NonNullable<ReadOptions['consistency']> {
  return consistency;
}

/** A node as its users see it. */
export class NodeFace<Command, Result, Query, Value> implements RaftNode<Command, Result, Query, Value> {
  readonly id: NodeId;
  readonly state$: Observable<State>;
  readonly role$: Observable<RoleName>;
  readonly leader$: Observable<NodeId | null>;
  readonly members$: Observable<Configuration>;
  readonly commits$: Observable<Commit<Command>>;
  readonly closed: Promise<void>;
  #closing: Promise<void> | null = null;
  readonly #options: RaftNodeOptions<Command, Result, Query, Value>;
  readonly #runtime: NodeRuntime<Command, Result, Query, Value>;

  constructor(
    options: RaftNodeOptions<Command, Result, Query, Value>,
    runtime: NodeRuntime<Command, Result, Query, Value>,
  ) {
    const { state$, role$, leader$, members$, commits$ } = runtime.streams;
    this.id = options.id;
    this.state$ = state$;
    this.role$ = role$.asObservable();
    this.leader$ = leader$.asObservable();
    this.members$ = members$.asObservable();
    this.commits$ = commits$.asObservable();
    this.closed = runtime.lifetime.closed;
    this.#options = options;
    this.#runtime = runtime;
  }

  write(command: Command, options: RequestOptions = noOptions): Promise<Committed<Result>> {
    if (options.signal !== undefined)
      return this.writeAll([command], options).then(([committed]) => committed as Committed<Result>);
    try {
      return this.#runtime.requests.writeOne(command, options.timeoutMs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  writeAll(
    commands: readonly Command[],
    options: RequestOptions = {},
  ): Promise<readonly Committed<Result>[]> {
    const { length } = commands; // The caller may use the list again at once.
    if (length === 0) return Promise.resolve([]);
    return new Promise((resolve, reject) => {
      this.#runtime.requests.write(commands, options, {
        resolve: ({ index: first, term, results, offset }) =>
          resolve(
            Array.from({ length }, (_, at) => ({
              index: plus(first, at),
              term,
              result: results[offset + at] as Result,
            })),
          ),
        reject,
      });
    });
  }

  writeEncoded(
    commands: readonly Uint8Array[],
    options: RequestOptions = noOptions,
  ): Promise<CommittedAll<Result>> {
    const { length } = commands;
    return new Promise((resolve, reject) => {
      this.#runtime.requests.writeEncoded(commands, options, {
        resolve: ({ index: first, term, results, offset }) =>
          resolve({ index: first, term, results: results.slice(offset, offset + length) }),
        reject,
      });
    });
  }

  read(query: Query, options: ReadOptions = noOptions): Promise<ReadAnswer<Value>> {
    const isShared = consistencyOf(options) === 'linearizable' && options.signal === undefined;
    if (!isShared) return this.readAll([query], options).then(([answer]) => answer as ReadAnswer<Value>);
    try {
      return this.#runtime.requests.readOne(query, options.timeoutMs);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  readAll(
    queries: readonly Query[],
    options: ReadOptions = noOptions,
  ): Promise<readonly ReadAnswer<Value>[]> {
    if (queries.length === 0) return Promise.resolve([]);
    const asked = [...queries]; // The caller may use the list again at once.
    const consistency = consistencyOf(options);
    const isFresh = consistency === 'linearizable';
    return new Promise<Answered<Value>>((resolve, reject) => {
      this.#runtime.requests.read(asked, { ...options, consistency }, { resolve, reject });
    }).then((answered) => {
      const ageMs = isFresh ? 0 : this.#runtime.ageMs;
      return asked.map((_, place) => ({ value: valueAt(answered, place), index: answered.index, ageMs }));
    });
  }

  commits(
    options: { readonly from?: number; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<readonly Commit<Command>[]> {
    const runtime = this.#runtime;
    const from: Index =
      options.from === undefined ? plus(runtime.lanes.appliedIndex, 1) : index(options.from);
    return commitsFrom(
      {
        command: this.#options.machine.command,
        appliedIndex: () => runtime.lanes.appliedIndex,
        applied$: runtime.streams.applied$,
        isClosed: () => runtime.lifetime.isOver,
        readLog: (at) => runtime.lanes.readLog(at),
      },
      { from, signal: options.signal },
    );
  }

  status(): NodeStatus {
    const { streams, clusterId, network, self } = this.#runtime;
    const { links, refusals } = network;
    if (streams.state !== null) return { ...statusOf(streams.state, clusterId, links), refusals };
    return {
      id: self.id,
      clusterId,
      storeId: self.storeId,
      role: 'follower',
      term: term0,
      leaderId: null,
      commitIndex: index0,
      lastApplied: index0,
      lastIndex: index0,
      firstIndex: index(1),
      snapshotIndex: index0,
      members: [],
      peers: [],
      links,
      refusals,
    };
  }

  recent(): readonly Stepped[] {
    return this.#runtime.stepLog.recent();
  }

  explain(): readonly Explanation[] {
    const { streams, network, whyOutside } = this.#runtime;
    if (streams.state === null)
      return [{ topic: 'noLeader', text: `${this.id} belongs to no cluster yet: ${whyOutside}.` }];
    const wiped = network.wiped.map(({ reason }) => ({ topic: 'membership', text: `${reason}.` }) as const);
    return [...explain(streams.state), ...wiped];
  }

  async changeMembers(
    changes: readonly MembershipChange[],
    options: RequestOptions & { readonly expectedIndex?: number } = {},
  ): Promise<void> {
    const runtime = this.#runtime;
    const limits = runtime.requests.limitsOf(options);
    const problem = changesProblem(changes, options.expectedIndex);
    if (problem !== undefined) throw badRequest(problem);
    const resolved = await runtime.resolveChanges(changes, limits);
    const { expectedIndex, signal } = options;
    const at = expectedIndex === undefined ? null : index(expectedIndex);
    const timeoutMs = runtime.msUntil(limits.deadlineMs);
    const work = { type: 'changeMembers', changes: resolved, expectedIndex: at } as const;
    await this.#administer(work, signal === undefined ? { timeoutMs } : { timeoutMs, signal });
  }

  async transferLeadership(to?: NodeId, options: RequestOptions = {}): Promise<void> {
    const successor = to ?? null;
    const problem = successor === null ? undefined : knownNameProblem(successor);
    if (problem !== undefined) throw badRequest(problem);
    await this.#administer({ type: 'transferLeadership', to: successor }, options);
  }

  async snapshot(options: RequestOptions = {}): Promise<void> {
    this.#runtime.checkSnapshot();
    await this.#administer({ type: 'compact' }, options);
    this.#runtime.lanes.snapshots.checkTaken();
  }

  #administer(work: AdminWork, options: RequestOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#runtime.requests.administer(work, options, { resolve, reject });
    });
  }

  close({ handsOver = true }: CloseOptions = {}): Promise<void> {
    this.#closing ??= handsOver ? this.#handOverAndClose() : this.#runtime.lifetime.close();
    return this.#closing;
  }

  async #handOverAndClose(): Promise<void> {
    const { lifetime, handOverDeadlineMs } = this.#runtime;
    await handOver({
      node: this,
      isOver: () => lifetime.isOver,
      msLeft: () => this.#runtime.msUntil(handOverDeadlineMs),
    });
    await lifetime.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
