import { BehaviorSubject, interval, ReplaySubject, Subject, type Subscription } from 'rxjs';
import {
  type Configuration,
  type ConfigurationAt,
  configurationOf,
  durableIndex,
  type EntryBatch,
  type Fault,
  type Index,
  type Input,
  index,
  index0,
  initialState,
  membersOf,
  type NodeId,
  type Peer,
  plus,
  RaftError,
  type State,
  term0,
} from '../core/index.ts';
import { StorageError } from '../storage/errors.ts';
import type { Founding, Loaded } from '../storage/storage.ts';
import { judgeHello } from '../transport/founding.ts';
import { type Hello, protocolVersion, type Transport, type TransportEvent } from '../transport/transport.ts';
import { commitsFrom } from './commit-stream.ts';
import { runCore, ticks } from './core-loop.ts';
import { FoundingRun } from './founding-run.ts';
import { LogLane } from './log-lane.ts';
import { MachineLane } from './machine-lane.ts';
import { type Settings, settingsOf } from './options.ts';
import type {
  Commit,
  Committed,
  NodeStatus,
  RaftNode,
  RaftNodeOptions,
  ReadAnswer,
  ReadOptions,
  RequestOptions,
  RoleName,
} from './raft-node.ts';
import { Requests } from './requests.ts';
import { leaderIdOf, roleNameOf, statusOf } from './status.ts';

/** One Raft group a node for now; frames, keys and batches carry its number. */
const group = 0;
const readBytesMax = 1024 * 1024;
const foundingResendMs = 1000;

/**
 * Starts a node. Resolves once its storage is open and its transport listens; requests then wait for a leader.
 *
 * Rejects, with nothing half-done, if the options are wrong (`RAFT_BAD_OPTIONS`, every problem at once), the
 * storage can't be opened (a `StorageError`), or the transport can't listen (a `TransportError`).
 */
export async function raftNode<Command, Result, Query, Answer>(
  options: RaftNodeOptions<Command, Result, Query, Answer>,
): Promise<RaftNode<Command, Result, Query, Answer>> {
  const settings = settingsOf(options);
  const { storage, transport, machine } = options;
  const loaded = await storage.open();
  try {
    const appliedIndex = await machine.open(storage.machineStore);
    refuseForeign(loaded, options.id);
    refuseGap(loaded, appliedIndex);
    const node = new NodeRuntime(options, { settings, loaded, appliedIndex });
    await transport?.open({ hello: () => node.hello(), admit: (hello) => node.admit(hello) });
    node.begin();
    return node;
  } catch (error) {
    await transport?.close();
    await storage.close();
    throw error;
  }
}

/** A store of another node must not speak under this name (rule 9). */
function refuseForeign({ storeId, founding, configurations }: Loaded, id: NodeId): void {
  const latest = configurations.at(-1)?.configuration ?? founding?.configuration;
  const owner = latest && membersOf(latest).find((member) => member.storeId === storeId);
  if (owner === undefined || owner.id === id) return;
  throw new StorageError(
    'RAFT_STORE_OTHER_NODE',
    `This store belongs to node ${owner.id}, and the node was started as ${id}. Nothing was changed. ` +
      `Start it as ${owner.id}, or give ${id} the folder that is its own.`,
  );
}

/** Rule 13: data beyond the log were written by a disk that lost part of the log. */
function refuseGap({ log }: Loaded, appliedIndex: Index): void {
  if (appliedIndex <= log.lastIndex) return;
  throw new StorageError(
    'RAFT_STORE_DAMAGED',
    `The state machine has applied ${appliedIndex}, but the log ends at ${log.lastIndex}: part of it is lost. ` +
      'Nothing was changed. Take the node out of the cluster and let it join again with a new store.',
  );
}

/** A node: core, lanes, requests and network, put together. */
class NodeRuntime<Command, Result, Query, Answer> implements RaftNode<Command, Result, Query, Answer> {
  readonly id: NodeId;
  readonly state$ = new ReplaySubject<State>(1);
  readonly role$ = new BehaviorSubject<RoleName>('follower');
  readonly leader$ = new BehaviorSubject<NodeId | null>(null);
  readonly members$ = new ReplaySubject<Configuration>(1);
  readonly commits$ = new Subject<Commit<Command>>();
  readonly closed: Promise<void>;

  readonly #options: RaftNodeOptions<Command, Result, Query, Answer>;
  readonly #settings: Settings;
  readonly #loaded: Loaded;
  readonly #appliedAtStart: Index;
  readonly #self: Peer;
  readonly #transport: Transport | undefined;
  readonly #startedAtMs: number;
  readonly #input$ = new Subject<Input>();
  readonly #applied$ = new Subject<void>();
  readonly #log: LogLane;
  readonly #machine: MachineLane<Command, Result>;
  readonly #requests: Requests<Command, Result, Query, Answer>;
  readonly #subscriptions: Subscription[] = [];
  #founding: Founding | null;
  #state: State | null = null;
  #lastId = 0;
  #closing: Promise<void> | null = null;
  readonly #settleClosed: { resolve: () => void; reject: (error: unknown) => void };

  constructor(
    options: RaftNodeOptions<Command, Result, Query, Answer>,
    start: { readonly settings: Settings; readonly loaded: Loaded; readonly appliedIndex: Index },
  ) {
    this.#options = options;
    this.#settings = start.settings;
    this.#loaded = start.loaded;
    this.#appliedAtStart = start.appliedIndex;
    this.#founding = start.loaded.founding;
    this.id = options.id;
    this.#self = { id: options.id, storeId: start.loaded.storeId };
    this.#transport = options.transport;
    this.#startedAtMs = this.#settings.clock();
    let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
    this.closed = new Promise((resolve, reject) => {
      settle = { resolve, reject };
    });
    this.#settleClosed = settle as unknown as { resolve: () => void; reject: (error: unknown) => void };
    this.closed.catch(() => {}); // Whoever cares asks; a stop is not an unhandled rejection.
    this.#log = this.#logLane();
    this.#machine = this.#machineLane();
    this.#requests = this.#requestQueues();
  }

