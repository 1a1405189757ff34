import {
  type Config,
  checkState,
  checkTransition,
  type Input,
  type NodeId,
  type Output,
  votersOnly,
} from '../core/index.ts';
import { BareCluster, type BareStep } from './bare-cluster.ts';
import type { BareNode } from './bare-node.ts';
import { ClientOracle } from './client-oracle.ts';
import { ClusterHistory } from './cluster-history.ts';
import { describeOutput } from './describe.ts';
import type { Applied } from './disk.ts';
import { checkHonesty } from './honesty.ts';
import { inputOf, type Operation, type Request } from './operation.ts';
import { noCounts } from './simulation-counts.ts';
import { expectNone, expectThat } from './violation.ts';

/** What a {@link CheckedCluster} is made of. */
export interface CheckedClusterOptions {
  readonly founders: readonly NodeId[];
  readonly joiners: readonly NodeId[];
  readonly config: Partial<Config>;
  readonly seed: number;
  readonly isMachineDurable: boolean;
  /** Told of every step, before its checks. */
  readonly onStep?: ((taken: BareStep) => void) | undefined;
}

/** How much of a machine's list of commands has been compared with the committed log. */
interface Compared {
  readonly applied: readonly Applied[];
  readonly count: number;
}

/**
 * A bare cluster with everything checked after each step: every node's state and its change, Figure 3 of the paper
 * across nodes, what disks hold against what is said, machines against the committed log, and what clients are told.
 * Throws an `InvariantViolation` if a promise does not hold.
 */
export class CheckedCluster {
  readonly cluster: BareCluster;
  readonly counts = noCounts();
  readonly oracle = new ClientOracle(this.counts);
  readonly history: ClusterHistory;
  readonly #compared = new Map<NodeId, Compared>();
  readonly #onStep: ((taken: BareStep) => void) | undefined;

  constructor({ founders, joiners, config, seed, isMachineDurable, onStep }: CheckedClusterOptions) {
    this.#onStep = onStep;
    this.history = new ClusterHistory({
      founding: votersOnly(founders.map((id) => ({ id, storeId: id, url: '' }))),
      onCommit: (index, command) => this.oracle.commit(index, command),
    });
    this.cluster = new BareCluster({
      nodes: founders,
      joiners,
      config,
      seed,
      isMachineDurable,
      onStep: (taken) => this.#check(taken),
    });
  }

  /** A node by name. Throws if there is none. */
  node(id: NodeId): BareNode {
    return this.cluster.node(id);
  }

  /** Carries out an operation. One that is not possible now changes nothing, and gives `false`. */
  perform(operation: Operation): boolean {
    const { cluster } = this;
    const node = cluster.node(operation.at);
    if (operation.type === 'restart') return !node.isUp && this.#restart(operation.at);
    if (operation.type === 'wipe') return !node.isUp && this.#wipe(operation.at);
    if (!node.isUp) return false;
    switch (operation.type) {
      case 'tick':
        return this.#input(operation.at, { type: 'tick', now: Math.max(0, node.state.now + operation.ms) });
      case 'deliver': {
        const { from, message } = operation.envelope;
        return this.#input(operation.at, { type: 'message', from, message });
      }
      case 'up':
        return this.#input(operation.at, { type: 'peerUp', id: operation.about });
      case 'down':
        return this.#input(operation.at, { type: 'peerDown', id: operation.about });
      case 'crash':
        return this.#crash(operation.at, operation.keep);
      case 'write':
      case 'read':
      case 'changeMembers':
      case 'transferLeadership':
      case 'compact':
        return this.#ask(operation);
      default:
        return this.#work(operation, node);
    }
  }

  /** What must hold at the end, whatever happened: every machine holds all that it says it has applied. */
  checkMachines(): void {
    for (const [id, { applied, appliedIndex }] of this.cluster.nodes) {
      this.history.checkMachine(id, applied);
      this.history.checkWhole(id, applied, appliedIndex);
    }
  }

