import type { NodeId } from '../../core/index.ts';
import type { RequestOptions } from '../../streams/raft-node.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import { turnScheduler } from '../../transport/turn-scheduler.ts';
import { Dice } from '../dice.ts';
import { InvariantViolation } from '../violation.ts';
import type { ChangeCounts } from './change-counts.ts';
import { Clients } from './clients.ts';
import type { FaultCounts, RunCounts } from './counts.ts';
import type { FaultKind } from './fault-kinds.ts';
import { strike } from './faults.ts';
import { NetworkPeriods } from './network-periods.ts';
import { Operator } from './operator.ts';
import type { Operation, SimulateOptions } from './options.ts';
import { DrawnPlan, GivenPlan, type Plan, type PlanItem } from './plan.ts';
import { recover } from './recovery.ts';
import { outcomeOf, RequestLog } from './request-log.ts';
import { SimCluster } from './sim-cluster.ts';
import type { SimProcess } from './sim-process.ts';
import { drawWeather, type Weather } from './weather.ts';

/** Options with every default filled in. */
export interface RunSettings<Command, Result, Query, Answer> {
  readonly seed: number;
  readonly nodes: number;
  readonly steps: number;
  /** With sessions, where they are asked for: then `onExecute` is told of each command that goes on to the wrapped one. */
  readonly machine: (id: NodeId, onExecute?: () => void) => StateMachine<Command, Result, Query, Answer>;
  readonly workload: (dice: Dice, number: number) => Operation<Command, Query>;
  readonly hasSessions: boolean;
  readonly kinds: readonly FaultKind[];
  readonly checks: NonNullable<SimulateOptions<Command, Result, Query, Answer>['checks']>;
  readonly node: SimulateOptions<Command, Result, Query, Answer>['node'];
  readonly onStep: SimulateOptions<Command, Result, Query, Answer>['onStep'];
}

/** A plan to follow in place of the one that is drawn. */
export interface Script {
  readonly items: readonly PlanItem[];
  /** When the faults end. */
  readonly stormMs: number;
  /** Whether what follows is left out: what is looked for happened before. */
  readonly endsThere: boolean;
}

/** What was done in a run, in words. */
export interface Told {
  readonly item: PlanItem;
  readonly text: string;
}

/** A fault that lasts. */
export interface Lasting {
  readonly durationMs: number;
  /** Asked once, when it ends. */
  readonly hadEffect: () => boolean;
  readonly end?: () => void;
}

/** How a run ended. */
export interface Outcome {
  /** `undefined` if all is well. */
  readonly failure: unknown;
  readonly counts: RunCounts;
  readonly faults: FaultCounts;
  readonly changes: ChangeCounts;
  readonly told: readonly Told[];
  readonly stormMs: number;
  /** Whether it failed before the faults ended. */
  readonly isStormy: boolean;
  readonly virtualMs: number;
  readonly digest: string;
}

/** How long a cluster may take to be founded and elect a leader, before the faults begin. */
const foundingMsMax = 20_000;
/** A run whose clock is this far on is stuck: virtual milliseconds for each step. */
const msPerStepMax = 100;

/** One run: a storm of faults, then a calm in which the cluster must recover. */
export class Run<Command, Result, Query, Answer> {
  readonly settings: RunSettings<Command, Result, Query, Answer>;
  readonly weather: Weather;
  readonly cluster: SimCluster<Command, Result, Query, Answer>;
  readonly requests: RequestLog;
  readonly clients: Clients<Command, Result, Query, Answer>;
  readonly operator: Operator<Command, Result, Query, Answer>;
  readonly network: NetworkPeriods;
  readonly faults: FaultCounts = {};
  /** What ends by itself after a while, and must be ended when the storm is over. */
  readonly lasting = new Set<() => void>();
  readonly #script: Script | undefined;
  readonly #plan: Plan;
  readonly #told: Told[] = [];
  #isStormy = true;
  #stormMs = 0;

