import { type Outcome, RaftError } from '../../core/index.ts';

/**
 * A request of a client that was not answered with a result. `outcome` says what that means for the caller's data. The
 * codes are those of a node's requests, explained in `docs/errors.md`, and a few of the client's own.
 */
export class ClientError extends RaftError {
  override readonly name = 'ClientError';
  override readonly outcome: Outcome;
  /** Who leads, as far as is known. */
  readonly leaderId: string | null;

  constructor(
    code: string,
    outcome: Outcome,
    message: string,
    options?: { leaderId?: string | null; cause?: unknown },
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
export function clientError(
  code: string,
  outcome: Outcome,
  what: string,
  options?: { leaderId?: string | null; cause?: unknown },
): ClientError {
  return new ClientError(code, outcome, `${what} ${advice[outcome]}`, options);
}

/** The caller's signal has aborted. */
export function aborted(outcome: Outcome): ClientError {
  return clientError('RAFT_ABORTED', outcome, 'The caller gave the request up.');
}

/** The answer of a server can't be read, although what it answers is done. */
export function unreadable(cause: unknown): ClientError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `The request was carried out, but its answer can't be read: ${reason}. Don't send it again. Check that client and servers use the same codecs.`;
  return new ClientError('RAFT_BAD_RESULT', 'unknown', message, { cause });
}
