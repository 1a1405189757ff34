import { RaftError } from '../core/index.ts';

/** A transport that can't begin, or was misused. Its codes are explained in `docs/errors.md`. */
export class TransportError extends RaftError {
  override readonly name = 'TransportError';
}