  constructor(settings: RunSettings<Command, Result, Query, Answer>, script?: Script) {
    const { seed, nodes, steps, kinds, machine, node, onStep } = settings;
    this.settings = settings;
    this.#script = script;
    const dice = new Dice(seed * 31 + nodes);
    this.weather = drawWeather(dice);
    this.cluster = new SimCluster({
      seed,
      founders: Array.from({ length: nodes }, (_, at) => `n${at + 1}`),
      weather: this.weather,
      machine,
      node: { ...node, ...(script === undefined && onStep !== undefined && { onStep }) },
      onDiskFailure: (id) => this.#onDiskFailure(id),
    });
    this.network = new NetworkPeriods(this.cluster.network, this.weather.network.faults);
    const { counts, history } = this.cluster;
    this.requests = new RequestLog({ counts, commitIndex: () => history.commitIndex });
    this.clients = new Clients(this);
    this.operator = new Operator(this);
    const { clientMs } = this.weather;
    this.#plan = script ? new GivenPlan(script.items) : new DrawnPlan({ seed, steps, clientMs, kinds });
  }

  get founders(): readonly NodeId[] {
    return Array.from({ length: this.settings.nodes }, (_, at) => `n${at + 1}`);
  }

  get nowMs(): number {
    return this.cluster.scheduler.now();
  }

  /** Whether faults still strike. */
  get isStormy(): boolean {
    return this.#isStormy;
  }

  /** A fault of this kind had an effect. */
  count(kind: FaultKind): void {
    this.faults[kind] = (this.faults[kind] ?? 0) + 1;
  }

  /** A fault of this kind had no effect: another shall strike. */
  again(kind: FaultKind): void {
    this.#plan.putBack(kind);
  }

  /** Begins something that `end` ends: after so long, or when the storm is over. */
  last(durationMs: number, end: () => void): void {
    const once = () => {
      if (this.lasting.delete(once)) end();
    };
    this.lasting.add(once);
    this.cluster.scheduler.runAfter(durationMs, once);
  }

  /** As {@link Run.last}; what goes on is a fault of a kind, which counts if it had an effect by its end. */
  lastKind(kind: FaultKind, { durationMs, hadEffect, end = () => {} }: Lasting): void {
    this.last(durationMs, () => {
      if (hadEffect()) this.count(kind);
      else this.again(kind);
      end();
    });
  }

  /** Starts a node that does not run; after so long, or when the storm is over. */
  startAgain(id: NodeId, afterMs: number, options?: { readonly isJoining: boolean }): void {
    this.last(afterMs, () => {
      if (this.cluster.process(id) === undefined) this.cluster.start(id, options);
    });
  }

