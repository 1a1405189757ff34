import { type Config, type NodeId, type Peer, unreachable } from '../core/index.ts';
import { Agenda } from './agenda.ts';
import type { BareStep, Envelope } from './bare-cluster.ts';
import type { BareNode } from './bare-node.ts';
import { CheckedCluster, type CheckedClusterOptions } from './checked-cluster.ts';
import { Dice } from './dice.ts';
import { Host, type WorkType } from './host.ts';
import type { Operation } from './operation.ts';
import type { SimulationCounts } from './simulation-counts.ts';
import { StormNetwork } from './storm-network.ts';
import { strikes } from './strikes.ts';
import { drawWeather, type Strike, type Weather } from './weather.ts';

/** What a {@link Storm} is told; all else follows from the seed. */
export interface StormOptions {
  readonly seed: number;
  readonly nodes: number;
  readonly onStep?: ((taken: BareStep) => void) | undefined;
  /** Told of each operation, before it is carried out: a recording. */
  readonly onOperation?: ((operation: Operation) => void) | undefined;
}

type StormEvent =
  | { readonly type: 'tick' | 'restart'; readonly host: Host }
  | { readonly type: 'arrive'; readonly host: Host; readonly envelope: Envelope }
  | { readonly type: 'work'; readonly host: Host; readonly run: number; readonly work: WorkType }
  | { readonly type: 'hint'; readonly host: Host; readonly about: NodeId; readonly isUp: boolean }
  | { readonly type: 'strike'; readonly strike: Strike };

/** Ticks and timeouts are shorter than by default, so that more happens in as many steps. */
const config: Partial<Config> = {
  tickIntervalMs: 30,
  heartbeatIntervalMs: 60,
  electionTimeoutMsMin: 120,
  electionTimeoutMsMax: 240,
  failoverDelayMsMax: 20,
};

/**
 * A cluster in bad weather: decides what happens next, and has the checked cluster do it. One seed gives delays, loss,
 * doubling and reordering of messages, partitions, crashes, disks, clocks, stopped processes, and what clients and the
 * operator ask.
 */
export class Storm {
  readonly dice: Dice;
  readonly stage: CheckedCluster;
  readonly network: StormNetwork;
  readonly hosts: readonly Host[];
  /** What the cluster is made of, for another one like it. */
  readonly made: CheckedClusterOptions;
  weather: Weather;
  now = 0;
  isOver = false;
  readonly #agenda = new Agenda<StormEvent>();
  readonly #byId: ReadonlyMap<NodeId, Host>;
  readonly #onOperation: ((operation: Operation) => void) | undefined;
  #written = 0;

  constructor({ seed, nodes, onStep, onOperation }: StormOptions) {
    this.dice = new Dice(seed * 31 + nodes);
    this.weather = drawWeather(this.dice);
    const { limits, isMachineDurable, joiners, skewPercent } = this.weather;
    const names = Array.from({ length: nodes + joiners }, (_, at) => `n${at + 1}`);
    this.made = {
      founders: names.slice(0, nodes),
      joiners: names.slice(nodes),
      config: { ...config, ...limits },
      seed,
      isMachineDurable,
    };
    this.stage = new CheckedCluster({ ...this.made, onStep });
    this.network = new StormNetwork(names, this.dice, this.counts);
    const skew = () => this.dice.between(100 - skewPercent, 100 + skewPercent);
    this.hosts = names.map((id, place) => new Host(id, place, skew()));
    this.#byId = new Map(this.hosts.map((host) => [host.id, host]));
    this.#onOperation = onOperation;
    this.#begin();
  }

  get counts(): SimulationCounts {
    return this.stage.counts;
  }

  /** The next event. */
  advance(): void {
    const next = this.#agenda.next();
    if (next === undefined) throw new Error('nothing is left to happen');
    this.now = next.at;
    this.#happen(next.event);
  }

