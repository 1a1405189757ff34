import {
  type AdminRes,
  type GroupId,
  type Index,
  index,
  type Peer,
  type ReadRes,
  type ReadStateMachineReq,
  type WriteRes,
} from '../core/index.ts';
import type { ForwardReplyFrame, TransportEvent } from '../transport/transport.ts';
import { AdminQueue, type AdminWork } from './admin-queue.ts';
import { type Answer, type CallLimits, checkSignal } from './call.ts';
import { CommandEncoder } from './command-encoder.ts';
import { badRequest, requestError } from './errors.ts';
import { ForwardedRequests } from './forwarded.ts';
import { Hold } from './hold.ts';
import type { Settings } from './options.ts';
import type { Committed, ReadAnswer, ReadOptions, RequestOptions } from './raft-node.ts';
import type { Answered } from './read-call.ts';
import { ReadQueue } from './read-queue.ts';
import type { Routes } from './routes.ts';
import type { StateMachine } from './state-machine.ts';
import type { Written } from './write-call.ts';
import { WriteQueue } from './write-queue.ts';

const batchCountMax = 2048;
/** Writes wait for a transaction that is under way at most so long; for others, as long as the queue's patience. */
const diskMsMax = 2;
/** Reads wait for a round that is under way at most so long; a longer one holds nothing back that our core would not. */
const roundMsMax = 2;

/** What {@link Requests} works with. */
export interface RequestsOptions<Command, Result, Query, Value> {
  readonly settings: Settings;
  readonly machine: StateMachine<Command, Result, Query, Value>;
  readonly group: GroupId;
  readonly routes: Routes;
  readonly appliedIndex: () => Index;
  /** A snapshot is taking the place of the machine's data. */
  readonly isInstalling: () => boolean;
  /** Of this store's current run. */
  readonly bootCounter: number;
  readonly reply: (to: Peer, frame: ForwardReplyFrame) => boolean;
  /** The largest frame that ever leaves, in bytes. */
  readonly frameBytesMax: number;
}

