import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Config, configProblems, defaultConfig, RaftError } from '../core/index.ts';
import { declaredProblem } from '../transport/founding.ts';
import type { MemberAddress } from '../transport/transport.ts';
import type { Logger, RaftNodeOptions } from './raft-node.ts';
import { turnScheduler } from './turn-scheduler.ts';

/** Options with every default filled in. */
export interface Settings {
  readonly members: readonly MemberAddress[];
  readonly config: Config;
  readonly timeoutMs: number;
  readonly commandBytesMax: number;
  readonly pendingMax: number;
  readonly logger: Logger;
  readonly seed: number;
  readonly timeScheduler: SchedulerLike;
  readonly turnScheduler: SchedulerLike;
  /** Monotonic milliseconds; fractions are allowed. */
  readonly clock: () => number;
}

const nodeIdPattern = /^[A-Za-z0-9._-]{1,64}$/;

/** Fills in the defaults. Throws a `RaftError` with code `RAFT_BAD_OPTIONS` that names every problem at once. */
export function settingsOf<C, R, Q, A>(options: RaftNodeOptions<C, R, Q, A>): Settings {
  const { id, timeScheduler } = options;
  const electionMs = options.electionMs ?? defaultConfig.electionTimeoutMsMin;
  const settings: Settings = {
    members: options.members ?? [{ id, url: '' }],
    config: {
      ...defaultConfig,
      electionTimeoutMsMin: electionMs,
      electionTimeoutMsMax: 2 * electionMs,
      heartbeatIntervalMs: options.heartbeatMs ?? defaultConfig.heartbeatIntervalMs,
      tickIntervalMs: options.tickMs ?? defaultConfig.tickIntervalMs,
    },
    timeoutMs: options.timeoutMs ?? 5_000,
    commandBytesMax: options.commandBytesMax ?? 1024 * 1024 + 4096,
    pendingMax: options.pendingMax ?? 65_536,
    logger: options.logger ?? silent,
    seed: options.seed ?? randomSeed(),
    timeScheduler: timeScheduler ?? asyncScheduler,
    turnScheduler: options.turnScheduler ?? turnScheduler,
    clock: timeScheduler === undefined ? () => performance.now() : () => timeScheduler.now(),
  };
  const problems = [...optionProblems(options, settings), ...configProblems(settings.config)];
  if (problems.length > 0) {
    const list = problems.map((problem) => `\n  - ${problem}`).join('');
    throw new RaftError('RAFT_BAD_OPTIONS', `The node was not started, and nothing was changed:${list}`);
  }
  return settings;
}

function optionProblems<C, R, Q, A>(
  options: RaftNodeOptions<C, R, Q, A>,
  settings: Settings,
): readonly string[] {
  const problems: string[] = [];
  const ids = [options.id, ...settings.members.map((member) => member.id)];
  for (const id of new Set(ids)) {
    if (typeof id !== 'string' || !nodeIdPattern.test(id)) {
      problems.push(`the node name ${JSON.stringify(id)} is not 1 to 64 of A-Z a-z 0-9 . _ -, such as n1`);
    }
  }
  const declared = declaredProblem(options.id, settings.members);
  if (declared !== null) problems.push(declared);
  if (settings.members.length > 1 && options.transport === undefined) {
    problems.push(
      `${settings.members.length} members need a transport to reach each other, such as wsTransport(…)`,
    );
  }
  for (const name of ['machine', 'storage'] as const) {
    if (typeof options[name] !== 'object') problems.push(`${name} is ${options[name]}, expected an object`);
  }
  for (const name of ['timeoutMs', 'commandBytesMax', 'pendingMax'] as const) {
    if (!Number.isSafeInteger(settings[name]) || settings[name] < 1) {
      problems.push(`${name} is ${settings[name]}, expected a positive integer such as 5000`);
    }
  }
  return problems;
}

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };
