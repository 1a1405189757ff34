/** When a caller stops waiting. */
export interface CallLimits {
  /** On the node's clock. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * One caller who waits for an answer: told once, and never again. An abort is handed to `onAbort`, which
 * decides what it means.
 */
export class Call<T> {
  readonly deadlineMs: number;
  #isDone = false;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;

  constructor(
    limits: CallLimits,
    answer: { resolve: (value: T) => void; reject: (error: unknown) => void },
    onAbort: (call: Call<T>) => void,
  ) {
    this.deadlineMs = limits.deadlineMs;
    this.#resolve = answer.resolve;
    this.#reject = answer.reject;
    if (limits.signal === undefined) return;
    this.#signal = limits.signal;
    this.#onAbort = () => onAbort(this);
    this.#signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** It has been answered: whatever else becomes of the request concerns nobody. */
  get isDone(): boolean {
    return this.#isDone;
  }

  resolve(value: T): void {
    if (this.#settle()) this.#resolve(value);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  #settle(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}