  /** An operation, and what it asks for is put on the agenda. `false` if it is not possible. */
  perform(operation: Operation): boolean {
    this.#onOperation?.(operation);
    const isDone = this.stage.perform(operation);
    if (isDone) this.#schedule(this.host(operation.at));
    return isDone;
  }

  /** A host by the name of its node. */
  host(id: NodeId): Host {
    return this.#byId.get(id) as Host;
  }

  node(host: Host): BareNode {
    return this.stage.cluster.node(host.id);
  }

  /** Whether a node does anything now. */
  isRunning(host: Host): boolean {
    return host.pausedUntil <= this.now && this.node(host).isUp;
  }

  /** Whether a member's disk is still there. */
  isAlive({ id, storeId }: Peer): boolean {
    return this.stage.node(id).self.storeId === storeId;
  }

  /** Any node, and in so many cases of a hundred one that leads, if there is one. */
  pickHost(leaderPercent: number): Host {
    const leaders = this.hosts.filter((host) => this.node(host).state.role.type === 'leader');
    return this.dice.pick(leaders.length > 0 && this.dice.chance(leaderPercent) ? leaders : this.hosts);
  }

  /** A node that leads, if there is one; in so many cases of a hundred any node. */
  pickLeader(strayPercent: number): Host | undefined {
    if (this.dice.chance(strayPercent)) return this.dice.pick(this.hosts);
    const leaders = this.hosts.filter((host) => this.node(host).state.role.type === 'leader');
    return leaders.length > 0 ? this.dice.pick(leaders) : undefined;
  }

  /** A command that nobody has written. */
  newCommand(): string {
    this.#written += 1;
    return `c${this.#written}`;
  }

  /** A node dies, with its oldest `keep` disk requests on disk, and starts again later. */
  crash(host: Host, keep: number): void {
    if (!this.perform({ type: 'crash', at: host.id, keep })) return;
    host.endRun();
    this.#agenda.add(this.now + this.dice.between(10, this.weather.downMs), { type: 'restart', host });
    this.#tellOthers(host, false);
  }

  restart(host: Host): void {
    if (!this.perform({ type: 'restart', at: host.id })) return;
    this.#tick(host);
    this.#tellOthers(host, true);
  }

