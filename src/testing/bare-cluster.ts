import {
  type AdminResult,
  type Config,
  crc32,
  defaultConfig,
  encodePayload,
  type Fault,
  type Index,
  type Input,
  index0,
  type Member,
  type MemberChange,
  type Message,
  type NodeId,
  type Output,
  type Peer,
  type ReadResult,
  type RequestId,
  type State,
  votersOnly,
  type WriteResult,
} from '../core/index.ts';
import type { Stepped } from '../streams/step-with.ts';
import { BareNode } from './bare-node.ts';
import { type Disk, emptyDisk } from './disk.ts';

/** What a {@link BareCluster} is made of. */
export interface BareClusterOptions {
  /** The founding members. */
  readonly nodes: readonly NodeId[];
  /** Nodes that are to join: they hold the founding configuration, which does not list them, and nothing else. */
  readonly joiners?: readonly NodeId[];
  readonly config?: Partial<Config>;
  /** Seeds the election timeouts. Default 0. */
  readonly seed?: number;
  /** What disks hold at the start; empty where nothing is said. */
  readonly disks?: Readonly<Record<NodeId, Disk>>;
  /** Whether state machines survive a crash. Default: they begin at index 0 again. */
  readonly isMachineDurable?: boolean;
  /** Told of every step, after it. */
  readonly onStep?: (taken: BareStep) => void;
}

/** One step of one node. */
export interface BareStep extends Stepped {
  readonly node: BareNode;
}

/** A message on its way. */
export interface Envelope {
  readonly from: Peer;
  readonly to: Peer;
  readonly message: Message;
}

/** What became of a request. */
export type Answer = WriteResult | ReadResult | AdminResult;

const encoder = new TextEncoder();

/**
 * A cluster of bare cores, without clock, network or disk of its own. Whoever drives it says what happens
 * next: which message arrives, which disk gets on, whose clock ticks. So a test reads like a script, and a
 * simulation can try every order.
 */
export class BareCluster {
  readonly nodes: ReadonlyMap<NodeId, BareNode>;
  /** Nodes whose disks were wiped, as they were. */
  readonly wiped: BareNode[] = [];
  readonly #nodes: Map<NodeId, BareNode>;
  /** Messages on their way, in the order they were sent. */
  readonly inFlight: Envelope[] = [];
  /** Every answer to every request: more than one is a bug. */
  readonly answers = new Map<RequestId, Answer[]>();
  readonly faults: Fault[] = [];
  readonly #config: Config;
  readonly #onStep: ((taken: BareStep) => void) | undefined;
  readonly #cuts = new Set<string>();
  readonly #options: BareClusterOptions;
  #lastRequestId = 0;

  constructor(options: BareClusterOptions) {
    this.#options = options;
    this.#config = { ...defaultConfig, ...options.config };
    this.#onStep = options.onStep;
    const { nodes, joiners = [] } = options;
    this.#nodes = new Map([...nodes, ...joiners].map((id) => [id, this.#newNode({ id, storeId: id })]));
    this.nodes = this.#nodes;
  }