  #input(id: NodeId, input: Input): true {
    this.cluster.input(id, input);
    return true;
  }

  #crash(id: NodeId, keep: number): true {
    this.counts.crashes += 1;
    this.counts.lostWrites += Math.max(0, this.cluster.node(id).unflushed.length - keep);
    this.cluster.crash(id, keep);
    this.oracle.lose(id);
    this.#forget(id);
    return true;
  }

  #restart(id: NodeId): true {
    this.cluster.restart(id);
    this.#forget(id);
    return true;
  }

  #wipe(id: NodeId): true {
    this.counts.disksWiped += 1;
    this.cluster.wipe(id);
    this.#forget(id);
    return true;
  }

  #forget(id: NodeId): void {
    this.history.forget(id);
    this.#compared.delete(id);
  }

  /** A disk, a machine, or a transfer of a snapshot gets on. */
  #work(
    operation: Extract<Operation, { type: 'sync' | 'hear' | 'flush' | 'apply' | 'log' | 'keep' | 'ship' }>,
    node: BareNode,
  ): boolean {
    const { at } = operation;
    switch (operation.type) {
      case 'sync':
        if (!node.canSync) return false;
        this.cluster.sync(at, operation.count);
        return true;
      case 'hear':
        if (node.unheard === 0) return false;
        this.cluster.hear(at);
        return true;
      case 'flush':
        if (!node.canSync) return false;
        for (const completion of node.sync(operation.count)) this.cluster.input(at, completion);
        return true;
      case 'apply': {
        if (!node.canRunMachine) return false;
        const completion = node.runMachine(operation.count);
        return completion === undefined || this.#input(at, completion);
      }
      case 'log':
        if (node.logReads === 0) return false;
        this.counts.logReads += 1;
        this.cluster.readLog(at);
        return true;
      case 'keep':
        if (!node.canKeepView) return false;
        this.cluster.keepView(at);
        return true;
      case 'ship':
        if (node.shipments.length === 0) return false;
        this.counts[operation.isLost ? 'snapshotsLost' : 'snapshotsSent'] += 1;
        this.cluster.ship(at, operation.isLost);
        return true;
    }
  }

  #ask(request: Request): boolean {
    const { at, id } = request;
    if (!this.oracle.isFree(at, id)) return false;
    this.oracle.begin(request);
    this.#countRequest(request);
    return this.#input(at, inputOf(request));
  }

  #countRequest({ at, type }: Request): void {
    if (this.cluster.state(at).role.type !== 'leader') this.counts.strayRequests += 1;
    if (type === 'changeMembers') this.counts.memberChangesAsked += 1;
    else if (type === 'transferLeadership') this.counts.transfersAsked += 1;
    else if (type === 'compact') this.counts.compactionsAsked += 1;
  }

  /** What must hold after every step. */
  #check(taken: BareStep): void {
    const { node, before, outputs, state } = taken;
    this.counts.steps += 1;
    this.#onStep?.(taken);
    expectNone(checkTransition(before, state) ?? checkState(state, before));
    checkHonesty(taken, this.cluster);
    const { batches, start } = node.written;
    this.history.observe({ state, batches, startTerm: start?.term });
    for (const output of outputs) this.#checkOutput(taken, output);
    this.#checkMachine(node);
    this.#countOf(taken);
  }

  #checkOutput({ node, before }: BareStep, output: Output): void {
    expectThat(output.type !== 'fault', () => `${node.self.id}: ${describeOutput(output)}`);
    this.oracle.observe(node.self.id, output);
    if (output.type !== 'persistReq' || output.truncateFrom === undefined) return;
    this.counts.truncations += 1;
    const gone = before.configurations.filter(
      (at) => at.index > before.commitIndex && !node.state.configurations.some((kept) => kept === at),
    );
    this.counts.configurationsTruncated += gone.length;
  }

  /** Nothing is applied before it is committed, out of order, or twice. */
  #checkMachine({ self, state, applied, appliedIndex }: BareNode): void {
    expectThat(
      appliedIndex <= state.commitIndex || state.installing !== null,
      () => `${self.id} has applied ${appliedIndex}, and committed ${state.commitIndex}`,
    );
    const compared = this.#compared.get(self.id);
    const count = compared?.applied === applied ? compared.count : 0;
    if (count === applied.length) return;
    this.history.checkMachine(self.id, applied, count);
    this.#compared.set(self.id, { applied, count: applied.length });
  }

  #countOf({ input }: BareStep): void {
    if (input.type === 'compactLogRes') this.counts.logsCompacted += 1;
    if (input.type !== 'installSnapshotRes') return;
    this.counts[input.isInstalled ? 'snapshotsInstalled' : 'snapshotsNotInstalled'] += 1;
  }
}
