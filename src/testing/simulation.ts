import {
  type Config,
  type ConfigurationAt,
  checkState,
  checkTransition,
  configurationOf,
  type Input,
  type MemberChange,
  type NodeId,
  type Output,
  type Peer,
  type State,
} from '../core/index.ts';
import { Agenda } from './agenda.ts';
import { BareCluster, type BareStep, type Envelope } from './bare-cluster.ts';
import type { BareNode } from './bare-node.ts';
import { type AnswerCounts, ClientOracle } from './client-oracle.ts';
import { ClusterHistory } from './cluster-history.ts';
import { describeInput, describeOutput, describeState } from './describe.ts';
import { Dice } from './dice.ts';
import { checkHonesty } from './honesty.ts';
import { expectNone, expectThat } from './violation.ts';
import { drawWeather, type Weather } from './weather.ts';

/** What a simulation is told; all else follows from the seed. */
export interface SimulationOptions {
  readonly seed: number;
  readonly nodes: number;
  /** Steps of the stormy part; then the weather clears, and the cluster must recover. */
  readonly steps: number;
  /** Told of every step, after it: a recording. */
  readonly onStep?: (taken: BareStep) => void;
}

/** What happened in a simulation: to tell whether it exercised anything. */
export interface SimulationCounts extends AnswerCounts {
  steps: number;
  elections: number;
  entries: number;
  /** Followers that threw away entries of their own. */
  truncations: number;
  crashes: number;
  /** Disk requests that a crash lost. */
  lostWrites: number;
  messagesLost: number;
  messagesDoubled: number;
  cuts: number;
  pauses: number;
  logReads: number;
  /** Requests to append a configuration that a node truncated again. */
  configurationsTruncated: number;
  snapshotsSent: number;
  snapshotsInstalled: number;
  /** Snapshots whose chunks were not there any more when they were to be installed. */
  snapshotsNotInstalled: number;
  logsCompacted: number;
  disksWiped: number;
}

/** A promise did not hold. The message names the seed, what was broken, and the last steps before it. */
export class SimulationFailure extends Error {
  override readonly name = 'SimulationFailure';
}

/** What the disk and the state machine of a node do beside each other. */
type WorkType = 'readLog' | 'machine' | 'keepView' | 'ship';

/** What only happens in bad weather, again and again. */
type StrikeType =
  | 'client'
  | 'crash'
  | 'cut'
  | 'heal'
  | 'pause'
  | 'slowDisk'
  | 'members'
  | 'transfer'
  | 'compact'
  | 'wipe';

type Event =
  | { readonly type: 'tick'; readonly id: NodeId }
  | { readonly type: 'arrive'; readonly envelope: Envelope }
  | { readonly type: 'sync'; readonly id: NodeId; readonly run: string }
  | { readonly type: 'complete'; readonly id: NodeId; readonly run: string; readonly input: Input }
  | { readonly type: WorkType; readonly id: NodeId; readonly run: string }
  | { readonly type: 'restart' | 'resume'; readonly id: NodeId }
  | { readonly type: 'hint'; readonly at: NodeId; readonly about: NodeId; readonly isUp: boolean }
  | { readonly type: StrikeType };

/** Ticks and timeouts are shorter than by default, so that more happens in as many steps. */
const config: Partial<Config> = {
  tickIntervalMs: 30,
  heartbeatIntervalMs: 60,
  electionTimeoutMsMin: 120,
  electionTimeoutMsMax: 240,
  failoverDelayMsMax: 20,
};

/** After the storm, everything must be well within this. */
const recoveryMs = 20_000;
const traceLength = 60;

/**
 * A cluster in bad weather. One seed gives delays, loss, doubling and reordering of messages, one-way
 * partitions, crashes that lose unflushed writes, slow disks, stopped processes, and clients that write and
 * read. After each step every invariant is checked; at the end the weather clears, and the cluster must
 * elect, commit and agree.
 *
 * Throws a {@link SimulationFailure}; the same options fail in the same way again.
 */
