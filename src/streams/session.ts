import { RequestError, requestError } from './errors.ts';
import type { Committed, RaftNode, RequestOptions } from './raft-node.ts';
import type { SessionCommand, SessionResult } from './sessions.ts';

/** A node whose machine is wrapped in `withSessions`. */
export type SessionNode<Command, Result> = Pick<
  // biome-ignore lint/suspicious/noExplicitAny: no queries are asked here.
  RaftNode<SessionCommand<Command>, SessionResult<Result>, any, any>,
  'write'
>;

/** How a session is opened. */
export interface SessionOptions extends RequestOptions {
  /** Monotonic milliseconds. Default: those of the process. */
  readonly clock?: () => number;
}

/** A client session (thesis §6.3): what is written through it is applied once, however often it has to be sent. */
export interface Session<Command, Result> {
  /** The index of the command that opened it. */
  readonly id: number;
  /**
   * Replicates a command, and sends it again whenever its outcome is unknown, until `timeoutMs` have passed
   * (default 5,000). Commands may be under way together.
   *
   * Rejects as `RaftNode.write` does, with `unknown` if the time was not enough; and with `RAFT_SESSION_EXPIRED`, if
   * nobody used the session for too long.
   */
  write(command: Command, options?: RequestOptions): Promise<Committed<Result>>;
}

/**
 * Opens a session, through a node of a cluster whose machine is wrapped in `withSessions`. There is nothing to
 * close: a session that nobody uses expires.
 *
 * ```ts
 * const session = await openSession(node);
 * const { result } = await session.write(5); // Added once, whatever becomes of leaders and connections meanwhile.
 * ```
 */
export async function openSession<Command, Result>(
  node: SessionNode<Command, Result>,
  { clock = () => performance.now(), ...options }: SessionOptions = {},
): Promise<Session<Command, Result>> {
  const open = (limits: RequestOptions) => node.write({ type: 'open' }, limits);
  const { result } = await untilKnown(open, { options, clock }); // One opened in vain expires.
  if (result.type !== 'opened') throw refused(result.type);
  return new ClientSession(node, { id: result.session, clock });
}

class ClientSession<Command, Result> implements Session<Command, Result> {
  readonly id: number;
  readonly #node: SessionNode<Command, Result>;
  readonly #clock: () => number;
  /** Sequences whose caller still waits, ascending. */
  readonly #unanswered = new Set<number>();
  #lastSequence = 0;

  constructor(
    node: SessionNode<Command, Result>,
    { id, clock }: { readonly id: number; readonly clock: () => number },
  ) {
    this.id = id;
    this.#node = node;
    this.#clock = clock;
  }

  async write(command: Command, options: RequestOptions = {}): Promise<Committed<Result>> {
    this.#lastSequence += 1;
    const sequence = this.#lastSequence;
    this.#unanswered.add(sequence);
    const send = (limits: RequestOptions) => {
      const [lowestUnanswered = sequence] = this.#unanswered;
      const stamp = { session: this.id, sequence, lowestUnanswered };
      return this.#send({ type: 'once', command, ...stamp }, limits);
    };
    try {
      return await untilKnown(send, { options, clock: this.#clock });
    } finally {
      this.#unanswered.delete(sequence); // Whatever it was answered: it is not sent again.
    }
  }

  async #send(command: SessionCommand<Command>, limits: RequestOptions): Promise<Committed<Result>> {
    const { index, term, result } = await this.#node.write(command, limits);
    if (result.type === 'applied') return { index, term, result: result.result };
    throw refused(result.type);
  }
}

/**
 * Sends again what a leader or a connection was lost with. The node itself waits for the next leader. Once a copy
 * may be in the log, nothing that becomes of a later one makes the command `notCommitted` (rule 22).
 */
async function untilKnown<T>(
  send: (limits: RequestOptions) => Promise<T>,
  { options, clock }: { readonly options: RequestOptions; readonly clock: () => number },
): Promise<T> {
  const { timeoutMs = 5_000 } = options;
  const deadlineMs = clock() + timeoutMs;
  let mayBeDone = false;
  for (let remainingMs = timeoutMs; ; ) {
    try {
      return await send({ ...options, timeoutMs: remainingMs });
    } catch (error) {
      remainingMs = deadlineMs - clock();
      const isLost = error instanceof RequestError && error.code === 'RAFT_UNKNOWN_OUTCOME';
      if (!isLost || !(remainingMs > 0)) throw mayBeDone ? stillUnknown(error) : error;
      mayBeDone = true;
    }
  }
}

/** The last copy of a command was refused, and an earlier one may be in the log. */
function stillUnknown(error: unknown): unknown {
  if (!(error instanceof RequestError) || error.outcome === 'unknown') return error;
  const what = `An earlier sending of it may be in the log, and this is how the last one ended: ${error.code}.`;
  return requestError(error.code, 'unknown', what, { leaderId: error.leaderId, cause: error });
}

function refused(type: SessionResult<unknown>['type']): RequestError {
  if (type === 'overloaded') {
    const what = 'There are too many sessions, or too many unanswered commands in this one.';
    return requestError('RAFT_OVERLOADED', 'notCommitted', what);
  }
  return requestError('RAFT_SESSION_EXPIRED', 'unknown', 'The session is unknown or has expired.');
}
