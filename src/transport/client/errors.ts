import { type Outcome, OutcomeError } from '../../core/index.ts';
import { withAdvice } from '../../core/outcome-error.ts';

/**
 * A request of a client that was not answered with a result. `outcome` says what that means for the caller's data. The
 * codes are those of a node's requests, explained in `docs/errors.md`, and a few of the client's own.
 */
export class ClientError extends OutcomeError {
  override readonly name = 'ClientError';
}

/** An error whose message ends with what it means for the data and what to do. */
export function clientError(
  code: string,
  outcome: Outcome,
  what: string,
  options?: { leaderId?: string | null; cause?: unknown },
): ClientError {
  return new ClientError(code, outcome, withAdvice(what, outcome), options);
}

/** A command gets no session, for the reason that one was not opened for. */
export function noSession({ code, message }: ClientError, outcome: Outcome): ClientError {
  if (outcome === 'notCommitted')
    return new ClientError(code, outcome, `A session can't be opened: ${message}`);
  const what = `An earlier sending of it may be in the log, and no session can be opened to send it again: ${code}.`;
  return clientError(code, outcome, what);
}

/** The caller's signal has aborted. */
export function aborted(outcome: Outcome): ClientError {
  return clientError('RAFT_ABORTED', outcome, 'The caller gave the request up.');
}

/** A command is committed, and its result can't be read. */
export function unreadableResult(cause: unknown): ClientError {
  const what = `The command is committed, but its result can't be read: ${textOf(cause)}. Don't send it again.`;
  return new ClientError('RAFT_BAD_RESULT', 'unknown', `${what} ${sameCodecs}`, { cause });
}

/** The answer to a query can't be read. */
export function unreadableAnswer(cause: unknown): ClientError {
  const what = `The answer to the query can't be read: ${textOf(cause)}.`;
  return new ClientError('RAFT_BAD_RESULT', 'notCommitted', `${what} ${sameCodecs}`, { cause });
}

const sameCodecs = 'Check that client and servers use the same codecs.';

/** What went wrong, in words. */
export function textOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
