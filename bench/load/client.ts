/** What a load consists of. `mixed`: nine linearizable reads to one write. */
export type Operation = 'write' | 'read' | 'session' | 'stale' | 'mixed';

/** Told once for each request: whether it was served. */
export type Done = (isServed: boolean) => void;

/**
 * What a load drives: one client of a cluster, or a node itself. Called back and not promised, so that a client
 * which is faster than promises is not slowed down by the load. `done` is never called before the request returns.
 * `caller` counts from 0: a caller asks again once it is answered, on the connection that it had, as an application does.
 */
export interface Client {
  /** Sets a key to a value of the size that this client was made for. */
  write(key: number, done: Done, caller: number): void;
  /** Reads a key. */
  read(key: number, consistency: 'read' | 'session' | 'stale', done: Done, caller: number): void;
  close(): void | Promise<void>;
}
