import { type Outcome, RaftError } from './errors.ts';
import type { NodeId } from './types.ts';

/** A request that was not answered with a result. `outcome` says what that means for the caller's data. */
export class OutcomeError extends RaftError {
  override readonly name: string = 'OutcomeError';
  override readonly outcome: Outcome;
  /** Who leads, as far as is known. */
  readonly leaderId: NodeId | null;

  constructor(
    code: string,
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

/** What happened, and then what it means for the data and what to do. */
export function withAdvice(what: string, outcome: Outcome): string {
  return `${what} ${advice[outcome]}`;
}
