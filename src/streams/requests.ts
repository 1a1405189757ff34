import type { GroupId, NodeId, Peer, ReadRes, ReadStateMachineReq, WriteRes } from '../core/index.ts';
import { type Index, index } from '../core/index.ts';
import type { ForwardReplyFrame, TransportEvent } from '../transport/transport.ts';
import type { CallLimits } from './call.ts';
import { requestError } from './errors.ts';
import { ForwardedRequests } from './forwarded.ts';
import type { Settings } from './options.ts';
import type { ReadAnswer, ReadOptions, RequestOptions } from './raft-node.ts';
import { type Queried, ReadQueue } from './read-queue.ts';
import type { Routes } from './routes.ts';
import type { StateMachine } from './state-machine.ts';
import { WriteQueue, type Written } from './write-queue.ts';

const batchCountMax = 2048;

/** What {@link Requests} works with. */
export interface RequestsOptions<Command, Result, Query, Answer> {
  readonly settings: Settings;
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  readonly group: GroupId;
  readonly routes: Routes;
  readonly appliedIndex: () => Index;
  /** Of this store's current run. */
  readonly bootCounter: number;
  readonly reply: (to: Peer, frame: ForwardReplyFrame) => void;
}

/** Everything that callers, here and on other nodes, have asked of this node and wait for. */
export class Requests<Command, Result, Query, Answer> {
  readonly #options: RequestsOptions<Command, Result, Query, Answer>;
  readonly #writes: WriteQueue<Result>;
  readonly #reads: ReadQueue<Query, Answer>;
  readonly #forwarded: ForwardedRequests<Result>;
  /** Results of batches applied here whose write has not been answered yet, by first index. */
  readonly #results = new Map<Index, readonly Result[]>();
  #isFlushDue = false;
  #refusal: 'RAFT_CLOSED' | 'RAFT_STOPPED' | null = null;