export function simulate(options: SimulationOptions): SimulationCounts {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #dice: Dice;
  readonly #agenda = new Agenda<Event>();
  readonly #history = new ClusterHistory();
  readonly #oracle = new ClientOracle();
  readonly #cluster: BareCluster;
  readonly #ids: readonly NodeId[];
  readonly #trace: (BareStep & { readonly at: number })[] = [];
  readonly #paused = new Map<NodeId, number>();
  readonly #slowUntil = new Map<NodeId, number>();
  readonly #hungUntil = new Map<NodeId, number>();
  readonly #busy = new Set<string>();
  readonly #cuts = new Map<string, number>();
  readonly #counts: SimulationCounts;
  #weather: Weather;
  #now = 0;
  #isStormy = true;
  #written = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#dice = new Dice(options.seed * 31 + options.nodes);
    this.#weather = drawWeather(this.#dice);
    const names = (from: number, count: number) => Array.from({ length: count }, (_, at) => `n${from + at}`);
    const founders = names(1, options.nodes);
    const joiners = names(options.nodes + 1, this.#weather.joiners);
    this.#ids = [...founders, ...joiners];
    this.#counts = {
      ...this.#oracle.counts,
      steps: 0,
      elections: 0,
      entries: 0,
      truncations: 0,
      crashes: 0,
      lostWrites: 0,
      messagesLost: 0,
      messagesDoubled: 0,
      cuts: 0,
      pauses: 0,
      logReads: 0,
      configurationsTruncated: 0,
      snapshotsSent: 0,
      snapshotsInstalled: 0,
      snapshotsNotInstalled: 0,
      logsCompacted: 0,
      disksWiped: 0,
    };
    const { limits, isMachineDurable } = this.#weather;
    this.#cluster = new BareCluster({
      nodes: founders,
      joiners,
      config: { ...config, ...limits },
      seed: options.seed,
      isMachineDurable,
      onStep: (taken) => this.#check(taken),
    });
  }

  run(): SimulationCounts {
    try {
      this.#begin();
      while (this.#counts.steps < this.#options.steps) this.#advance();
      this.#clearUp();
      this.#recover();
      this.#oracle.checkAllAnswered();
      this.#checkMachines();
      this.#oracle.checkLog(this.#history.committed);
    } catch (error) {
      throw this.#failure(error);
    }
    const entries = this.#history.commitIndex;
    return { ...this.#counts, ...this.#oracle.counts, elections: this.#history.elections, entries };
  }

  #begin(): void {
    for (const id of this.#ids) this.#agenda.add(this.#dice.between(1, 30), { type: 'tick', id });
    this.#agenda.add(1, { type: 'client' });
    const { crashMs, cutMs, pauseMs, slowDiskMs, membersMs, transferMs, compactMs, wipeMs } = this.#weather;
    if (membersMs > 0) this.#agenda.add(this.#about(membersMs), { type: 'members' });
    if (transferMs > 0) this.#agenda.add(this.#about(transferMs), { type: 'transfer' });
    if (compactMs > 0) this.#agenda.add(this.#about(compactMs), { type: 'compact' });
    if (wipeMs > 0) this.#agenda.add(this.#about(wipeMs), { type: 'wipe' });
    if (crashMs > 0) this.#agenda.add(this.#about(crashMs), { type: 'crash' });
    if (cutMs > 0) this.#agenda.add(this.#about(cutMs), { type: 'cut' });
    if (pauseMs > 0) this.#agenda.add(this.#about(pauseMs), { type: 'pause' });
    if (slowDiskMs > 0) this.#agenda.add(this.#about(slowDiskMs), { type: 'slowDisk' });
  }

  /** The next event. */
  #advance(): void {
    const next = this.#agenda.next();
    if (next === undefined) throw new Error('nothing is left to happen');
    this.#now = next.at;
    this.#happen(next.event);
  }

  #happen(event: Event): void {
    switch (event.type) {
      case 'tick':
        return this.#tick(event.id);
      case 'arrive':
        return this.#arrive(event);
      case 'sync':
        return this.#sync(event);
      case 'complete':
        return this.#complete(event);
      case 'readLog':
      case 'machine':
      case 'keepView':
      case 'ship':
        return this.#work(event);
      case 'restart':
        return this.#restart(event.id);
      case 'resume':
        this.#paused.delete(event.id);
        return;
      case 'hint':
        return this.#hint(event);
      default:
        return this.#isStormy ? this.#strike(event.type) : undefined;
    }
  }

  /** Something that only happens in bad weather. */
  #strike(type: StrikeType): void {
    switch (type) {
      case 'client':
        this.#request();
        return this.#again(type, this.#weather.clientMs);
      case 'crash':
        this.#crash();
        return this.#again(type, this.#weather.crashMs);
      case 'cut':
        this.#cut();
        return this.#again(type, this.#weather.cutMs);
      case 'heal':
        return this.#cuts.clear();
      case 'pause':
        this.#pause();
        return this.#again(type, this.#weather.pauseMs);
      case 'slowDisk':
        if (this.#dice.chance(25))
          this.#hungUntil.set(this.#victim(), this.#now + this.#dice.between(200, 1200));
        else this.#slowUntil.set(this.#victim(), this.#now + this.#dice.between(50, 1500));
        return this.#again(type, this.#weather.slowDiskMs);
      case 'members':
        this.#changeMembers();
        return this.#again(type, this.#weather.membersMs);
      case 'transfer':
        this.#transfer();
        return this.#again(type, this.#weather.transferMs);
      case 'compact':
        this.#compact();
        return this.#again(type, this.#weather.compactMs);
      case 'wipe':
        this.#wipe();
        return this.#again(type, this.#weather.wipeMs);
    }
  }

  #again(type: StrikeType, ms: number): void {
    this.#agenda.add(this.#about(ms), { type });
  }

  /** A moment at about `ms` from now. */
  #about(ms: number): number {
    return this.#now + this.#dice.between(1, 2 * ms);
  }

  #tick(id: NodeId): void {
    this.#agenda.add(this.#now + 30, { type: 'tick', id });
    if (this.#paused.has(id)) return;
    this.#input(id, { type: 'tick', now: this.#now });
  }

  /** A node takes a step, and what it asked for is put on the agenda. */
  #input(id: NodeId, input: Input): void {
    if (!this.#cluster.node(id).isUp) return;
    this.#cluster.input(id, input);
    this.#schedule(id);
  }

  #schedule(id: NodeId): void {
    const node = this.#cluster.node(id);
    for (const envelope of this.#cluster.inFlight.splice(0)) this.#post(envelope);
    const { machineMs, snapshotMs } = this.#weather;
    if (node.canSync) this.#start('sync', id, this.#diskMs(id));
    if (node.logReads > 0) this.#start('readLog', id, this.#dice.between(0, 10));
    if (node.canRunMachine) this.#start('machine', id, this.#dice.between(0, machineMs));
    if (node.canKeepView) this.#start('keepView', id, this.#dice.between(0, snapshotMs));
    if (node.shipments.length > 0) this.#start('ship', id, this.#dice.between(1, 2 * snapshotMs));
  }

  /** Work of one kind is under way once at a time. */
  #start(type: 'sync' | WorkType, id: NodeId, ms: number): void {
    const { run } = this.#cluster.node(id);
    const key = `${type} ${run}`;
    if (this.#busy.has(key)) return;
    this.#busy.add(key);
    this.#agenda.add(this.#now + ms, { type, id, run });
  }

  #diskMs(id: NodeId): number {
    const hungMs = (this.#hungUntil.get(id) ?? 0) - this.#now;
    if (hungMs > 0) return hungMs + this.#dice.between(0, this.#weather.diskMs);
    const isSlow = (this.#slowUntil.get(id) ?? 0) > this.#now;
    return isSlow ? this.#dice.between(50, 1000) : this.#dice.between(0, this.#weather.diskMs);
  }

  #post(envelope: Envelope): void {
    const { lossPercent, doublePercent } = this.#weather;
    const isCut = (this.#cuts.get(`${envelope.from.id}>${envelope.to.id}`) ?? 0) > this.#now;
    if (isCut || this.#dice.chance(lossPercent)) {
      this.#counts.messagesLost += 1;
      return;
    }
    this.#agenda.add(this.#now + this.#delayMs(), { type: 'arrive', envelope });
    if (!this.#dice.chance(doublePercent)) return;
    this.#counts.messagesDoubled += 1;
    this.#agenda.add(this.#now + this.#delayMs(), { type: 'arrive', envelope });
  }

  #delayMs(): number {
    const { delayMs, latePercent } = this.#weather;
    return this.#dice.chance(latePercent)
      ? this.#dice.between(delayMs, 1500)
      : this.#dice.between(1, delayMs);
  }

  /** A stopped process reads what came meanwhile when it goes on, before its clock ticks (design §3). */
  #arrive(event: Extract<Event, { type: 'arrive' }>): void {
    const { to } = event.envelope;
    const resumesAt = this.#paused.get(to.id);
    if (resumesAt !== undefined) return this.#agenda.add(resumesAt, event);
    this.#cluster.inFlight.push(event.envelope);
    this.#cluster.deliver(event.envelope);
    this.#schedule(to.id);
  }

  /** The disk is done; the node hears of it a little later. */
  #sync({ id, run }: { readonly id: NodeId; readonly run: string }): void {
    const node = this.#cluster.node(id);
    this.#busy.delete(`sync ${run}`);
    if (node.run !== run || !node.isUp) return;
    const count = this.#weather.mergesFlushes
      ? node.unflushed.length
      : this.#dice.between(1, Math.max(1, node.unflushed.length));
    const at = this.#now + this.#dice.between(0, 3);
    for (const input of node.sync(count)) this.#agenda.add(at, { type: 'complete', id, run, input });
    this.#schedule(id);
  }

  #complete(event: Extract<Event, { type: 'complete' }>): void {
    const { id, run, input } = event;
    if (this.#cluster.node(id).run !== run) return;
    const resumesAt = this.#paused.get(id);
    if (resumesAt !== undefined) return this.#agenda.add(resumesAt, event);
    this.#input(id, input);
  }

  #work(event: { readonly type: WorkType; readonly id: NodeId; readonly run: string }): void {
    const { type, id, run } = event;
    const node = this.#cluster.node(id);
    if (node.run !== run || !node.isUp) return;
    const resumesAt = this.#paused.get(id);
    if (resumesAt !== undefined) return this.#agenda.add(resumesAt, event);
    this.#busy.delete(`${type} ${run}`);
    this.#workOf(type, id);
    this.#schedule(id);
  }

  #workOf(type: WorkType, id: NodeId): void {
    const node = this.#cluster.node(id);
    switch (type) {
      case 'readLog':
        this.#counts.logReads += 1;
        this.#cluster.readLog(id);
        return;
      case 'machine': {
        const input = node.runMachine(this.#dice.between(1, 8));
        if (input !== undefined) this.#input(id, input);
        return;
      }
      case 'keepView':
        this.#cluster.keepView(id);
        return;
      case 'ship': {
        const to = node.shipments[0]?.to.id ?? id;
        const isCut = (this.#cuts.get(`${id}>${to}`) ?? 0) > this.#now;
        const isLost = isCut || this.#dice.chance(this.#weather.snapshotLossPercent);
        if (!isLost) this.#counts.snapshotsSent += 1;
        this.#cluster.ship(id, isLost);
      }
    }
  }

  /** A client asks: usually a node that leads. */
  #request(): void {
    const leaders = this.#ids.filter((id) => this.#cluster.state(id).role.type === 'leader');
    const isGuess = leaders.length === 0 || this.#dice.chance(20);
    const at = this.#dice.pick(isGuess ? this.#ids : leaders);
    if (!this.#cluster.node(at).isUp || this.#paused.has(at)) return;
    if (this.#dice.chance(this.#weather.readPercent)) {
      this.#cluster.read(at, (id) => this.#oracle.begin(id, { type: 'read', at }));
    } else {
      const commands = Array.from({ length: this.#dice.between(1, 3) }, () => `c${++this.#written}`);
      this.#cluster.write(at, commands, (id) => this.#oracle.begin(id, { type: 'write', at, commands }));
    }
    this.#schedule(at);
  }

  /** The operator changes the members: one at a time, or several at once. */
  #changeMembers(): void {
    const at = this.#askedNode();
    if (at === undefined) return;
    const { voters, learners } = configurationOf(this.#cluster.state(at));
    const lost = [...voters, ...learners].filter((member) => !this.#isAlive(member));
    const changes: MemberChange[] = lost.map(({ id }) => ({ type: 'remove', id }));
    const count = lost.length > 0 ? this.#dice.below(2) : this.#dice.pick([1, 1, 1, 2, 3]);
    for (let added = 0; added < count; added++) {
      changes.push(lost.length > 0 ? this.#addition(this.#dice.pick(this.#ids)) : this.#anyChange());
    }
    this.#cluster.changeMembers(at, changes, (id) => this.#oracle.begin(id, { type: 'changeMembers', at }));
    this.#schedule(at);
  }

  #anyChange(): MemberChange {
    const id = this.#dice.pick(this.#ids);
    switch (this.#dice.below(6)) {
      case 0:
        return { type: 'remove', id };
      case 1:
        return { type: 'promote', id };
      case 2:
        return { type: 'demote', id };
      case 3:
        return { type: 'move', id, url: `url-${this.#now}` };
      default:
        return this.#addition(id);
    }
  }

  #addition(id: NodeId): MemberChange {
    const role = this.#dice.chance(70) ? 'voter' : 'learner';
    return { type: 'add', member: this.#cluster.member(id), role };
  }

  /** Whether a member's disk is still there. */
  #isAlive({ id, storeId }: Peer): boolean {
    return this.#cluster.node(id).self.storeId === storeId;
  }

  /** The operator asks a leader, or once in a while somebody else. */
  #askedNode(): NodeId | undefined {
    const leaders = this.#ids.filter((id) => this.#cluster.state(id).role.type === 'leader');
    const isGuess = leaders.length === 0 || this.#dice.chance(5);
    const at = this.#dice.pick(isGuess ? this.#ids : leaders);
    return this.#cluster.node(at).isUp && !this.#paused.has(at) ? at : undefined;
  }

  #transfer(): void {
    const at = this.#askedNode();
    if (at === undefined) return;
    const to = this.#dice.chance(50) ? undefined : this.#dice.pick(this.#ids);
    this.#cluster.transfer(at, to, (id) => this.#oracle.begin(id, { type: 'transferLeadership', at }));
    this.#schedule(at);
  }

  #compact(): void {
    const at = this.#dice.pick(this.#ids);
    if (!this.#cluster.node(at).isUp || this.#paused.has(at)) return;
    this.#cluster.compact(at, this.#dice.chance(30), (id) => this.#oracle.begin(id, { type: 'compact', at }));
    this.#schedule(at);
  }

  /**
   * A disk is lost for good, and its node comes back under its old name with an empty one. One of three voters or
   * more, one at a time, and not while the members change: more than a minority nobody survives.
   */
  #wipe(): void {
    const id = this.#victim();
    const latest = this.#ids.map((each) => this.#cluster.state(each).configurations.at(-1));
    const isSettled = latest.every(
      (at) => at?.index === latest[0]?.index && at?.configuration.votersOutgoing.length === 0,
    );
    const { voters, learners } = (latest[0] as ConfigurationAt).configuration;
    const isWhole = [...voters, ...learners].every((member) => this.#isAlive(member));
    if (!isSettled || !isWhole || voters.length < 3 || !this.#cluster.node(id).isUp) return;
    this.#counts.disksWiped += 1;
    this.#stop(id, 0);
    this.#cluster.wipe(id);
  }

  /** Any node, and often one that leads: there it hurts. */
  #victim(): NodeId {
    const leaders = this.#ids.filter((id) => this.#cluster.state(id).role.type === 'leader');
    return this.#dice.pick(leaders.length > 0 && this.#dice.chance(50) ? leaders : this.#ids);
  }

  #crash(): void {
    const id = this.#victim();
    const node = this.#cluster.node(id);
    if (!node.isUp) return;
    this.#stop(id, this.#dice.chance(50) ? 0 : this.#dice.between(0, node.unflushed.length));
  }

  #stop(id: NodeId, keep: number): void {
    this.#counts.crashes += 1;
    this.#counts.lostWrites += this.#cluster.node(id).unflushed.length - keep;
    this.#cluster.crash(id, keep);
    this.#oracle.lose(id);
    this.#history.forget(id);
    this.#paused.delete(id);
    this.#agenda.add(this.#now + this.#dice.between(10, this.#weather.downMs), { type: 'restart', id });
    this.#tellOthers(id, false);
  }

  #restart(id: NodeId): void {
    if (this.#cluster.node(id).isUp) return;
    this.#cluster.restart(id);
    this.#history.forget(id);
    this.#input(id, { type: 'tick', now: this.#now });
    this.#tellOthers(id, true);
  }

  /** The others' transports notice, sooner or later. */
  #tellOthers(about: NodeId, isUp: boolean): void {
    if (!this.#weather.hasHints) return;
    for (const at of this.#ids) {
      if (at !== about)
        this.#agenda.add(this.#now + this.#dice.between(1, 60), { type: 'hint', at, about, isUp });
    }
  }

  #hint({ at, about, isUp }: Extract<Event, { type: 'hint' }>): void {
    if (!this.#paused.has(at)) this.#input(at, { type: isUp ? 'peerUp' : 'peerDown', id: about });
  }

  /** Cuts one node off, or splits the cluster; in both directions or in one. */
  #cut(): void {
    const until = this.#now + this.#dice.between(50, 1200);
    const alone = this.#victim();
    const isAlone = this.#dice.chance(50);
    const side = new Set(isAlone ? [alone] : this.#ids.filter(() => this.#dice.chance(40)));
    const isOneWay = this.#dice.chance(40);
    const isTurned = this.#dice.chance(50);
    this.#counts.cuts += 1;
    for (const from of this.#ids) {
      for (const to of this.#ids) {
        const isCut = side.has(from) !== side.has(to) && (!isOneWay || side.has(from) !== isTurned);
        if (isCut) this.#cuts.set(`${from}>${to}`, until);
      }
    }
  }

  /** A process is stopped for a while: no clock, no messages, while its disk goes on. */
  #pause(): void {
    const id = this.#victim();
    if (this.#paused.has(id) || !this.#cluster.node(id).isUp) return;
    const resumesAt = this.#now + this.#dice.between(20, 800);
    this.#counts.pauses += 1;
    this.#paused.set(id, resumesAt);
    this.#agenda.add(resumesAt, { type: 'resume', id });
  }

  /** The weather clears: everything that was broken is mended. */
  #clearUp(): void {
    this.#isStormy = false;
    this.#weather = {
      ...this.#weather,
      lossPercent: 0,
      doublePercent: 0,
      latePercent: 0,
      delayMs: 5,
      diskMs: 5,
      machineMs: 5,
      snapshotMs: 20,
      snapshotLossPercent: 0,
    };
    this.#cuts.clear();
    this.#slowUntil.clear();
    this.#hungUntil.clear();
    for (const id of this.#ids) this.#restart(id);
  }

  /** A leader must be there soon, commit a write of its own, and bring everybody to the same point. */
  #recover(): void {
    const deadline = this.#now + recoveryMs;
    let nextWriteAt = this.#now;
    const committedBefore = this.#oracle.counts.committed;
    while (!this.#isWell(committedBefore)) {
      expectThat(
        this.#now < deadline,
        () => `the cluster has not recovered ${recoveryMs} ms after the storm`,
      );
      if (this.#now >= nextWriteAt && this.#oracle.counts.committed === committedBefore) {
        nextWriteAt = this.#now + 200;
        this.#writeAtLeader();
      }
      this.#advance();
    }
  }

  #writeAtLeader(): void {
    const at = this.#ids.find((id) => this.#cluster.state(id).role.type === 'leader');
    if (at === undefined || this.#paused.has(at)) return;
    const commands = [`c${++this.#written}`];
    this.#cluster.write(at, commands, (id) => this.#oracle.begin(id, { type: 'write', at, commands }));
    this.#schedule(at);
  }

  /** Every member whose disk is there is at the same point; everybody has got the answers due. */
  #isWell(committedBefore: number): boolean {
    if (this.#oracle.counts.committed === committedBefore) return false;
    const nodes = [...this.#cluster.nodes.values()];
    const leader = nodes.find(({ state }) => state.role.type === 'leader' && isAtRest(state));
    if (leader === undefined || !nodes.every(isIdle)) return false;
    const configuration = configurationOf(leader.state);
    const { voters, votersOutgoing, learners } = configuration;
    const isJoining = learners.some((learner) => learner.willVote === true && this.#isAlive(learner));
    if (votersOutgoing.length > 0 || isJoining) return false;
    const members = [...voters, ...learners].filter((member) => this.#isAlive(member));
    return members.every(({ id }) => {
      const { state, appliedIndex } = this.#cluster.node(id);
      const isCommitted = state.commitIndex === state.log.lastIndex && appliedIndex === state.commitIndex;
      const isSame =
        state.log.lastIndex === leader.state.log.lastIndex &&
        state.currentTerm === leader.state.currentTerm &&
        state.configurations.at(-1)?.index === leader.state.configurations.at(-1)?.index;
      return isCommitted && isSame;
    });
  }

  /** What must hold after every step. */
  #check(taken: BareStep): void {
    const { node, before, outputs } = taken;
    this.#counts.steps += 1;
    this.#options.onStep?.(taken);
    this.#trace.push({ ...taken, at: this.#now });
    if (this.#trace.length > traceLength) this.#trace.shift();
    expectNone(checkTransition(before, node.state) ?? checkState(node.state));
    for (const output of outputs) this.#checkOutput(taken, output);
    this.#countOf(taken);
    checkHonesty(taken, [...this.#cluster.nodes.values(), ...this.#cluster.wiped]);
    const { batches, start } = node.written;
    this.#history.observe({ state: node.state, batches, startTerm: start?.term });
    this.#history.checkMachine(node.self.id, node.applied, 4);
  }

  #checkOutput({ node, before }: BareStep, output: Output): void {
    const { state } = node;
    expectThat(output.type !== 'fault', () => `${node.self.id}: ${describeOutput(output)}`);
    this.#oracle.observe(output);
    if (output.type !== 'persistReq' || output.truncateFrom === undefined) return;
    this.#counts.truncations += 1;
    const gone = before.configurations.filter(
      (at) => at.index > before.commitIndex && !state.configurations.some((kept) => kept === at),
    );
    this.#counts.configurationsTruncated += gone.length;
  }

  #countOf({ input }: BareStep): void {
    if (input.type === 'compactLogRes') this.#counts.logsCompacted += 1;
    if (input.type !== 'installSnapshotRes') return;
    if (input.isInstalled) this.#counts.snapshotsInstalled += 1;
    else this.#counts.snapshotsNotInstalled += 1;
  }

  #checkMachines(): void {
    for (const [id, { applied, appliedIndex }] of this.#cluster.nodes) {
      this.#history.checkMachine(id, applied);
      this.#history.checkWhole(id, applied, appliedIndex);
    }
  }

  #failure(error: unknown): SimulationFailure {
    const what = error instanceof Error ? error.message : String(error);
    const { seed, nodes, steps } = this.#options;
    const lines = [`seed ${seed}, ${nodes} nodes, ${steps} steps, at ${this.#now} ms: ${what}`, ''];
    for (const { at, node, input, outputs } of this.#trace) {
      lines.push(`${at} ms ${node.self.id} ${describeInput(input)}`);
      for (const output of outputs) lines.push(`    ${describeOutput(output)}`);
    }
    for (const [id, node] of this.#cluster.nodes) lines.push(`${id}: ${describeState(node.state)}`);
    return new SimulationFailure(lines.join('\n'), { cause: error });
  }
}

/** A leader with nobody waiting, and nothing under way. */
function isAtRest({ writes, queries, role }: State): boolean {
  if (role.type !== 'leader' || writes.length > 0 || queries.length > 0) return false;
  return role.reads.length === 0 && role.changeId === null && role.transfer === null;
}

/** A node whose disk and machine have nothing to do. */
function isIdle({ state, laneLength, logReads, views }: BareNode): boolean {
  const hasNobodyWaiting = state.writes.length === 0 && state.queries.length === 0;
  return laneLength === 0 && logReads === 0 && views === 0 && state.compacting === null && hasNobodyWaiting;
}
