/** What an error means for the caller's data: nothing happened, or it may yet happen (rule 22). */
export type Outcome = 'notCommitted' | 'unknown';

/**
 * An error with a stable code, explained in `docs/errors.md`. Its message says what happened, what it
 * means for the caller's data, and what to do.
 */
export class RaftError extends Error {
  override readonly name: string = 'RaftError';
  /** Stable, upper case, such as `RAFT_NO_LEADER`. */
  readonly code: string;
  /** For a request: `notCommitted` is safe to send again, `unknown` may already have been carried out. */
  readonly outcome: Outcome | undefined;

  constructor(code: string, message: string, options?: { outcome?: Outcome; cause?: unknown }) {
    super(message, options?.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.outcome = options?.outcome;
  }
}