  constructor(options: RequestsOptions<Command, Result, Query, Answer>) {
    this.#options = options;
    const { settings, machine, group, routes, reply } = options;
    const { commandBytesMax, pendingMax } = settings;
    this.#writes = new WriteQueue(routes, { batchBytesMax: commandBytesMax, batchCountMax, pendingMax });
    const queried: Queried<Query, Answer> = {
      query: (query) => machine.query(query),
      appliedIndex: options.appliedIndex,
    };
    this.#reads = new ReadQueue(routes, queried, pendingMax);
    this.#forwarded = new ForwardedRequests(routes, {
      codec: machine.result,
      reply: (to, frame) => reply(to, { ...frame, group }),
      pendingMax,
    });
  }

  /** Replicates commands that stand one after the other in the log. */
  async write(commands: readonly Command[], options: RequestOptions): Promise<Written<Result>> {
    const limits = this.#limitsOf(options);
    const encoded = commands.map((command) => this.#encode(command));
    const bytes = encoded.reduce((sum, command) => sum + command.byteLength, 0);
    const { commandBytesMax } = this.#options.settings;
    if (bytes > commandBytesMax) {
      const what = `The command has ${bytes} bytes, the limit is ${commandBytesMax} (option commandBytesMax).`;
      throw requestError('RAFT_COMMAND_TOO_LARGE', 'notCommitted', what);
    }
    this.flushSoon();
    return this.#writes.add(encoded, limits);
  }

  #encode(command: Command): Uint8Array {
    try {
      const bytes: unknown = this.#options.machine.command.encode(command);
      if (bytes instanceof Uint8Array) return bytes;
      throw new TypeError(`encode gave ${typeof bytes}, expected a Uint8Array`);
    } catch (cause) {
      const what = `The command can't be encoded: ${cause instanceof Error ? cause.message : String(cause)}.`;
      throw requestError('RAFT_BAD_COMMAND', 'notCommitted', what);
    }
  }

  /** Asks the state machine, with the guarantee that the options name. */
  async read(query: Query, options: ReadOptions): Promise<ReadAnswer<Answer>> {
    const limits = this.#limitsOf(options);
    const { consistency = 'linearizable', index: from = 0 } = options;
    switch (consistency) {
      case 'linearizable':
        this.flushSoon();
        return this.#reads.add(query, limits);
      case 'session':
        if (Number.isSafeInteger(from) && from >= 0) return this.#reads.addFrom(index(from), query, limits);
        throw badRequest(`index is ${from}, expected the index of the caller's last write`);
      case 'stale':
        return this.#reads.addFrom(index(0), query, limits);
      default:
        throw badRequest(`consistency is ${consistency}, expected linearizable, session or stale`);
    }
  }

  #limitsOf({ timeoutMs = this.#options.settings.timeoutMs, signal }: RequestOptions): CallLimits {
    if (this.#refusal !== null) throw requestError(this.#refusal, 'notCommitted', 'The node has closed.');
    if (signal?.aborted)
      throw requestError('RAFT_ABORTED', 'notCommitted', 'The caller gave the request up.');
    if (!(timeoutMs > 0)) throw badRequest(`timeoutMs is ${timeoutMs}, expected a positive number`);
    return { deadlineMs: this.#options.routes.now() + timeoutMs, signal };
  }

  /** Sends it at the end of this event-loop turn, so that what comes until then goes along. */
  flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.settings.turnScheduler.schedule(() => {
      this.#isFlushDue = false;
      this.flush();
    });
  }

  /** Sends what waits for somewhere to go. */
  flush(): void {
    if (this.#refusal !== null) return;
    this.#writes.flush();
    this.#reads.flush();
  }

  /** Gives up what took too long. */
  expire(): void {
    const now = this.#options.routes.now();
    this.#writes.expire(now);
    this.#reads.expire(now);
    this.#forwarded.expire(now);
  }

  /** Keeps the results of a batch until its write is answered. */
  keepResults(first: Index, results: readonly Result[]): void {
    this.#results.set(first, results);
  }

  /** The machine got on. */
  onApplied(): void {
    this.#reads.onApplied();
  }

  /** Our core answered a write. */
  onWriteRes({ id, result }: WriteRes): void {
    const first = result.type === 'committed' ? result.index : undefined;
    const results = first === undefined ? [] : (this.#results.get(first) ?? []);
    if (first !== undefined) this.#results.delete(first);
    this.#writes.onResult(id, result, results);
    this.#forwarded.onWriteResult(id, result, results);
  }

  /** Our core answered a read: good news came with the `readStateMachineReq` already. */
  onReadRes({ id, result }: ReadRes): void {
    this.#reads.onResult(id, result);
    this.#forwarded.onReadResult(id, result);
  }

  /** Our core confirmed a read, and everything it must see has been applied. */
  onConfirmed({ id, index: readIndex }: ReadStateMachineReq): void {
    this.#reads.onConfirmed(id);
    this.#forwarded.onConfirmed(id, readIndex);
    this.#options.routes.input({ type: 'readStateMachineRes', id });
  }

  /** What the transport saw. */
  onEvent(event: TransportEvent): void {
    if (event.type === 'outgoingDown') return this.#onLinkDown(event.id);
    if (event.type !== 'frame') return;
    const { frame } = event;
    if (frame.type === 'forward' && this.#refusal === null)
      this.#forwarded.add(event.from, event.bootCounter, frame);
    if (frame.type === 'forwardReply') this.#onReply(frame);
  }

  /** A late answer to a request of an earlier run is not ours (design §8). */
  #onReply({ bootCounter, seq, reply }: ForwardReplyFrame): void {
    if (bootCounter !== this.#options.bootCounter) return;
    this.#writes.onReply(seq, reply, (bytes) => this.#options.machine.result.decode(bytes));
    this.#reads.onReply(seq, reply);
  }

  #onLinkDown(id: NodeId): void {
    this.#writes.onLinkDown(id);
    this.#reads.onLinkDown(id);
  }

  /** Answers everything that is outstanding, and refuses what comes. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    if (this.#refusal !== null) return;
    this.#refusal = code;
    this.#writes.close(code, what);
    this.#reads.close(code, what);
    this.#forwarded.close();
  }
}

function badRequest(what: string): Error {
  return requestError('RAFT_BAD_REQUEST', 'notCommitted', `${what}.`);
}
