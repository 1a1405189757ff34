import { RaftError } from '../core/index.ts';

/** A store that can't be opened, or failed. Its codes are explained in `docs/errors.md`. */
export class StorageError extends RaftError {
  override readonly name = 'StorageError';
}