  #onDiskFailure(id: NodeId): void {
    this.count('diskFailure');
    this.startAgain(id, 100, { isJoining: this.operator.isJoiner(id) });
  }

  async go(): Promise<Outcome> {
    try {
      await this.#weatherTheStorm();
      if (this.cluster.failure === undefined && !this.#script?.endsThere) await recover(this);
    } catch (error) {
      this.cluster.fail(error);
    }
    this.cluster.close();
    return {
      failure: this.cluster.failure,
      counts: this.cluster.counts,
      faults: this.faults,
      changes: this.operator.changes,
      told: this.#told,
      stormMs: this.#stormMs,
      isStormy: this.#isStormy,
      virtualMs: this.nowMs,
      digest: this.cluster.steps.digest.toString(),
    };
  }

  async #weatherTheStorm(): Promise<void> {
    const { cluster } = this;
    const dice = new Dice(this.settings.seed * 17 + 3);
    for (const id of this.founders)
      cluster.scheduler.runAfter(dice.below(this.weather.startMs + 1), () => cluster.start(id));
    const hasBegun = () => cluster.leader !== undefined && cluster.running.length === this.founders.length;
    await this.until(hasBegun, { limitMs: foundingMsMax, what: 'the cluster is founded and has a leader' });
    const endMs = this.#script?.stormMs ?? this.nowMs + this.settings.steps * msPerStepMax;
    while (cluster.failure === undefined && this.nowMs < endMs) {
      if (this.#script === undefined && this.#hasHadEnough) break;
      this.#plan.advance({ atMs: this.nowMs, steps: cluster.counts.steps });
      await this.advance(endMs);
    }
    if (cluster.failure !== undefined) return;
    this.#isStormy = false;
    this.#stormMs = this.nowMs;
  }

  /** A kind that had no effect yet has half as many steps more. */
  get #hasHadEnough(): boolean {
    const { kinds, steps } = this.settings;
    const taken = this.cluster.counts.steps;
    return taken >= 1.5 * steps || (taken >= steps && kinds.every((kind) => this.faults[kind] !== undefined));
  }

  /** On to the next moment at which something is due; then promises have their turn. */
  async advance(endMs: number): Promise<void> {
    const { scheduler } = this.cluster;
    const nextMs = Math.min(endMs, scheduler.nextAtMs ?? endMs);
    const planMs = this.#isStormy ? this.#plan.nextAtMs : undefined;
    if (planMs !== undefined && planMs < nextMs) {
      scheduler.advanceTo(planMs);
      this.#do(this.#plan.take() as PlanItem);
    } else scheduler.advanceTo(nextMs);
    await turn();
  }

  #do(item: PlanItem): void {
    const dice = new Dice(item.seed);
    const text = item.kind === 'client' ? this.clients.ask(dice, item.number) : strike(item.kind, this, dice);
    if (text !== null) this.#told.push({ item, text });
    else if (item.kind !== 'client') this.#plan.putBack(item.kind);
  }

  /** Lets time pass until something holds. Throws an `InvariantViolation` if it does not within the limit. */
  async until(
    holds: () => boolean,
    { limitMs, what }: { readonly limitMs: number; readonly what: string },
  ): Promise<void> {
    const endMs = this.nowMs + limitMs;
    while (!holds()) {
      if (this.cluster.failure !== undefined) throw this.cluster.failure;
      if (this.nowMs >= endMs) throw new InvariantViolation(this.#tooLate(limitMs, what));
      await this.advance(endMs);
    }
  }

  /** Resolves when so much time has passed; somebody else has to let it pass. */
  sleep(durationMs: number): Promise<void> {
    return new Promise((resolve) => this.cluster.scheduler.runAfter(durationMs, () => resolve()));
  }

  #tooLate(limitMs: number, what: string): string {
    const nodes = this.cluster.processes.map((process) => explained(process));
    return `within ${limitMs} ms it did not come true that ${what}:\n${nodes.join('\n')}`;
  }

  /** Asks a node for something, in its own time; it may stand still for the moment. */
  request(
    process: SimProcess<Command, Result, Query, Answer>,
    what: string,
    work: (options: RequestOptions) => Promise<unknown>,
  ): Promise<boolean> {
    return new Promise((resolve) => {
      const request = this.requests.beginOther(what);
      const end = (isDone: boolean) => {
        this.requests.end(request);
        resolve(isDone);
      };
      const refuse = (error: unknown) => {
        try {
          outcomeOf(error, what);
        } catch (violation) {
          this.cluster.fail(violation);
        }
        end(false);
      };
      process.loop.run(
        () =>
          void work({ timeoutMs: 2000 }).then(
            () => process.isAlive && end(true),
            (error) => process.isAlive && refuse(error),
          ),
      );
      process.subscription.add(() => {
        this.requests.end(request);
        resolve(false);
      });
    });
  }
}

function explained<C, R, Q, A>({ id, node, state }: SimProcess<C, R, Q, A>): string {
  if (node === null) return `  ${id} has not opened its disk`;
  if (state === null) return `  ${id} belongs to no cluster`;
  const place = `term ${state.currentTerm}, ${state.log.lastIndex} entries, ${state.commitIndex} committed, ${state.lastApplied} applied`;
  const words = node.explain().map(({ text }) => `\n      ${text}`);
  return `  ${id} is ${state.role.type}, ${place}${words.join('')}`;
}

/** Every promise that can go on has gone on. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    turnScheduler.schedule(() => resolve());
  });
}
