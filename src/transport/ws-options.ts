import { asyncScheduler, type SchedulerLike } from 'rxjs';
import { type BackoffLimits, defaultBackoff } from './backoff.ts';
import { clockOf } from './clock.ts';
import { TransportError } from './errors.ts';
import { limitProblems, limitsOf, problemList } from './limits.ts';
import { randomSeed } from './random.ts';

/** Bounds of a WebSocket transport: on time, and on what a peer, admitted or not, can cost. */
export interface WsLimits extends BackoffLimits {
  /** The largest message that is sent or received, in bytes; `send` drops a larger frame. Default 16 MiB. */
  readonly frameBytesMax: number;
  /**
   * Bytes that may wait for one peer. Beyond it AppendEntries with entries are dropped, since Raft sends them
   * again, and results of writes, as the leader does; a single one is taken whatever its size when nothing waits. Default 4 MiB.
   */
  readonly bufferedBytesMax: number;
  /** Bytes more for everything else: votes, heartbeats, answers, forwards. Default 1 MiB. */
  readonly headroomBytes: number;
  /**
   * While fewer bytes than this wait for a peer, a piece of a snapshot (at most 3.5 MiB) or of large results (128 KiB)
   * is taken, if it also fits into `bufferedBytesMax`. So this, and the piece, is what a heartbeat may find ahead of it. Default 512 KiB.
   */
  readonly snapshotBufferedBytesMax: number;
  /** Milliseconds that connection and handshake may take, on both ends. Default 3,000. */
  readonly handshakeTimeoutMs: number;
  /** Connections that have not finished their handshake; further ones are closed at once. Default 64. */
  readonly pendingConnectionsMax: number;
  /** Milliseconds between pings. Default 1,000. */
  readonly pingMs: number;
  /** Pings in a row during which not a byte arrived, until the connection counts as dead. Default 5. */
  readonly silentPingsMax: number;
  /** Milliseconds that a closing connection has to answer before it is cut. Default 500. */
  readonly closeTimeoutMs: number;
}

/** How a WebSocket transport is put together. */
export interface WsTransportOptions extends Partial<WsLimits> {
  /** Where peers dial in. Port 0 takes any free one: see `WsTransport.port`. Default host `127.0.0.1`. */
  readonly listen: { readonly host?: string; readonly port: number };
  /**
   * Allows a host other than loopback although connections are neither encrypted nor authenticated: anyone who
   * reaches the port can speak as a node. Default `false`: opening is refused with `RAFT_INSECURE_ADDRESS`.
   */
  readonly isInsecure?: boolean;
  /** Gives time to pings, time-outs and reconnection. Default `asyncScheduler`. */
  readonly scheduler?: SchedulerLike;
  /** Seeds the jitter of reconnection, together with the node's name. Default: drawn at random. */
  readonly seed?: number;
}

/** The options with every default filled in. */
export interface WsSettings {
  readonly host: string;
  readonly port: number;
  readonly isInsecure: boolean;
  readonly scheduler: SchedulerLike;
  /** Monotonic milliseconds; fractions are allowed. */
  readonly clock: () => number;
  readonly seed: number;
  readonly limits: WsLimits;
}

/**
 * Bytes of a handshake message, and of all that a peer may send before it is admitted. The largest hello, of a
 * hundred members with the longest names and URLs, has 58,000.
 */
export const handshakeBytesMax = 65_536;

const defaultLimits: WsLimits = {
  ...defaultBackoff,
  frameBytesMax: 16 * 1024 * 1024,
  bufferedBytesMax: 4 * 1024 * 1024,
  headroomBytes: 1024 * 1024,
  snapshotBufferedBytesMax: 512 * 1024,
  handshakeTimeoutMs: 3_000,
  pendingConnectionsMax: 64,
  pingMs: 1_000,
  silentPingsMax: 5,
  closeTimeoutMs: 500,
};

/** Fills in the defaults. Throws `RAFT_BAD_OPTIONS` for limits that are none, all of them at once. */
export function settingsOf(options: WsTransportOptions): WsSettings {
  const { listen, isInsecure, scheduler, seed } = options;
  const limits = limitsOf<WsLimits>(options, defaultLimits);
  const problems = limitProblems(limits);
  if (problems.length > 0) {
    throw new TransportError(
      'RAFT_BAD_OPTIONS',
      `The transport was not made, and nothing was changed:${problemList(problems)}`,
    );
  }
  return {
    host: listen.host ?? '127.0.0.1',
    port: listen.port,
    isInsecure: isInsecure ?? false,
    scheduler: scheduler ?? asyncScheduler,
    clock: clockOf(scheduler),
    seed: seed ?? randomSeed(),
    limits,
  };
}
