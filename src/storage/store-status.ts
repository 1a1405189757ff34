import { StorageError } from './errors.ts';
import { diskFailed, failedBefore, notOpen } from './store-errors.ts';

/** Whether a store is open, and the failure after which it takes nothing any more. */
export class StoreStatus {
  #status: 'closed' | 'open' | StorageError = 'closed';

  get isOpen(): boolean {
    return this.#status === 'open';
  }

  get isClosed(): boolean {
    return this.#status === 'closed';
  }

  open(): void {
    this.#status = 'open';
  }

  close(): void {
    this.#status = 'closed';
  }

  /** Throws unless the store is open. */
  check(): void {
    if (this.#status === 'open') return;
    throw this.#status === 'closed' ? notOpen() : failedBefore(this.#status);
  }

  /** From here on every call rejects: a disk that lost one write can't be trusted with the next. */
  fail(cause: unknown): StorageError {
    const error = cause instanceof StorageError ? cause : diskFailed(cause);
    if (this.#status === 'open') this.#status = error;
    return error;
  }

  /** Fails if this throws: what was acknowledged can't be read, or a request contradicts it. */
  checked<Result>(act: () => Result): Result {
    try {
      return act();
    } catch (error) {
      throw this.fail(error);
    }
  }
}
