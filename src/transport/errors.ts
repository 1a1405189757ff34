import { RaftError } from '../core/index.ts';

/** A transport that can't begin, or was misused. Its codes are explained in `docs/errors.md`. */
export class TransportError extends RaftError {
  override readonly name = 'TransportError';
  /** Of `RAFT_BAD_URL`: the address that can't be dialed, so that the others are dialed without it. */
  readonly url: string | undefined;

  constructor(code: string, message: string, options?: { cause?: unknown; url?: string }) {
    super(code, message, options);
    this.url = options?.url;
  }
}