  #newNode(self: Peer): BareNode {
    const { nodes, disks = {}, seed = 0, isMachineDurable = false } = this.#options;
    const members = nodes.map((id) => memberOf(id));
    const configurations = [{ index: index0, configuration: votersOnly(members) }];
    const disk = self.storeId === self.id ? (disks[self.id] ?? emptyDisk) : emptyDisk;
    return new BareNode({ self, config: this.#config, configurations, seed, disk, isMachineDurable });
  }

  /** A node by name. Throws if there is none. */
  node(id: NodeId): BareNode {
    const node = this.nodes.get(id);
    if (node === undefined) throw new RangeError(`no node ${id}, expected one of ${[...this.nodes.keys()]}`);
    return node;
  }

  /** A node's core, as it is now. Throws if there is no such node. */
  state(id: NodeId): State {
    return this.node(id).state;
  }

  /** Hands an input to a node; its messages are on their way now. Nothing happens to a node that is down. */
  input(id: NodeId, input: Input): readonly Output[] {
    const node = this.node(id);
    if (!node.isUp) return [];
    const before = node.state;
    const outputs = node.step(input);
    for (const output of outputs) this.#take(node, output);
    this.#onStep?.({ node, before, input, outputs, state: node.state });
    return outputs;
  }

  /** A node's clock advances, in ticks of the configured interval. */
  tick(id: NodeId, ms = this.#config.tickIntervalMs): readonly Output[] {
    const { tickIntervalMs } = this.#config;
    const outputs: Output[] = [];
    for (let left = ms; left > 0; left -= tickIntervalMs) {
      const now = this.state(id).now + Math.min(left, tickIntervalMs);
      outputs.push(...this.input(id, { type: 'tick', now }));
    }
    return outputs;
  }

  /** A node's clock advances, and everything settles after each tick. */
  wait(id: NodeId, ms: number): void {
    const { tickIntervalMs } = this.#config;
    for (let passed = 0; passed < ms; passed += tickIntervalMs) {
      this.tick(id);
      this.settle();
    }
  }

  /** A node's clock advances until it stands for election, or leads no longer: at most for a minute. */
  timeOut(id: NodeId): readonly Output[] {
    const { role } = this.state(id);
    const outputs: Output[] = [];
    for (let ticks = 0; ticks < 60_000 / this.#config.tickIntervalMs; ticks++) {
      outputs.push(...this.tick(id));
      if (this.state(id).role.type !== role.type || this.state(id).electionElapsedMs === 0) break;
    }
    return outputs;
  }

  /** The oldest message on its way from one node to another. */
  oldest(from: NodeId, to: NodeId): Envelope | undefined {
    return this.inFlight.find((envelope) => envelope.from.id === from && envelope.to.id === to);
  }

  /** A message arrives. Lost if its receiver is down, or has another store by now. */
  deliver(envelope: Envelope): readonly Output[] {
    this.drop(envelope);
    if (this.nodes.get(envelope.to.id)?.self.storeId !== envelope.to.storeId) return [];
    return this.input(envelope.to.id, { type: 'message', from: envelope.from, message: envelope.message });
  }

  /** A message arrives at whoever has the name of its receiver now, on whatever store. */
  misdeliver(envelope: Envelope): readonly Output[] {
    this.drop(envelope);
    return this.input(envelope.to.id, { type: 'message', from: envelope.from, message: envelope.message });
  }

  /** A message is lost. */
  drop(envelope: Envelope): void {
    const at = this.inFlight.indexOf(envelope);
    if (at >= 0) this.inFlight.splice(at, 1);
  }

  /** A message will arrive once more. */
  duplicate(envelope: Envelope): void {
    this.inFlight.push({ ...envelope });
  }

  /** From now on, what one node sends to another is lost: one direction only. */
  cut(from: NodeId, to: NodeId): void {
    this.#cuts.add(`${from}>${to}`);
  }

  /** Undoes every cut. */
  heal(): void {
    this.#cuts.clear();
  }

  /** A node's disk completes its oldest `count` requests, by default all. */
  flush(id: NodeId, count?: number): readonly Output[] {
    return this.node(id)
      .sync(count)
      .flatMap((completion) => this.input(id, completion));
  }

  /** A node's disk completes its oldest `count` requests, and the core hears of it only by {@link BareCluster.hear}. */
  sync(id: NodeId, count?: number): void {
    this.node(id).syncUnheard(count);
  }

  /** A node's core hears of the oldest completion that it was not told of. */
  hear(id: NodeId): readonly Output[] {
    const completion = this.node(id).hear();
    return completion === undefined ? [] : this.input(id, completion);
  }

  /** A node's log answers its oldest `readLogReq`. */
  readLog(id: NodeId): readonly Output[] {
    const completion = this.node(id).readLog();
    return completion === undefined ? [] : this.input(id, completion);
  }

  /** A node's state machine carries out all that waits in its lane. */
  apply(id: NodeId): readonly Output[] {
    const node = this.node(id);
    const outputs: Output[] = [];
    while (node.canRunMachine) {
      const completion = node.runMachine();
      if (completion !== undefined) outputs.push(...this.input(id, completion));
    }
    return outputs;
  }

  /** A node's oldest snapshot is durable. */
  keepView(id: NodeId): readonly Output[] {
    const completion = this.node(id).keepView();
    return completion === undefined ? [] : this.input(id, completion);
  }

  /** The oldest snapshot that a node sends has gone: all its chunks arrive, unless its receiver is away. */
  ship(id: NodeId, isLost = false): readonly Output[] {
    const node = this.node(id);
    const shipment = node.shipments[0];
    if (shipment === undefined) return [];
    const receiver = this.nodes.get(shipment.to.id);
    const isThere = receiver?.isUp === true && receiver.self.storeId === shipment.to.storeId;
    const isSent = isThere && !isLost && !this.#cuts.has(`${id}>${shipment.to.id}`);
    if (isSent) receiver.stage(shipment);
    return this.input(id, node.ship(isSent) as Input);
  }

  /** A node dies; of its unflushed disk requests the oldest `keep` survive. */
  crash(id: NodeId, keep = 0): void {
    this.node(id).crash(keep);
  }

  /** A node starts again, from its disk. */
  restart(id: NodeId): void {
    this.node(id).restart();
  }

  /**
   * A client writes at a node. The answer will be in {@link BareCluster.answers} under the id, which `begin`
   * is told before anything happens.
   */
  write(at: NodeId, commands: readonly string[], begin?: (id: RequestId) => void): RequestId {
    const payload = encodePayload(commands.map((command) => encoder.encode(command)));
    const write = { payload, payloadChecksum: crc32(payload), count: commands.length };
    return this.#ask(at, begin, (id) => ({ type: 'write', id, ...write }));
  }

  /** A client reads at a node. The machine answers with its applied index. */
  read(at: NodeId, begin?: (id: RequestId) => void): RequestId {
    return this.#ask(at, begin, (id) => ({ type: 'read', id }));
  }

  /** The operator asks a node to change the members. */
  changeMembers(at: NodeId, changes: readonly MemberChange[], begin?: (id: RequestId) => void): RequestId {
    return this.#ask(at, begin, (id) => ({ type: 'changeMembers', id, changes }));
  }

  /** The operator asks a node to hand leadership over. */
  transfer(at: NodeId, to?: NodeId, begin?: (id: RequestId) => void): RequestId {
    return this.#ask(at, begin, (id) => ({
      type: 'transferLeadership',
      id,
      ...(to !== undefined && { to }),
    }));
  }

  /** The operator asks a node to take a snapshot and to drop the log before it. */
  compact(at: NodeId, keepsPrevious = false, begin?: (id: RequestId) => void): RequestId {
    return this.#ask(at, begin, (id) => ({ type: 'compact', id, keepsPrevious }));
  }

  #ask(at: NodeId, begin: ((id: RequestId) => void) | undefined, input: (id: RequestId) => Input): RequestId {
    const id = this.#nextId();
    begin?.(id);
    this.input(at, input(id));
    return id;
  }

  /** A node as a member, on the store that it has now, or had at first. */
  member(id: NodeId): Member {
    return memberOf(id, this.node(id).self.storeId);
  }

  /** A node that is down loses its disk, and gets an empty one: another store (rule 9). */
  wipe(id: NodeId): void {
    const old = this.node(id);
    this.wiped.push(old);
    const fresh = this.#newNode({ id, storeId: `${old.self.storeId}'` });
    fresh.crash();
    this.#nodes.set(id, fresh);
  }

  /** The answer to a request, if it has been given. */
  answer(id: RequestId): Answer | undefined {
    return this.answers.get(id)?.[0];
  }

  /**
   * Everything goes on until nothing is left to do: messages arrive in order, disks and machines complete.
   * No clock advances.
   */
  settle(): void {
    for (let rounds = 0; rounds < 10_000; rounds++) {
      if (!this.#settleOnce()) return;
    }
    throw new Error('the cluster does not settle: it is still busy after 10,000 rounds');
  }

  /**
   * Makes a node the leader: nothing on its way arrives, nobody sticks to a leader any more, and its clock is
   * the first to run out. Then everything settles.
   */
  elect(id: NodeId): void {
    for (let tries = 0; tries < 10 && this.state(id).role.type !== 'leader'; tries++) {
      for (const other of this.nodes.keys()) {
        if (other !== id) this.tick(other, this.#config.electionTimeoutMsMin);
      }
      this.inFlight.length = 0;
      this.timeOut(id);
      this.settle();
    }
    if (this.state(id).role.type !== 'leader') throw new Error(`${id} was not elected`);
  }

  /** The commit index of every node that is up. */
  commitIndexes(): Readonly<Record<NodeId, Index>> {
    return Object.fromEntries([...this.nodes].map(([id, node]) => [id, node.state.commitIndex]));
  }

  #settleOnce(): boolean {
    const oldest = this.inFlight[0];
    if (oldest !== undefined) this.deliver(oldest);
    let isBusy = oldest !== undefined;
    for (const [id, node] of this.nodes) {
      if (!node.isUp) continue;
      isBusy ||= node.canSync || node.logReads > 0 || node.canRunMachine;
      isBusy ||= node.canKeepView || node.shipments.length > 0;
      this.flush(id);
      this.readLog(id);
      this.apply(id);
      this.keepView(id);
      this.ship(id);
    }
    return isBusy;
  }

  #take(node: BareNode, output: Output): void {
    switch (output.type) {
      case 'message':
        if (!this.#cuts.has(`${node.self.id}>${output.to.id}`)) {
          this.inFlight.push({ from: node.self, to: output.to, message: output.message });
        }
        break;
      case 'writeRes':
      case 'readRes':
      case 'adminRes':
        this.#note(output.id, output.result);
        break;
      case 'fault':
        this.faults.push(output);
        break;
      default:
        break; // The node's own disk and machine have taken it.
    }
  }

  #note(id: RequestId, answer: Answer): void {
    const given = this.answers.get(id);
    if (given === undefined) this.answers.set(id, [answer]);
    else given.push(answer);
  }

  #nextId(): RequestId {
    this.#lastRequestId += 1;
    return this.#lastRequestId;
  }
}

function memberOf(id: NodeId, storeId = id): Member {
  return { id, storeId, url: '' };
}
