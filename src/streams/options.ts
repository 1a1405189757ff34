import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type Config, defaultConfig, RaftError } from '../core/index.ts';
import { nameProblem } from '../core/member-rules.ts';
import { clockOf } from '../transport/clock.ts';
import { declaredProblem } from '../transport/declared-members.ts';
import { problemList, timerProblems } from '../transport/limits.ts';
import { isPeerUrl } from '../transport/member-rules.ts';
import type { MemberAddress } from '../transport/transport.ts';
import { turnScheduler } from '../transport/turn-scheduler.ts';
import type { Logger, RaftNodeOptions } from './raft-node.ts';

/** Options with every default filled in. */
export interface Settings {
  readonly members: readonly MemberAddress[];
  readonly config: Config;
  readonly timeoutMs: number;
  readonly closeTimeoutMs: number;
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  readonly commandBytesMax: number;
  readonly pendingMax: number;
  readonly recordLast: number;
  readonly logger: Logger;
  readonly seed: number;
  readonly timeScheduler: SchedulerLike;
  readonly turnScheduler: SchedulerLike;
  /** Monotonic milliseconds; fractions are allowed. */
  readonly clock: () => number;
}

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
      appendBytesMax: appendBytesMaxOf(options.transport?.frameBytesMax),
    },
    timeoutMs: options.timeoutMs ?? 5_000,
    closeTimeoutMs: options.closeTimeoutMs ?? 5_000,
    snapshotEntries: options.snapshotEntries ?? 100_000,
    snapshotBytes: options.snapshotBytes ?? 64 * 1024 * 1024,
    commandBytesMax: options.commandBytesMax ?? 1024 * 1024 + 4096,
    pendingMax: options.pendingMax ?? 65_536,
    recordLast: options.recordLast ?? 0,
    logger: options.logger === undefined ? silent : harmless(options.logger),
    seed: options.seed ?? randomSeed(),
    timeScheduler: timeScheduler ?? asyncScheduler,
    turnScheduler: options.turnScheduler ?? turnScheduler,
    clock: clockOf(timeScheduler),
  };
  const problems = [
    ...partProblems(options),
    ...memberProblems(options),
    ...numberProblems(settings),
    ...frameProblems(settings, options.transport?.frameBytesMax),
  ];
  if (problems.length > 0) {
    throw new RaftError(
      'RAFT_BAD_OPTIONS',
      `The node was not started, and nothing was changed:${problemList(problems)}`,
    );
  }
  return settings;
}

function partProblems<C, R, Q, A>(options: RaftNodeOptions<C, R, Q, A>): readonly string[] {
  return (['machine', 'storage'] as const).flatMap((name) => {
    const part: unknown = options[name];
    const isThere = typeof part === 'object' && part !== null;
    return isThere ? [] : [`${name} is ${part}, expected an object such as ${exampleOf[name]}`];
  });
}

function memberProblems<C, R, Q, A>({
  id,
  members = [{ id, url: '' }],
  transport,
}: RaftNodeOptions<C, R, Q, A>): readonly string[] {
  if (!Array.isArray(members)) return [`members is ${typeof members}, expected a list of { id, url }`];
  const ids = new Set<unknown>([
    id,
    ...members.map((member: unknown) => (member as { id?: unknown } | null)?.id),
  ]);
  const problems = [...ids].map(nameProblem).filter((problem) => problem !== undefined);
  if (problems.length === 0) {
    const declared = declaredProblem(id, members);
    if (declared !== null) problems.push(declared);
    const lacksUrl = members.filter(({ url }) => members.length > 1 && !isPeerUrl(url));
    for (const { id: name, url } of lacksUrl)
      problems.push(`the URL of ${name} is ${JSON.stringify(url)}, expected one such as ws://10.0.0.4:7101`);
  }
  if (members.length !== 1 && transport === undefined) {
    problems.push(`${members.length} members need a transport to reach each other, such as wsTransport(…)`);
  }
  return problems;
}