  #logLane(): LogLane {
    return new LogLane(this.#options.storage, {
      timeScheduler: this.#settings.timeScheduler,
      input: (input) => this.#input$.next(input),
      onError: (error) => this.#fail('The disk failed', error),
    });
  }

  #machineLane(): MachineLane<Command, Result> {
    return new MachineLane({
      machine: this.#options.machine,
      store: this.#options.storage.machineStore,
      appliedIndex: this.#appliedAtStart,
      turnScheduler: this.#settings.turnScheduler,
      batchAt: (at) => this.#log.batchAt(at),
      readLog: (from) => this.#readLog(from),
      durableIndex: () => (this.#state === null ? index0 : durableIndex(this.#state)),
      input: (input) => this.#input$.next(input),
      onApplied: (batch, commands, results) => this.#onApplied(batch, commands, results),
      onConfirmed: (request) => this.#requests.onConfirmed(request),
      onError: (error) => this.#fail('The state machine failed', error),
    });
  }

  async #readLog(from: Index): Promise<readonly EntryBatch[]> {
    const batches = await this.#log.read({ from, maxBytes: readBytesMax });
    return batches === 'compacted' ? [] : batches;
  }

  #requestQueues(): Requests<Command, Result, Query, Answer> {
    return new Requests({
      settings: this.#settings,
      machine: this.#options.machine,
      group,
      bootCounter: this.#loaded.bootCounter,
      appliedIndex: () => this.#machine.appliedIndex,
      reply: (to, frame) => void this.#transport?.send(to, frame),
      routes: {
        target: () => this.#target(),
        input: (input) => this.#input$.next(input),
        forward: (to, frame) => this.#forward(to, { ...frame, group }),
        now: () => this.#settings.clock(),
        nextId: () => {
          this.#lastId += 1;
          return this.#lastId;
        },
      },
    });
  }

  #target(): 'self' | NodeId | null {
    if (this.#state === null) return null;
    return this.#state.role.type === 'leader' ? 'self' : leaderIdOf(this.#state);
  }

  #forward(to: NodeId, frame: Parameters<Transport['send']>[1]): boolean {
    const member = this.#state && membersOf(configurationOf(this.#state)).find(({ id }) => id === to);
    return member ? (this.#transport?.send(member, frame) ?? false) : false;
  }

  /** How this node introduces itself. */
  hello(): Hello {
    return {
      protocolVersion,
      clusterId: this.#founding?.clusterId ?? null,
      id: this.id,
      storeId: this.#self.storeId,
      bootCounter: this.#loaded.bootCounter,
      members: this.#settings.members,
    };
  }

  /** Judges how a peer introduces itself. */
  admit(hello: Hello): ReturnType<typeof judgeHello> {
    const members =
      this.#state === null
        ? (this.#founding?.configuration.voters ?? [])
        : membersOf(configurationOf(this.#state));
    return judgeHello({ hello: this.hello(), members }, hello);
  }

  /** Begins to work: founds the cluster or goes on with it. The transport listens already. */
  begin(): void {
    const event$ = this.#transport?.event$ ?? new Subject<TransportEvent>();
    this.#subscriptions.push(
      event$.subscribe((event) => this.#onEvent(event)),
      ticks(this.#settings, this.#startedAtMs).subscribe((tick) => this.#onTick(tick)),
    );
    const founding = new FoundingRun({
      self: this.#self,
      declared: this.#settings.members,
      founding: this.#founding,
      storage: this.#options.storage,
      send: (to, frame) => void this.#transport?.send(to, frame),
      hangUp: (id, reason) => this.#transport?.hangUp(id, reason),
      onError: (error) => this.#fail('The disk failed', error),
    });
    if (this.#founding !== null) this.#startCore(this.#founding, this.#loaded.configurations);
    else this.#transport?.setPeers(this.#others(this.#settings.members));
    founding.founded$.subscribe((founded) =>
      this.#startCore(founded, [{ index: index0, configuration: founded.configuration }]),
    );
    this.#subscriptions.push(founding.run(event$, interval(foundingResendMs, this.#settings.timeScheduler)));
  }

  #others<M extends { readonly id: NodeId }>(members: readonly M[]): readonly M[] {
    return members.filter((member) => member.id !== this.id);
  }

  #startCore(founding: Founding, configurations: readonly ConfigurationAt[]): void {
    this.#founding = founding;
    const initial = initialState({
      self: this.#self,
      group,
      config: this.#settings.config,
      seed: this.#settings.seed,
      hardState: this.#loaded.hardState,
      log: this.#loaded.log,
      configurations,
      appliedIndex: this.#appliedAtStart,
    });
    this.#settings.logger.info(
      { id: this.id, clusterId: founding.clusterId, members: configurationOf(initial) },
      'the stored membership is in effect',
    );
    this.#log.persisted$.subscribe({
      next: ({ seq, durableAppliedIndex }) => {
        if (seq > 0) this.#input$.next({ type: 'persistRes', seq });
        this.#machine.onFlushed(durableAppliedIndex);
      },
      error: (error: unknown) => this.#fail('The disk failed', error),
    });
    this.#onStep(initial, null);
    runCore({
      initial,
      input$: this.#input$,
      log: this.#log,
      sinks: {
        send: ({ to, message }) => void this.#transport?.send(to, { type: 'raft', group, message }),
        machine: (request) => this.#machine.add(request),
        onWriteRes: (output) => this.#requests.onWriteRes(output),
        onReadRes: (output) => this.#requests.onReadRes(output),
        onFault: (fault, input) => this.#onFault(fault, input),
        onStep: (state, previous) => this.#onStep(state, previous),
      },
    });
  }

  #onTick(tick: Input): void {
    this.#requests.expire();
    this.#requests.flush();
    this.#input$.next(tick);
  }

  #onEvent(event: TransportEvent): void {
    this.#requests.onEvent(event);
    switch (event.type) {
      case 'frame':
        if (event.frame.type === 'raft' && event.frame.group === group) {
          this.#input$.next({ type: 'message', from: event.from, message: event.frame.message });
        }
        return;
      case 'up':
        return this.#input$.next({ type: 'peerUp', id: event.hello.id });
      case 'down':
        return this.#input$.next({ type: 'peerDown', id: event.id });
      case 'outgoingDown':
        return;
      case 'refused':
        return this.#settings.logger.warn(
          { peer: event.id, ...event.refusal },
          `a connection was refused by ${event.by}: ${event.refusal.reason}`,
        );
      case 'protocolError':
        return this.#settings.logger.warn({ peer: event.id }, `a peer broke the protocol: ${event.detail}`);
    }
  }

  #onFault(fault: Fault, input: Input): void {
    if (fault.scope === 'self')
      return this.#fail(`The core found what can't be: ${fault.kind}`, fault.detail);
    this.#settings.logger.error({ ...fault }, `refused what can't be: ${fault.kind}`);
    if (input.type === 'message') this.#transport?.hangUp(input.from.id, fault.kind);
  }

  #onStep(state: State, previous: State | null): void {
    this.#state = state;
    this.state$.next(state);
    if (state.configurations !== previous?.configurations) this.#onMembers(configurationOf(state));
    if (state.role.type === previous?.role.type && leaderIdOf(state) === leaderIdOf(previous)) return;
    const role = roleNameOf(state);
    const leaderId = leaderIdOf(state);
    if (role !== this.role$.value) {
      this.#settings.logger.info({ id: this.id, term: state.currentTerm, role, leaderId }, `now ${role}`);
      this.role$.next(role);
    }
    if (leaderId !== this.leader$.value) this.leader$.next(leaderId);
    if (leaderId !== null) this.#requests.flushSoon();
  }

  #onMembers(configuration: Configuration): void {
    this.members$.next(configuration);
    this.#transport?.setPeers(this.#others(membersOf(configuration)));
  }

  #onApplied(batch: EntryBatch, commands: readonly Command[], results: readonly Result[]): void {
    const isAwaited = this.#state?.writes.some((write) => write.index === batch.index) === true;
    if (isAwaited) this.#requests.keepResults(batch.index, results);
    if (this.#options.machine.keeps === 'store') this.#log.noteMachineChange();
    if (this.commits$.observed) {
      const { term, logTimeMs } = batch;
      commands.forEach((command, offset) => {
        this.commits$.next({ index: plus(batch.index, offset), term, logTimeMs, command });
      });
    }
    this.#applied$.next();
    this.#requests.onApplied();
  }

  async write(command: Command, options: RequestOptions = {}): Promise<Committed<Result>> {
    const { index: at, term, results } = await this.#requests.write([command], options);
    return { index: at, term, result: results[0] as Result };
  }

  async writeAll(
    commands: readonly Command[],
    options: RequestOptions = {},
  ): Promise<readonly Committed<Result>[]> {
    if (commands.length === 0) return [];
    const { index: first, term, results } = await this.#requests.write(commands, options);
    return results.map((result, offset) => ({ index: plus(first, offset), term, result }));
  }

  read(query: Query, options: ReadOptions = {}): Promise<ReadAnswer<Answer>> {
    return this.#requests.read(query, options);
  }

  commits(
    options: { readonly from?: number; readonly signal?: AbortSignal } = {},
  ): AsyncIterable<readonly Commit<Command>[]> {
    const from = index(options.from ?? this.#machine.appliedIndex + 1);
    return commitsFrom(
      {
        command: this.#options.machine.command,
        appliedIndex: () => this.#machine.appliedIndex,
        applied$: this.#applied$,
        readLog: (at) => this.#log.read({ from: at, maxBytes: readBytesMax }),
      },
      { from, signal: options.signal },
    );
  }

  status(): NodeStatus {
    const links = this.#transport?.links() ?? [];
    if (this.#state !== null) return statusOf(this.#state, this.#founding?.clusterId ?? null, links);
    return {
      id: this.id,
      clusterId: null,
      storeId: this.#self.storeId,
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
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#shutDown('RAFT_CLOSED', 'The node closed.').then(
      () => this.#settleClosed.resolve(),
      (error: unknown) => {
        this.#settleClosed.reject(error);
        throw error;
      },
    );
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** The node can't go on. Nothing acknowledged is lost; what is outstanding is answered `unknown`. */
  #fail(what: string, cause: unknown): void {
    if (this.#closing !== null) return;
    const detail = cause instanceof Error ? cause.message : JSON.stringify(cause);
    const message = `${what}, and the node has stopped: ${detail}. Nothing acknowledged is lost; mend the cause and start it again.`;
    const error = new RaftError('RAFT_STOPPED', message, { outcome: 'unknown', cause });
    this.#settings.logger.error({ id: this.id, cause }, message);
    this.#closing = this.#shutDown('RAFT_STOPPED', message).catch(() => {});
    this.#closing.then(() => this.#settleClosed.reject(error));
  }

  async #shutDown(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#requests.close(code, what);
    this.#machine.close();
    this.#input$.complete();
    await this.#log.complete();
    await this.#transport?.close();
    await this.#options.storage.close();
    for (const subject of [
      this.state$,
      this.role$,
      this.leader$,
      this.members$,
      this.commits$,
      this.#applied$,
    ]) {
      subject.complete();
    }
  }
}
