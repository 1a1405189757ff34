import { interval, Subject, Subscription, skip } from 'rxjs';
import {
  type ConfigurationAt,
  configurationOf,
  type EntryBatch,
  type Fault,
  type Index,
  type Input,
  index0,
  initialState,
  type MemberChange,
  type Message,
  membersOf,
  type NodeId,
  type Peer,
  type State,
} from '../core/index.ts';
import type { Founding, Loaded } from '../storage/storage.ts';
import type { HandshakeRefusal, RaftFrame, TransportEvent } from '../transport/transport.ts';
import type { CallLimits } from './call.ts';
import { ConfigurationsInEffect } from './configurations-in-effect.ts';
import { runCore, ticks } from './core-loop.ts';
import { badRequest, noLeader, requestError } from './errors.ts';
import type { FoundLog } from './found-log.ts';
import { FoundingRun } from './founding-run.ts';
import { Lanes } from './lanes.ts';
import { type Ending, type Failure, Lifetime, within } from './lifetime.ts';
import { resolveChanges } from './new-member.ts';
import { NodeNetwork } from './node-network.ts';
import { NodeStreams } from './node-streams.ts';
import type { Settings } from './options.ts';
import { PeerWarnings } from './peer-warnings.ts';
import type { MembershipChange, RaftNodeOptions } from './raft-node.ts';
import { Requests } from './requests.ts';
import { leaderIdOf } from './status.ts';
import { StepLog } from './step-log.ts';

/** One Raft group a node for now; frames, keys and batches carry its number. */
const group = 0;
const foundingResendMs = 1000;

/** Why a node is in no cluster that nobody has refused. */
const outsideForNow =
  'every founding member must be up, or a cluster take it in; its log says what is missing';

/** What a node starts from. */
export interface NodeStart {
  readonly settings: Settings;
  readonly loaded: Loaded;
  /** What the state machine has applied, durably. */
  readonly appliedIndex: Index;
  /** The log's clock there. */
  readonly logTimeMs: number;
  readonly found: FoundLog;
}

/** The machinery of a node: core, lanes, requests and network, put together. */
export class NodeRuntime<Command, Result, Query, Value> {
  readonly streams = new NodeStreams<Command>();
  readonly lifetime = new Lifetime((ending) => this.#shutDown(ending));
  readonly network: NodeNetwork;
  readonly lanes: Lanes<Command, Result>;
  readonly requests: Requests<Command, Result, Query, Value>;
  readonly self: Peer;
  readonly stepLog: StepLog;
  readonly #options: RaftNodeOptions<Command, Result, Query, Value>;
  readonly #start: NodeStart;
  readonly #startedAtMs: number;
  readonly #input$ = new Subject<Input>();
  readonly #foundingRun: FoundingRun;
  readonly #subscription = new Subscription();
  readonly #warnings: PeerWarnings;
  readonly #inEffect = new ConfigurationsInEffect();
  #founding: Founding | null;
  #lastId = 0;
  /** When a leader last spoke to this node. */
  #heardAtMs: number | null = null;

  constructor(options: RaftNodeOptions<Command, Result, Query, Value>, start: NodeStart) {
    this.#options = options;
    this.#start = start;
    this.#founding = start.loaded.founding;
    this.self = { id: options.id, storeId: start.loaded.storeId };
    this.stepLog = new StepLog({
      keptMax: start.settings.recordLast,
      onStep: options.onStep,
      logger: start.settings.logger,
    });
    this.#startedAtMs = start.settings.clock();
    this.#warnings = new PeerWarnings(start.settings);
    this.network = new NodeNetwork({
      transport: options.transport,
      settings: start.settings,
      self: this.self,
      bootCounter: start.loaded.bootCounter,
      founding: () => this.#founding,
      state: () => this.streams.state,
    });
    this.lanes = this.#newLanes();
    this.requests = this.#requestQueues();
    this.#foundingRun = this.#newFoundingRun();
  }

  #newLanes(): Lanes<Command, Result> {
    const { machine, storage } = this.#options;
    return new Lanes({
      settings: this.#start.settings,
      storage,
      machine,
      appliedIndex: this.#start.appliedIndex,
      logTimeMs: this.#start.logTimeMs,
      bytesSinceSnapshot: this.#start.found.bytesSinceSnapshot,
      group,
      send: (to, frame) => this.network.send(to, frame),
      nextId: () => this.#nextId(),
      state: () => this.streams.state,
      input: (input) => this.#input$.next(input),
      onApplied: (batch, commands, results) => this.#onApplied(batch, commands, results),
      onConfirmed: (request) => this.requests.onConfirmed(request),
      onInstalled: () => this.#onInstalled(),
      onFlushed: () => this.requests.onFlushed(),
      onFailure: (failure) => this.#fail(failure),
    });
  }