/** In the names of the options, not of what the core makes of them. */
function numberProblems(settings: Settings): readonly string[] {
  const { electionTimeoutMsMin, heartbeatIntervalMs, tickIntervalMs } = settings.config;
  const positive: Readonly<Record<string, readonly [value: number, example: number]>> = {
    electionMs: [electionTimeoutMsMin, 500],
    heartbeatMs: [heartbeatIntervalMs, 100],
    tickMs: [tickIntervalMs, 25],
    timeoutMs: [settings.timeoutMs, 5_000],
    closeTimeoutMs: [settings.closeTimeoutMs, 5_000],
    commandBytesMax: [settings.commandBytesMax, 1_048_576],
    pendingMax: [settings.pendingMax, 65_536],
    snapshotEntries: [settings.snapshotEntries, 100_000],
    snapshotBytes: [settings.snapshotBytes, 67_108_864],
  };
  const problems = Object.entries(positive)
    .filter(([, [value]]) => !Number.isSafeInteger(value) || value < 1)
    .map(([name, [value, example]]) => `${name} is ${value}, expected a positive integer such as ${example}`);
  // The others are counted in ticks.
  problems.push(...timerProblems({ tickMs: tickIntervalMs, closeTimeoutMs: settings.closeTimeoutMs }));
  if (!Number.isSafeInteger(settings.recordLast) || settings.recordLast < 0)
    problems.push(`recordLast is ${settings.recordLast}, expected a number of steps such as 1000, or 0`);
  if (!Number.isSafeInteger(settings.seed)) problems.push(`seed is ${settings.seed}, expected an integer`);
  if (heartbeatIntervalMs * 2 > electionTimeoutMsMin) {
    problems.push(
      `heartbeatMs is ${heartbeatIntervalMs} and electionMs ${electionTimeoutMsMin}, ` +
        'expected at least two heartbeats in the shortest timeout, such as 100 and 500',
    );
  }
  if (tickIntervalMs > heartbeatIntervalMs) {
    problems.push(
      `tickMs is ${tickIntervalMs} and heartbeatMs ${heartbeatIntervalMs}, ` +
        'expected ticks at least as often as heartbeats, such as 25 and 100',
    );
  }
  return problems;
}

/**
 * Payload bytes that a follower that lags is sent at once. A sixteenth of a frame, since a batch of four bytes has
 * a header of 48: what no frame holds would be dropped each time, and the follower never catch up.
 */
function appendBytesMaxOf(frameBytesMax = Number.POSITIVE_INFINITY): number {
  return Math.max(1, Math.min(defaultConfig.appendBytesMax, Math.floor(frameBytesMax / 16)));
}

/** What surrounds the commands in a frame, generously. */
const frameOverheadBytes = 1024;

/** A command that no frame holds would be appended, never reach a follower, and block all that come after it. */
function frameProblems({ commandBytesMax }: Settings, frameBytesMax = Number.POSITIVE_INFINITY): string[] {
  const largest = frameBytesMax - frameOverheadBytes;
  if (!(commandBytesMax > largest)) return [];
  return [
    `commandBytesMax is ${commandBytesMax}, and the transport takes frames of ${frameBytesMax} bytes (its ` +
      `frameBytesMax), expected at most ${largest}, so that every command can be replicated`,
  ];
}

const exampleOf = { machine: 'reducer(…)', storage: 'memoryStorage()' };

function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] as number;
}

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** What a logger throws concerns nobody here: least of all when there is something bad to log. */
function harmless(logger: Logger): Logger {
  const guarded =
    (level: keyof Logger) =>
    (facts: object, message: string): void => {
      try {
        logger[level](facts, message);
      } catch {
        // It had its chance.
      }
    };
  return {
    debug: guarded('debug'),
    info: guarded('info'),
    warn: guarded('warn'),
    error: guarded('error'),
  };
}