  #begin(): void {
    for (const host of this.hosts) this.#agenda.add(this.dice.between(1, 30), { type: 'tick', host });
    for (const strike of Object.keys(this.weather.everyMs) as Strike[]) this.#again(strike);
  }

  #again(strike: Strike): void {
    const everyMs = this.weather.everyMs[strike];
    if (everyMs > 0)
      this.#agenda.add(this.now + this.dice.between(1, 2 * everyMs), { type: 'strike', strike });
  }

  #happen(event: StormEvent): void {
    switch (event.type) {
      case 'tick':
        this.#agenda.add(this.now + event.host.realMs(30), event);
        return event.host.pausedUntil > this.now ? undefined : this.#tick(event.host);
      case 'arrive':
        return this.#arrive(event);
      case 'work':
        return this.#work(event);
      case 'restart':
        return this.restart(event.host);
      case 'hint':
        if (!this.isRunning(event.host)) return;
        this.perform({ type: event.isUp ? 'up' : 'down', at: event.host.id, about: event.about });
        return;
      case 'strike':
        if (this.isOver) return;
        strikes[event.strike](this);
        return this.#again(event.strike);
      default:
        return unreachable(event);
    }
  }

  #tick(host: Host): void {
    const node = this.node(host);
    if (!node.isUp) return;
    if (host.clockPercent !== 100) this.counts.skewedTicks += 1;
    this.perform({ type: 'tick', at: host.id, ms: host.clockAt(this.now) - node.state.now });
  }

  /** A stopped process reads what came meanwhile when it goes on (design §3). */
  #arrive(event: Extract<StormEvent, { type: 'arrive' }>): void {
    const { host, envelope } = event;
    if (host.pausedUntil > this.now) return this.#agenda.add(host.pausedUntil, event);
    const node = this.node(host);
    if (!node.isUp) return;
    if (node.self.storeId !== envelope.to.storeId) {
      if (!this.dice.chance(this.weather.misdeliverPercent)) return;
      this.counts.messagesMisdelivered += 1;
    }
    this.perform({ type: 'deliver', at: host.id, envelope });
  }

  #schedule(host: Host): void {
    const { inFlight } = this.stage.cluster;
    if (inFlight.length > 0) {
      for (const envelope of inFlight) this.#post(envelope);
      inFlight.length = 0;
    }
    const node = this.node(host);
    const { busy } = host;
    const { machineMs, snapshotMs } = this.weather;
    if (!busy.flush && node.canSync) this.#start(host, 'flush', this.#diskMs(host));
    if (!busy.hear && node.unheard > 0) this.#start(host, 'hear', this.dice.between(0, this.weather.hearMs));
    if (!busy.log && node.logReads > 0) this.#start(host, 'log', this.dice.between(0, 10));
    if (!busy.apply && node.canRunMachine) this.#start(host, 'apply', this.dice.between(0, machineMs));
    if (!busy.keep && node.canKeepView) this.#start(host, 'keep', this.dice.between(0, snapshotMs));
    if (!busy.ship && node.shipments.length > 0) {
      this.#start(host, 'ship', this.dice.between(1, 2 * snapshotMs));
    }
  }

  #post(envelope: Envelope): void {
    const host = this.host(envelope.to.id);
    this.network.post(envelope, this.now, this.weather, (at) =>
      this.#agenda.add(at, { type: 'arrive', host, envelope }),
    );
  }

  #start(host: Host, work: WorkType, ms: number): void {
    host.busy[work] = true;
    this.#agenda.add(this.now + ms, { type: 'work', host, run: host.run, work });
  }

  #diskMs(host: Host): number {
    const hungMs = host.hungUntil - this.now;
    if (hungMs > 0) return hungMs + this.dice.between(0, this.weather.diskMs);
    const isSlow = host.slowUntil > this.now;
    return isSlow ? this.dice.between(50, 1000) : this.dice.between(0, this.weather.diskMs);
  }

  #work(event: Extract<StormEvent, { type: 'work' }>): void {
    const { host, run, work } = event;
    if (host.run !== run) return; // That process has ended.
    const isPaused = host.pausedUntil > this.now && work !== 'flush'; // The disk goes on.
    if (isPaused) return this.#agenda.add(host.pausedUntil, event);
    host.busy[work] = false;
    const at = host.id;
    switch (work) {
      case 'flush':
        return this.#flush(host);
      case 'apply':
        this.perform({ type: 'apply', at, count: this.dice.between(1, 8) });
        return;
      case 'ship':
        this.perform({ type: 'ship', at, isLost: this.#isShipmentLost(host) });
        return;
      default:
        this.perform({ type: work, at });
        return;
    }
  }

  /** The disk is done with all that waits, or some of it; or it refuses, and the node stops. */
  #flush(host: Host): void {
    const { length } = this.node(host).unflushed;
    const count = this.weather.mergesFlushes ? length : this.dice.between(1, Math.max(1, length));
    if (!host.isFailing) {
      const isHeardAtOnce = this.weather.hearMs === 0 && host.pausedUntil <= this.now;
      this.perform({ type: isHeardAtOnce ? 'flush' : 'sync', at: host.id, count });
      return;
    }
    this.counts.failedDisks += 1;
    this.crash(host, this.dice.between(0, Math.max(0, count - 1)));
  }

  #isShipmentLost(host: Host): boolean {
    const to = this.node(host).shipments[0]?.to.id ?? host.id;
    return this.network.isCut(host.id, to, this.now) || this.dice.chance(this.weather.snapshotLossPercent);
  }

  /** The others' transports notice, sooner or later. */
  #tellOthers({ id: about }: Host, isUp: boolean): void {
    if (!this.weather.hasHints) return;
    for (const host of this.hosts) {
      if (host.id === about) continue;
      this.#agenda.add(this.now + this.dice.between(1, 60), { type: 'hint', host, about, isUp });
    }
  }
}
