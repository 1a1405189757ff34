import { Observable } from 'rxjs';

/** Who is to be told when a signal aborts. One listener serves all of them. */
interface Watch {
  readonly listeners: Set<() => void>;
  readonly onAbort: () => void;
}

/** Whether this can be listened to as a signal can: an `AbortController` can't, its `signal` can. */
export function isAbortSignal(signal: unknown): signal is AbortSignal {
  return typeof (signal as AbortSignal | null | undefined)?.addEventListener === 'function';
}

const watches = new WeakMap<AbortSignal, Watch>();

/**
 * Calls `listener` when the signal aborts. One signal may end any number of requests: an event listener for each
 * would take time in proportion to those before it, and Node warns of the eleventh.
 */
export function watchAbort(signal: AbortSignal, listener: () => void): void {
  const watch = watches.get(signal) ?? beginWatch(signal);
  watch.listeners.add(listener);
}

/** Does not call `listener` any more. */
export function unwatchAbort(signal: AbortSignal, listener: () => void): void {
  const watch = watches.get(signal);
  if (watch === undefined || !watch.listeners.delete(listener) || watch.listeners.size > 0) return;
  watches.delete(signal);
  signal.removeEventListener('abort', watch.onAbort);
}

function beginWatch(signal: AbortSignal): Watch {
  const listeners = new Set<() => void>();
  const onAbort = (): void => {
    watches.delete(signal);
    for (const listener of [...listeners]) listener();
  };
  const watch = { listeners, onAbort };
  watches.set(signal, watch);
  signal.addEventListener('abort', onAbort, { once: true });
  return watch;
}

/** Emits when the signal aborts. */
export function abortOf(signal: AbortSignal): Observable<void> {
  return new Observable((subscriber) => {
    const onAbort = (): void => subscriber.next();
    watchAbort(signal, onAbort);
    return () => unwatchAbort(signal, onAbort);
  });
}
