import { type NodeId, type Outcome, RaftError } from '../core/index.ts';

/** The stable codes of what can become of a request; explained in `docs/errors.md`. */
export type RequestErrorCode =
  | 'RAFT_NO_LEADER'
  | 'RAFT_NOT_LEADER'
  | 'RAFT_TIMEOUT'
  | 'RAFT_ABORTED'
  | 'RAFT_OVERLOADED'
  | 'RAFT_UNKNOWN_OUTCOME'
  | 'RAFT_COMMAND_TOO_LARGE'
  | 'RAFT_BAD_COMMAND'
  | 'RAFT_BAD_REQUEST'
  | 'RAFT_COMPACTED'
  | 'RAFT_CLOSED'
  | 'RAFT_STOPPED';

/** A request that was not answered with a result. `outcome` says what that means for the caller's data. */
export class RequestError extends RaftError {
  override readonly name = 'RequestError';
  declare readonly code: RequestErrorCode;
  override readonly outcome: Outcome;
  /** Who leads, as far as is known. */
  readonly leaderId: NodeId | null;

  constructor(
    code: RequestErrorCode,
    outcome: Outcome,
    message: string,
    options?: { leaderId?: NodeId | null; cause?: unknown },
  ) {
    super(code, message, options?.cause === undefined ? { outcome } : { outcome, cause: options.cause });
    this.outcome = outcome;
    this.leaderId = options?.leaderId ?? null;
  }
}

const advice: Record<Outcome, string> = {
  notCommitted: 'Nothing was changed; it is safe to send it again.',
  unknown: 'It may or may not have been carried out; read before sending it again.',
};

/** An error whose message ends with what it means for the data and what to do. */
export function requestError(
  code: RequestErrorCode,
  outcome: Outcome,
  what: string,
  leaderId: NodeId | null = null,
): RequestError {
  return new RequestError(code, outcome, `${what} ${advice[outcome]}`, { leaderId });
}
