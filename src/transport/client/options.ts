import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { RaftError } from '../../core/index.ts';
import { urlPattern } from '../../core/member-rules.ts';
import { defaultBackoff } from '../backoff.ts';
import { clockOf } from '../clock.ts';
import type { Codec } from '../codec.ts';
import { countProblems, limitProblems, limitsOf, problemList } from '../limits.ts';
import { randomSeed } from '../random.ts';
import { turnScheduler } from '../turn-scheduler.ts';
import type { QueueLimits } from './call-queue.ts';
import type { LinkLimits } from './links.ts';
import { type ClientSocketConstructor, globalWebSocket } from './web-socket.ts';

/** Bounds of a client: on time, and on what waits for an answer. */
export interface ClientLimits extends LinkLimits, QueueLimits {
  /** Requests without an answer, sent or not; beyond it `RAFT_OVERLOADED`. Default 65,536. */
  readonly pendingMax: number;
  /** Their bytes; beyond it the same, but for a request that is alone. Default 64 MiB. */
  readonly pendingBytesMax: number;
  /** While so many bytes wait for the network, further requests wait in the client. Default 4 MiB. */
  readonly bufferedBytesMax: number;
  /**
   * Commands of the session under way at once; the others wait. At most the `resultsMax` of the servers' sessions, or
   * some commands are refused. Default 1,000.
   */
  readonly sessionRequestsMax: number;
}

/** How a client is put together. */
export interface RaftClientOptions<Command, Result, Query, Answer> extends Partial<ClientLimits> {
  /** Servers of one cluster, such as `ws://127.0.0.1:8101/client`. One is enough if it knows where the leader is. */
  readonly urls: readonly string[];
  /** The codec of the state machine's commands: of the machine itself, not of what `withSessions` makes of it. */
  readonly command: Codec<Command>;
  /** The codec of its results. */
  readonly result: Codec<Result>;
  /** The codec of its queries, the same as the servers'. */
  readonly query: Codec<Query>;
  /** The codec of its answers, the same as the servers'. */
  readonly answer: Codec<Answer>;
  /**
   * Whether commands are written through a client session, so that one that is sent again is applied once. Default
   * `true`, where the servers' machine is wrapped in `withSessions`.
   */
  readonly session?: boolean;
  /** The Raft group. Default 0. */
  readonly group?: number;
  /** How long a request may take, in milliseconds, unless it says otherwise. Default 5,000. */
  readonly timeoutMs?: number;
  /**
   * Makes WebSockets. Default: the global one, which browsers have, and Node from version 22 on. Where there is none, as on
   * Node 20, this is needed: `ClientWebSocket` of `rxraft/transport`, or the `WebSocket` of `ws`.
   */
  readonly WebSocket?: ClientSocketConstructor;
  /** Gives time to deadlines, pings and reconnection. Default `asyncScheduler`. */
  readonly timeScheduler?: SchedulerLike;
  /** Runs what ends an event-loop turn. Default: on `setImmediate`, or the next timer where there is none. */
  readonly turnScheduler?: SchedulerLike;
  /** Seeds the jitter of reconnection. Default: drawn at random. */
  readonly seed?: number;
}

/** The options with every default filled in. */
export interface ClientSettings {
  readonly urls: readonly string[];
  readonly wantsSession: boolean;
  readonly group: number;
  readonly timeoutMs: number;
  readonly WebSocket: ClientSocketConstructor;
  readonly timeScheduler: SchedulerLike;
  /** Monotonic milliseconds; fractions are allowed. */
  readonly clock: () => number;
  readonly turnScheduler: SchedulerLike;
  readonly seed: number;
  readonly limits: ClientLimits;
}

const defaultLimits: ClientLimits = {
  ...defaultBackoff,
  handshakeTimeoutMs: 3_000,
  pingMs: 1_000,
  pendingMax: 65_536,
  pendingBytesMax: 64 * 1024 * 1024,
  bufferedBytesMax: 4 * 1024 * 1024,
  sessionRequestsMax: 1_000,
};

/** Fills in the defaults. Throws a `RaftError` with code `RAFT_BAD_OPTIONS` that names every problem at once. */
export function settingsOf<C, R, Q, A>(options: RaftClientOptions<C, R, Q, A>): ClientSettings {
  const limits = limitsOf<ClientLimits>(options, defaultLimits);
  const { WebSocket = globalWebSocket(), urls, timeoutMs = 5_000, timeScheduler } = options;
  const problems = [...urlProblems(urls), ...limitProblems(limits), ...countProblems({ timeoutMs })];
  if (WebSocket === undefined) {
    problems.push(
      'there is no global WebSocket here, expected the option WebSocket: ClientWebSocket of rxraft/transport, or that of `ws`',
    );
  }
  if (problems.length > 0 || WebSocket === undefined) {
    throw new RaftError(
      'RAFT_BAD_OPTIONS',
      `The client was not started, and nothing was sent:${problemList(problems)}`,
    );
  }
  return {
    urls,
    wantsSession: options.session ?? true,
    group: options.group ?? 0,
    timeoutMs,
    WebSocket,
    timeScheduler: timeScheduler ?? asyncScheduler,
    clock: clockOf(timeScheduler),
    turnScheduler: options.turnScheduler ?? turnScheduler,
    seed: options.seed ?? randomSeed(),
    limits,
  };
}

function urlProblems(urls: readonly string[]): string[] {
  if (!Array.isArray(urls) || urls.length === 0)
    return ['urls is empty, expected servers such as ws://127.0.0.1:8101/client'];
  return urls
    .filter((url) => !urlPattern.test(url) || url.includes('#'))
    .map((url) => `${JSON.stringify(url)} is not a WebSocket URL such as ws://127.0.0.1:8101/client`);
}
