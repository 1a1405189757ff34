import type { IncomingMessage } from 'node:http';
import type { Observable } from 'rxjs';
import { RaftError } from '../core/index.ts';
import type { Codec } from './codec.ts';
import { limitProblems, limitsOf, problemList } from './limits.ts';

/** What clients ask of a node: a `RaftNode` is one. A `signal` aborts once the client is gone. */
export interface ServedNode<Result, Query, Answer> {
  readonly id: string;
  readonly leader$: Observable<string | null>;
  /** What is known of the cluster now. */
  status(): { readonly clusterId: string | null; readonly leaderId: string | null };
  /** Replicates commands that stand one after the other in the log; they have been decoded once. */
  writeEncoded(
    commands: readonly Uint8Array[],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<{ readonly index: number; readonly term: number; readonly results: readonly Result[] }>;
  /** Asks the state machine. */
  read(
    query: Query,
    options: {
      readonly consistency: 'linearizable' | 'session' | 'stale';
      readonly index: number;
      readonly timeoutMs: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<{ readonly value: Answer; readonly index: number; readonly ageMs: number | null }>;
}

/** Bounds on what the clients of one endpoint can cost. */
export interface ClientEndpointLimits {
  /** Connections at once; a further one is refused with 503. Default 1,024. */
  readonly connectionsMax: number;
  /** The longest message that is taken, in bytes. Default 4 MiB, or the largest command and 64 KiB if that is more. */
  readonly frameBytesMax: number;
  /** Requests of one connection without an answer; beyond it, `RAFT_OVERLOADED`. Default 4,096. */
  readonly requestsMax: number;
  /** Requests of all connections without an answer; beyond it the same. Default 32,768. */
  readonly allRequestsMax: number;
  /** Their bytes; beyond it the same, but for a message that is alone. Default 64 MiB. */
  readonly allRequestBytesMax: number;
  /** Milliseconds that a request may take, however many its client gives it. Default 60,000. */
  readonly timeoutMsMax: number;
  /** While more bytes of answers than this wait for a client, nothing is read from it. Default 1 MiB. */
  readonly bufferedBytesMax: number;
  /**
   * Beyond this a client that does not read is cut off. Answers to queries and results of commands do not bring it there:
   * they wait, not encoded yet, until there is room for them, and are no more than `requestsMax`. Default 64 MiB.
   */
  readonly bufferedBytesCut: number;
  /** Milliseconds that a client has to introduce itself. Default 3,000. */
  readonly handshakeTimeoutMs: number;
  /**
   * Milliseconds between pings; a client that leaves three in a row unanswered is cut off, unless 16 KiB or more of a
   * long message move between two of them. Default 5,000.
   */
  readonly pingMs: number;
  /**
   * Milliseconds that `close` waits until each client has heard of it and requests under way are answered, and then for
   * clients to hang up. Default 3,000.
   */
  readonly closeTimeoutMs: number;
}

/** Why an upgrade is refused: an HTTP status, and a reason for a person. */
export interface UpgradeRefusal {
  readonly status: number;
  readonly reason: string;
}

/** Where an endpoint tells what nobody foresaw; a logger such as `pino` is one. */
export interface EndpointLogger {
  /** An object of facts, then a sentence. */
  error(facts: object, message: string): void;
}

/** How an endpoint is put together. */
export interface ClientEndpointOptions<Command, Result, Query, Answer> extends Partial<ClientEndpointLimits> {
  readonly node: ServedNode<Result, Query, Answer>;
  /** The codec of the node's machine, with what `withSessions` makes of it. What it can't decode is never logged. */
  readonly command: Codec<Command>;
  readonly result: Codec<Result>;
  readonly query: Codec<Query>;
  readonly answer: Codec<Answer>;
  /** Whether the machine is wrapped in `withSessions`. */
  readonly hasSessions: boolean;
  /** The Raft group. Default 0. */
  readonly group?: number;
  /**
   * What is wrong with a command that can be decoded, in words for its caller; `null` lets it into the log. For limits
   * that the machine itself does not check.
   */
  readonly check?: (command: Command) => string | null;
  /**
   * Whether a connection is let in, by its `Host` and `Origin`. Default: whatever has an `Origin` is refused, which every
   * web page has: any page that its reader opens could write here. Where this throws, the connection is refused with 500.
   */
  readonly admit?: (request: IncomingMessage) => UpgradeRefusal | null;
  /**
   * Where clients reach another node, if that is known: a leader's address is told to clients of others. Where this throws,
   * or gives what is no WebSocket URL, that counts as not known.
   */
  readonly clientUrlOf?: (nodeId: string) => string | null;
  /** The most bytes of commands that the node takes at once: its `commandBytesMax`. Default 1 MiB + 4 KiB. */
  readonly commandBytesMax?: number;
  /** Told what nobody foresaw. Default: nobody. */
  readonly logger?: EndpointLogger;
}

/** The options with every default filled in. */
export interface EndpointSettings<Command, Result, Query, Answer>
  extends Required<Omit<ClientEndpointOptions<Command, Result, Query, Answer>, keyof ClientEndpointLimits>> {
  readonly limits: ClientEndpointLimits;
}

const defaultLimits: ClientEndpointLimits = {
  connectionsMax: 1_024,
  frameBytesMax: 4 * 1024 * 1024,
  requestsMax: 4_096,
  allRequestsMax: 32_768,
  allRequestBytesMax: 64 * 1024 * 1024,
  timeoutMsMax: 60_000,
  bufferedBytesMax: 1024 * 1024,
  bufferedBytesCut: 64 * 1024 * 1024,
  handshakeTimeoutMs: 3_000,
  pingMs: 5_000,
  closeTimeoutMs: 3_000,
};

/** Bytes of a message with one command, beside it, at most. */
const frameRoomBytes = 65_536;

/** Fills in the defaults. Throws `RAFT_BAD_OPTIONS` for limits that are none, all of them at once. */
export function endpointSettings<C, R, Q, A>(
  options: ClientEndpointOptions<C, R, Q, A>,
): EndpointSettings<C, R, Q, A> {
  const { commandBytesMax = 1024 * 1024 + 4096 } = options;
  const frameBytesMax = Math.max(defaultLimits.frameBytesMax, commandBytesMax + frameRoomBytes);
  const limits = limitsOf<ClientEndpointLimits>(options, { ...defaultLimits, frameBytesMax });
  const problems = limitProblems({ commandBytesMax, ...limits });
  if (problems.length > 0) {
    throw new RaftError(
      'RAFT_BAD_OPTIONS',
      `The endpoint was not made, and nothing was changed:${problemList(problems)}`,
    );
  }
  return {
    node: options.node,
    command: options.command,
    result: options.result,
    query: options.query,
    answer: options.answer,
    hasSessions: options.hasSessions,
    group: options.group ?? 0,
    check: options.check ?? (() => null),
    admit: options.admit ?? refuseWebPages,
    clientUrlOf: options.clientUrlOf ?? (() => null),
    commandBytesMax,
    logger: options.logger === undefined ? { error: () => undefined } : harmless(options.logger),
    limits,
  };
}

/** What a logger throws concerns nobody here: least of all when there is something bad to log. */
function harmless(logger: EndpointLogger): EndpointLogger {
  return {
    error(facts, message) {
      try {
        logger.error(facts, message);
      } catch {
        // It had its chance.
      }
    },
  };
}

function refuseWebPages({ headers: { origin } }: IncomingMessage): UpgradeRefusal | null {
  if (origin === undefined) return null;
  return { status: 403, reason: `web pages, such as those of ${origin}, may not write here` };
}