  #requestQueues(): Requests<Command, Result, Query, Value> {
    return new Requests({
      settings: this.#start.settings,
      machine: this.#options.machine,
      group,
      bootCounter: this.#start.loaded.bootCounter,
      appliedIndex: () => this.lanes.appliedIndex,
      isInstalling: () => this.lanes.isInstalling,
      reply: (to, frame) => this.network.send(to, frame),
      frameBytesMax: this.#options.transport?.frameBytesMax ?? Number.POSITIVE_INFINITY,
      routes: {
        target: () => this.#target(),
        whyOutside: () => this.whyOutside,
        isDiskBusy: () => isFlushing(this.streams.state),
        input: (input) => this.#input$.next(input),
        forward: (to, frame) => this.network.sendTo(to, { ...frame, group }),
        now: () => this.#start.settings.clock(),
        nextId: () => this.#nextId(),
      },
    });
  }

  #nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  #newFoundingRun(): FoundingRun {
    return new FoundingRun({
      self: this.self,
      declared: this.#start.settings.members,
      founding: this.#founding,
      storage: this.#options.storage,
      send: (to, frame) => void this.network.send(to, frame),
      hangUp: (id, refusal) => this.#refuseFounding(id, refusal),
      onError: (cause) => this.lanes.onDiskError(cause),
    });
  }

  /** A peer offers a founding that is not this store's to take. */
  #refuseFounding(id: NodeId, refusal: HandshakeRefusal): void {
    this.#warnings.onHungUp(id, refusal.reason);
    this.network.refuseFounding(id, refusal);
  }

  /** `null` before the cluster is founded. */
  get clusterId(): string | null {
    return this.#founding?.clusterId ?? null;
  }

  /** Why this node is in no cluster yet, in words; `null` if it is in one. */
  get whyOutside(): string | null {
    if (this.#founding !== null) return null;
    const { exclusion } = this.network;
    if (exclusion === null) return outsideForNow;
    const { by, id, reason } = exclusion;
    return by === 'peer' ? `${id} refuses it, since ${reason}` : `it refuses ${id}: ${reason}`;
  }

  #target(): 'self' | NodeId | null {
    const { state } = this.streams;
    if (state === null) return null;
    return state.role.type === 'leader' ? 'self' : leaderIdOf(state);
  }

  /** Follows what the transport sees: before it opens, so that nothing is missed. */
  follow(): void {
    const onError = (cause: unknown) => this.#fail({ what: 'The network failed', cause });
    this.#subscription.add(
      this.network.event$.subscribe({ next: (event) => this.#onEvent(event), error: onError }),
    );
  }

  /** Begins to work: founds the cluster or goes on with it. The transport listens already. */
  begin(): void {
    const { settings, loaded } = this.#start;
    const { logger } = settings;
    const { role$, leader$, members$ } = this.streams;
    const all = new Subscription();
    this.#subscription.add(all);
    all.add(members$.subscribe((configuration) => this.#foundingRun.changeMembers(membersOf(configuration))));
    all.add(
      role$
        .pipe(skip(1))
        .subscribe((role) => logger.info({ id: this.self.id, role }, `this node is now ${role}`)),
    );
    all.add(leader$.subscribe((leaderId) => leaderId !== null && this.requests.flushSoon()));
    all.add(ticks(settings, this.#startedAtMs).subscribe((tick) => this.#onTick(tick)));
    if (this.#founding !== null) this.#startCore(this.#founding, loaded.configurations);
    else this.network.dial(settings.members);
    all.add(
      this.#foundingRun.founded$.subscribe((founding) =>
        this.#startCore(founding, [{ index: index0, configuration: founding.configuration }]),
      ),
    );
    all.add(this.#foundingRun.begin(interval(foundingResendMs, settings.timeScheduler)));
  }

  #startCore(founding: Founding, configurations: readonly ConfigurationAt[]): void {
    const { settings, loaded, appliedIndex, found } = this.#start;
    const { config, seed, logger } = settings;
    const { hardState, log } = loaded;
    const { clusterId } = founding;
    this.#founding = founding;
    const initial = initialState({
      self: this.self,
      group,
      config,
      seed,
      hardState,
      log,
      configurations,
      appliedIndex,
      snapshotIndex: found.snapshotIndex,
    });
    const members = configurationOf(initial);
    logger.info({ id: this.self.id, clusterId, members }, 'the stored membership is in effect');
    this.lanes.begin();
    this.#onStep(initial);
    runCore({
      initial,
      input$: this.#input$,
      log: this.lanes.log,
      sinks: {
        message: ({ to, message }) => this.#sendMessage(to, message),
        machine: (request) => this.lanes.add(request),
        onWriteRes: (output) => this.requests.onWriteRes(output),
        onReadRes: (output) => this.requests.onReadRes(output),
        onFault: (fault, input) => this.#onFault(fault, input),
        onAdminRes: (output) => this.requests.onAdminRes(output),
        sendSnapshot: (request) => this.lanes.snapshots.send(request),
        onStepped: (stepped) => this.stepLog.add(stepped),
        onStep: (state) => this.#onStep(state),
        onError: (cause) => this.#fail({ what: 'The runtime failed', cause }),
      },
    });
  }

  #sendMessage(to: Peer, message: Message): void {
    const isSent = this.network.send(to, { type: 'raft', group, message });
    if (!isSent && isConsent(message)) this.network.favor(to);
  }

  #onStep(state: State): void {
    const previous = this.streams.state;
    this.streams.onState(state);
    const inEffect = this.#inEffect.onState(state);
    if (inEffect !== null) this.network.dialMembers(inEffect);
    if (previous?.role.type === 'leader' && state.role.type !== 'leader') this.lanes.snapshots.stopSending();
  }

  /** Throws if no snapshot can be taken now. */
  checkSnapshot(): void {
    if (this.streams.state === null) throw noLeader(this.whyOutside);
    if (!this.lanes.canSnapshot)
      throw badRequest('this state machine gives no snapshots: it has no snapshot()');
    if (this.lanes.snapshots.isBusy)
      throw requestError('RAFT_BUSY', 'notCommitted', 'A snapshot is under way.');
  }

  /** An operator's changes, with the stores of new members filled in. */
  resolveChanges(changes: readonly MembershipChange[], limits: CallLimits): Promise<readonly MemberChange[]> {
    return resolveChanges(changes, {
      network: this.network,
      settings: this.#start.settings,
      msLeft: () => this.msUntil(limits.deadlineMs),
      signal: limits.signal,
      closed: this.lifetime.closed,
      catchUp: () => this.requests.catchUp(limits),
    });
  }

  /** Milliseconds until then on this node's clock; at least 1. */
  msUntil(deadlineMs: number): number {
    return Math.max(1, deadlineMs - this.#start.settings.clock());
  }

  /** Milliseconds since this node heard from a leader; 0 on the leader. */
  get ageMs(): number | null {
    if (this.streams.state?.role.type === 'leader') return 0;
    return this.#heardAtMs === null ? null : Math.round(this.#start.settings.clock() - this.#heardAtMs);
  }

  /** Until when a leader that closes now tries to hand over. */
  get handOverDeadlineMs(): number {
    const { clock, config } = this.#start.settings;
    return clock() + config.electionTimeoutMsMin;
  }

  #onTick(tick: Input): void {
    this.requests.onTick();
    this.lanes.snapshots.onTick();
    this.network.onTick();
    if (this.streams.state !== null) this.lanes.compactIfDue(this.streams.state);
    this.#input$.next(tick);
  }

  #onEvent(event: TransportEvent): void {
    if (event.type === 'frame' && event.frame.type === 'raft') return this.#onRaft(event.from, event.frame);
    this.requests.onEvent(event);
    this.lanes.snapshots.onEvent(event);
    this.#onLink(event);
    this.#foundingRun.onEvent(event);
  }

  #onRaft(from: Peer, frame: RaftFrame): void {
    if (frame.group !== group) return;
    this.#input$.next({ type: 'message', from, message: frame.message });
    if (this.streams.leaderId === from.id) this.#heardAtMs = this.#start.settings.clock();
  }

  #onLink(event: TransportEvent): void {
    switch (event.type) {
      case 'up':
        this.#warnings.onUp(event.hello.id);
        this.network.onUp(event.hello, event.direction);
        return this.#input$.next({ type: 'peerUp', id: event.hello.id });
      case 'down':
        this.network.onDown(event.id);
        return this.#input$.next({ type: 'peerDown', id: event.id });
      case 'refused':
        this.network.onRefused(event);
        return this.#warnings.onRefused(event);
      case 'protocolError':
        return this.#warnings.onProtocolError(event);
      case 'frame':
      case 'outgoingDown':
        return;
    }
  }

  #onFault(fault: Fault, input: Input): void {
    const { scope, kind, detail } = fault;
    if (scope === 'self') return this.#fail({ what: `The core found what can't be, ${kind}`, cause: detail });
    this.#start.settings.logger.error({ ...fault }, `refused what can't be: ${kind}`);
    if (input.type === 'message') this.network.hangUp(input.from.id, kind);
  }

  #onApplied(batch: EntryBatch, commands: readonly Command[], results: readonly Result[]): void {
    const isAwaited = this.streams.state?.writes.some((write) => write.index === batch.index) === true;
    if (isAwaited) this.requests.keepResults(batch.index, results);
    this.streams.onApplied(batch, commands);
    this.requests.onApplied();
  }

  /** Reads may be served now, and commit streams learn that they are behind the log's start. */
  #onInstalled(): void {
    this.streams.applied$.next();
    this.requests.onApplied();
  }

  #fail(failure: Failure): void {
    const error = this.lifetime.fail(failure);
    if (error === null) return;
    this.#start.settings.logger.error({ id: this.self.id, cause: failure.cause }, error.message);
  }

  /** Everything that can be done at once is done before the first promise. */
  async #shutDown(ending: Ending): Promise<void> {
    const { closeTimeoutMs: timeoutMs, timeScheduler: scheduler } = this.#start.settings;
    this.#subscription.unsubscribe();
    this.requests.close(ending.code, ending.what);
    this.#input$.complete();
    try {
      const work = [this.lanes.letGo(ending), this.network.close()];
      await within(work, { timeoutMs, scheduler });
    } finally {
      this.lanes.log.abandon();
      this.streams.complete();
    }
  }
}

/** The disk is at work for the log: what is asked of it now waits for the next transaction. */
function isFlushing(state: State | null): boolean {
  return state !== null && state.durableSeq < state.persistSeq;
}

/** Whether its receiver is somebody whom this node would follow. */
function isConsent(message: Message): boolean {
  switch (message.type) {
    case 'preVoteReply':
    case 'requestVoteReply':
      return message.voteGranted;
    case 'appendEntriesReply':
      return message.success || message.rejectedIndex > 0;
    default:
      return false;
  }
}
