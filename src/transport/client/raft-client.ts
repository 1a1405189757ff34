/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable } from 'rxjs';
import type { ClientCommitted, ClientReadAnswer } from './calls.ts';
import { Client } from './client.ts';
import type { ClientConnection } from './links.ts';
import { type RaftClientOptions, settingsOf } from './options.ts';
import type { Consistency } from './protocol.ts';

/** Limits of one request. */
export interface ClientRequestOptions {
  /** Milliseconds until the request is given up. Default: the client's `timeoutMs`. */
  readonly timeoutMs?: number;
  /** Gives the request up early, with `RAFT_ABORTED`. */
  readonly signal?: AbortSignal;
}

/** What a read promises. */
export interface ClientReadOptions extends ClientRequestOptions {
  /**
   * `linearizable` (default): everything that was acknowledged anywhere before the read began. `session`: at least
   * everything through `index`. `stale`: whatever the server has.
   */
  readonly consistency?: Consistency;
  /** For `session`. Default: the highest index that this client has had an answer from. */
  readonly index?: number;
}

/** A client of a cluster. Its requests reject with a `ClientError` whose `outcome` says what it means for the data. */
export interface RaftClient<Command, Result, Query, Answer> {
  /**
   * Replicates a command. Resolves once it is committed and applied. With a session, it is sent again until the deadline
   * whenever a connection or a leader was lost with its answer, and applied once.
   */
  write(command: Command, options?: ClientRequestOptions): Promise<ClientCommitted<Result>>;
  /** Asks the state machine. Sent again until the deadline whenever a connection or a leader was lost. */
  read(query: Query, options?: ClientReadOptions): Promise<ClientReadAnswer<Answer>>;
  /** The server that it talks to, `null` while there is none. Replays the latest; completes at `close`. */
  readonly connection$: Observable<ClientConnection | null>;
  /** Requests that have no answer yet. */
  readonly pending: number;
  /** Answers what is outstanding with `RAFT_CLOSED`, and closes the connections. Safe to call twice. */
  close(): Promise<void>;
  /** The same as {@link RaftClient.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Opens a client of a cluster: one WebSocket to any of its servers, and to the leader once that is known. Connects at
 * once; requests wait for the connection, up to their deadline. Throws `RAFT_BAD_OPTIONS`, with every problem at once.
 *
 * What is asked in one event-loop turn leaves in one message, and one answer comes for all of it. Runs in browsers as
 * in Node.
 *
 * ```ts
 * const { command, result } = machine;
 * const client = raftClient({ urls: ['ws://127.0.0.1:8101/client'], command, result, query, answer });
 * const { index } = await client.write(command);
 * ```
 */
export function raftClient<Command, Result, Query, Answer>(
  options: RaftClientOptions<Command, Result, Query, Answer>,
): RaftClient<Command, Result, Query, Answer> {
  return new Client(options, settingsOf(options));
}
