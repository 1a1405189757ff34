import { isAbortSignal, unwatchAbort, watchAbort } from '../transport/abort-watch.ts';
import { badRequest } from './errors.ts';

/** When a caller stops waiting. */
export interface CallLimits {
  /** On the node's clock. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Where an answer goes: the two ends of a promise, or what stands before them. */
export interface Answer<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Throws if this is given as a signal and is none, such as the controller that has it. */
export function checkSignal(signal: unknown): void {
  if (signal !== undefined && !isAbortSignal(signal))
    throw badRequest(`signal is ${typeof signal}, expected an AbortSignal`);
}

/** A promise, and where its answer goes. */
export function pending<T>(): { readonly promise: Promise<T>; readonly answer: Answer<T> } {
  let answer!: Answer<T>;
  const promise = new Promise<T>((resolve, reject) => {
    answer = { resolve, reject };
  });
  return { promise, answer };
}

/** The `onAbort` of calls without a signal: nobody gives them up. */
export function unabortable(): void {}

/**
 * One caller who waits for an answer: told once, and never again. An abort is handed to `onAbort`, which
 * decides what it means, and may serve any number of calls.
 */
export class Call<T> {
  readonly deadlineMs: number;
  #isDone = false;
  readonly #signal: AbortSignal | undefined;
  readonly #listener: (() => void) | undefined;
  readonly #answer: Answer<T>;

  constructor(limits: CallLimits, answer: Answer<T>, onAbort: (call: Call<T>) => void) {
    this.deadlineMs = limits.deadlineMs;
    this.#signal = limits.signal;
    this.#answer = answer;
    if (this.#signal === undefined) return;
    this.#listener = () => onAbort(this);
    watchAbort(this.#signal, this.#listener);
  }

  /** It has been answered: whatever else becomes of the request concerns nobody. */
  get isDone(): boolean {
    return this.#isDone;
  }

  resolve(value: T): void {
    if (this.#settle()) this.#answer.resolve(value);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#answer.reject(error);
  }

  #settle(): boolean {
    if (this.#isDone) return false;
    this.#isDone = true;
    if (this.#signal !== undefined && this.#listener !== undefined)
      unwatchAbort(this.#signal, this.#listener);
    return true;
  }
}

/** How long the last of several callers goes on waiting, in milliseconds from `now`; at least 1. */
export function remainingMs(calls: readonly { readonly deadlineMs: number }[], now: number): number {
  let latest = now + 1;
  for (const { deadlineMs } of calls) if (deadlineMs > latest) latest = deadlineMs;
  return latest - now;
}