/** Everything that callers, here and on other nodes, have asked of this node and wait for. */
export class Requests<Command, Result, Query, Value> {
  readonly #options: RequestsOptions<Command, Result, Query, Value>;
  readonly #encoder: CommandEncoder<Command>;
  readonly #writes: WriteQueue<Result>;
  readonly #writeHold: Hold;
  readonly #reads: ReadQueue<Query, Value>;
  readonly #readHold: Hold;
  readonly #admin: AdminQueue;
  readonly #forwarded: ForwardedRequests<Result>;
  /** Results of batches applied here whose write has not been answered yet, by first index. */
  readonly #results = new Map<Index, readonly Result[]>();
  #isFlushDue = false;
  #refusal: 'RAFT_CLOSED' | 'RAFT_STOPPED' | null = null;
  readonly #endTurn = (): void => {
    this.#isFlushDue = false;
    if (this.#refusal !== null) return;
    this.flush({ holdsWrites: this.#writeHold.begin(), holdsReads: this.#readHold.begin() });
  };

  constructor(options: RequestsOptions<Command, Result, Query, Value>) {
    this.#options = options;
    const { settings, machine, group, routes, reply, frameBytesMax, appliedIndex, isInstalling } = options;
    const { pendingMax, timeScheduler } = settings;
    const pendingBytesMax = settings.config.uncommittedBytesMax;
    const payloadBytesMax = 4 + settings.commandBytesMax; // A single command and its length.
    this.#encoder = new CommandEncoder(machine.command, settings.commandBytesMax);
    this.#writes = new WriteQueue(
      routes,
      {
        batchBytesMax: payloadBytesMax,
        batchCountMax,
        pendingMax,
        pendingBytesMax,
      },
      machine.result,
    );
    this.#writeHold = new Hold({
      ...{ routes, queue: this.#writes, timeScheduler, firstLookMs: diskMsMax },
      isBusy: () => routes.isDiskBusy(),
      onOver: () => this.flush({ holdsReads: this.#readHold.isOn }),
    });
    const queried = { query: (query: Query) => machine.query(query), appliedIndex, isInstalling };
    this.#reads = new ReadQueue(routes, queried, pendingMax);
    this.#readHold = new Hold({
      ...{ routes, queue: this.#reads, timeScheduler, firstLookMs: roundMsMax },
      isBusy: () => this.#reads.isAsking,
      onOver: () => this.flush({ holdsWrites: this.#writeHold.isOn }),
    });
    this.#admin = new AdminQueue(routes, pendingMax);
    this.#forwarded = new ForwardedRequests(routes, {
      codec: machine.result,
      isCommand: (bytes) => this.#encoder.isCommand(bytes),
      group,
      reply,
      frameBytesMax,
      later: (work, delayMs) => timeScheduler.schedule(work, delayMs),
      pendingMax,
      payloadBytesMax,
    });
  }

  /** Replicates commands that stand one after the other in the log. Throws what can be said at once. */
  write(commands: readonly Command[], options: RequestOptions, answer: Answer<Written<Result>>): void {
    const limits = this.limitsOf(options);
    const encoded = this.#encoder.encodeAll(commands);
    this.#writes.add({ commands: encoded, takesOwn: false }, limits, answer);
    this.flushSoon();
  }

  /** The same for commands that are encoded already, and can be decoded; the results are the machine's own. */
  writeEncoded(
    encoded: readonly Uint8Array[],
    options: RequestOptions,
    answer: Answer<Written<Result>>,
  ): void {
    if (encoded.length === 0) throw badRequest('there is no command to write');
    const commands = [...encoded]; // The caller's list may change before it leaves.
    const limits = this.limitsOf(options);
    this.#encoder.check(commands);
    this.#writes.add({ commands, takesOwn: true }, limits, answer);
    this.flushSoon();
  }

  /** Replicates one command that nobody will abort. Throws what can be said at once. */
  writeOne(command: Command, timeoutMs = this.#options.settings.timeoutMs): Promise<Committed<Result>> {
    this.#checkOpen();
    checkTimeout(timeoutMs);
    const committed = this.#writes.addOne(this.#encoder.encodeOne(command), timeoutMs);
    this.flushSoon();
    return committed;
  }

  /** Asks the state machine, with the guarantee that the options name. Throws what can be said at once. */
  read(
    queries: readonly Query[],
    options: ReadOptions & Required<Pick<ReadOptions, 'consistency'>>,
    answer: Answer<Answered<Value>>,
  ): void {
    const limits = this.limitsOf(options);
    const { consistency, index: from = 0 } = options;
    switch (consistency) {
      case 'linearizable':
        this.#reads.add(queries, limits, answer);
        return this.flushSoon();
      case 'session':
        if (!Number.isSafeInteger(from) || from < 0)
          throw badRequest(`index is ${from}, expected the index of the caller's last write`);
        return this.#reads.addFrom(index(from), queries, limits, answer);
      case 'stale':
        return this.#reads.addFrom(index(0), queries, limits, answer);
      default:
        throw badRequest(`consistency is ${consistency}, expected linearizable, session or stale`);
    }
  }

  /** A linearizable read that nobody will abort. Throws what can be said at once. */
  readOne(query: Query, timeoutMs = this.#options.settings.timeoutMs): Promise<ReadAnswer<Value>> {
    this.#checkOpen();
    checkTimeout(timeoutMs);
    const answer = this.#reads.addOne(query, timeoutMs);
    this.flushSoon();
    return answer;
  }

  /** Resolves once everything that is committed now is applied here. */
  async catchUp(limits: CallLimits): Promise<void> {
    await new Promise<Answered<Value>>((resolve, reject) => {
      this.#reads.add([], limits, { resolve, reject });
      this.flushSoon();
    });
  }

  /** Takes what an operator asks. Throws what can be said at once. */
  administer(work: AdminWork, options: RequestOptions, answer: Answer<void>): void {
    this.#admin.add(work, this.limitsOf(options), answer);
  }

  /** When a request that comes now is given up. Throws what can be said at once. */
  limitsOf({ timeoutMs = this.#options.settings.timeoutMs, signal }: RequestOptions): CallLimits {
    this.#checkOpen();
    if (signal?.aborted)
      throw requestError('RAFT_ABORTED', 'notCommitted', 'The caller gave the request up.');
    checkSignal(signal);
    checkTimeout(timeoutMs);
    return { deadlineMs: this.#options.routes.now() + timeoutMs, signal };
  }

  #checkOpen(): void {
    if (this.#refusal !== null) throw requestError(this.#refusal, 'notCommitted', 'The node has closed.');
  }

  /** Sends it at the end of this event-loop turn, so that what comes until then goes along. */
  flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#options.settings.turnScheduler.schedule(this.#endTurn);
  }

  /** Time has passed: what has somewhere to go now leaves, but for what is held back. */
  onTick(): void {
    this.#expire();
    this.flush({ holdsWrites: this.#writeHold.isOn, holdsReads: this.#readHold.isOn });
  }

  /** The disk has finished something: what waited for it goes off, unless it waits for more. */
  onFlushed(): void {
    if (!this.#writeHold.isOn) return;
    this.flush({ holdsWrites: this.#writes.isGathering, holdsReads: this.#readHold.isOn });
  }

  /** Sends what waits for somewhere to go. */
  flush({ holdsWrites = false, holdsReads = false } = {}): void {
    if (this.#refusal !== null) return;
    if (!holdsWrites) {
      this.#writeHold.end();
      this.#writes.flush();
    }
    if (!holdsReads) {
      this.#readHold.end();
      this.#reads.flush();
    }
    this.#admin.flush();
  }

  /** Gives up what took too long. */
  #expire(): void {
    const now = this.#options.routes.now();
    this.#writes.expire(now);
    this.#reads.expire(now);
    this.#admin.expire(now);
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
    if (this.#writeHold.isOn) this.flushSoon(); // What waited for this one may go.
  }

  /** Our core answered a read: good news came with the `readStateMachineReq` already. */
  onReadRes({ id, result }: ReadRes): void {
    this.#reads.onResult(id, result);
    this.#forwarded.onReadResult(id, result);
  }

  /** Our core answered an operator. */
  onAdminRes({ id, result }: AdminRes): void {
    this.#admin.onResult(id, result);
    this.#forwarded.onAdminResult(id, result);
  }

  /** Our core confirmed a read, and everything it must see has been applied. */
  onConfirmed({ id, index: readIndex }: ReadStateMachineReq): void {
    this.#reads.onConfirmed(id);
    this.#forwarded.onConfirmed(id, readIndex);
    this.#options.routes.input({ type: 'readStateMachineRes', id });
    if (this.#readHold.isOn) this.flushSoon(); // What waited for these may go.
  }

  /** What the transport saw. */
  onEvent(event: TransportEvent): void {
    if (this.#refusal !== null) return;
    if (event.type === 'outgoingDown') return this.#onLinkDown(event);
    if (event.type === 'down') return this.#forwarded.onDown(event.id);
    if (event.type !== 'frame') return;
    const { frame, from, bootCounter } = event;
    if (frame.type === 'forward' && frame.group === this.#options.group)
      this.#forwarded.add(from, bootCounter, frame);
    if (frame.type === 'forwardReply' && frame.group === this.#options.group) this.#onReply(from, frame);
  }

  /** A late answer to a request of an earlier run is not ours (design §8). */
  #onReply({ id }: Peer, { bootCounter, seq, reply }: ForwardReplyFrame): void {
    if (bootCounter !== this.#options.bootCounter) return;
    this.#writes.onReply(id, seq, reply, (bytes) => this.#options.machine.result.decode(bytes));
    this.#reads.onReply(id, seq, reply);
    this.#admin.onReply(id, seq, reply);
  }

  #onLinkDown({ id }: { readonly id: string }): void {
    this.#writes.onLinkDown(id);
    this.#reads.onLinkDown(id);
    this.#admin.onLinkDown(id);
    this.#forwarded.onOutgoingDown(id);
  }

  /** Answers everything that is outstanding, and refuses what comes. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    if (this.#refusal !== null) return;
    this.#refusal = code;
    this.#writeHold.end();
    this.#readHold.end();
    this.#writes.close(code, what);
    this.#reads.close(code, what);
    this.#admin.close(code, what);
    this.#forwarded.close();
  }
}

function checkTimeout(timeoutMs: number): void {
  if (!(timeoutMs > 0)) throw badRequest(`timeoutMs is ${timeoutMs}, expected a positive number`);
}
