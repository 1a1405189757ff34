import { type NodeId, type Outcome, OutcomeError, type Refusal } from '../core/index.ts';
import { withAdvice } from '../core/outcome-error.ts';

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
  | 'RAFT_BAD_RESULT'
  | 'RAFT_COMPACTED'
  | 'RAFT_TRANSFERRING'
  | 'RAFT_BUSY'
  | 'RAFT_CONFLICT'
  | 'RAFT_TRANSFER_FAILED'
  | 'RAFT_SNAPSHOT_FAILED'
  | 'RAFT_SESSION_EXPIRED'
  | 'RAFT_CLOSED'
  | 'RAFT_STOPPED';

/** A request of a node's caller that was not answered with a result. */
export class RequestError extends OutcomeError {
  override readonly name = 'RequestError';
  declare readonly code: RequestErrorCode;

  constructor(
    code: RequestErrorCode,
    outcome: Outcome,
    message: string,
    options?: { leaderId?: NodeId | null; cause?: unknown },
  ) {
    super(code, outcome, message, options);
  }
}

/** An error whose message ends with what it means for the data and what to do. */
export function requestError(
  code: RequestErrorCode,
  outcome: Outcome,
  what: string,
  options?: { leaderId?: NodeId | null; cause?: unknown },
): RequestError {
  return new RequestError(code, outcome, withAdvice(what, outcome), options);
}

/** What a core's refusal means to a caller. */
export function refusalError(reason: Refusal): RequestError {
  switch (reason.type) {
    case 'notLeader': {
      const { leaderId } = reason;
      return requestError('RAFT_NOT_LEADER', 'notCommitted', 'This node does not lead.', { leaderId });
    }
    case 'overloaded':
      return requestError('RAFT_OVERLOADED', 'notCommitted', 'The leader has too many requests under way.');
    case 'transferring': {
      const what = `Leadership is being handed over to ${reason.to}.`;
      return requestError('RAFT_TRANSFERRING', 'notCommitted', what, { leaderId: reason.to });
    }
    case 'busy':
      return requestError('RAFT_BUSY', 'notCommitted', `Not now: ${reason.detail}.`);
    case 'conflict':
      return requestError('RAFT_CONFLICT', 'notCommitted', `It depends on what is not so: ${reason.detail}.`);
    case 'timeout':
      return requestError('RAFT_TRANSFER_FAILED', 'notCommitted', `${reason.detail}.`);
    case 'invalid':
      return requestError('RAFT_BAD_REQUEST', 'notCommitted', `The request is malformed: ${reason.detail}.`);
  }
}

/** Whether a refusal only says that another node is, or is about to be, the one to ask. */
export function isElsewhere(code: string): boolean {
  return code === 'RAFT_NOT_LEADER' || code === 'RAFT_TRANSFERRING';
}

/** A request that makes no sense; `what` says how, without a full stop. */
export function badRequest(what: string): RequestError {
  return requestError('RAFT_BAD_REQUEST', 'notCommitted', `${what}.`);
}

/** A leader is known, and what waited here was held back for others to go with it, or could not be passed on. */
export function neverLeft(what: 'read' | 'write'): RequestError {
  return requestError(
    'RAFT_TIMEOUT',
    'notCommitted',
    `The ${what} had not left this node within the time limit.`,
  );
}

/** Nobody took the request before its deadline. `whyOutside`: why this node is in no cluster; `null` if it is in one. */
export function noLeader(whyOutside: string | null): RequestError {
  const what =
    whyOutside === null
      ? 'No leader was found within the time limit: fewer than a majority of the voters may be up.'
      : `This node belongs to no cluster yet: ${whyOutside}.`;
  return requestError('RAFT_NO_LEADER', 'notCommitted', what);
}

/** The leader that took the write stepped down before it was committed. */
export function lostLeadership(): RequestError {
  return requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The leader that took the write stepped down.');
}

/** The node that a write was passed on to can't answer any more. */
export function lostForward(to: NodeId): RequestError {
  const what = `${to} took the request and can't answer: the connection broke, or another node leads now.`;
  return requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', what);
}

/** The write is committed, but nobody can say with what result. */
export function badResult(index: number, cause: unknown, count = 1): RequestError {
  const isOne = count === 1;
  const where = isOne
    ? `The write is committed at index ${index}, but its result`
    : `The writes are committed at the indexes ${index} to ${index + count - 1}, but their results`;
  const again = isOne ? "Don't send it again: it has" : "Don't send them again: they have";
  const done = isOne ? 'it did' : 'they did';
  const message = `${where} can't be read: ${textOf(cause)}. ${again} been carried out. Read what ${done}.`;
  return new RequestError('RAFT_BAD_RESULT', 'unknown', message, { cause });
}

/** What went wrong, in words. */
export function textOf(cause: unknown): string {
  if (cause instanceof Error) return cause.message;
  try {
    return typeof cause === 'string' ? cause : (JSON.stringify(cause) ?? String(cause));
  } catch {
    return String(cause);
  }
}
