import type { Observable } from 'rxjs';
import { isAbortSignal, unwatchAbort, watchAbort } from '../abort-watch.ts';
import { type Codec, encodedBy } from '../codec.ts';
import { seededRandom } from '../random.ts';
import { Answers } from './answers.ts';
import { CallQueue } from './call-queue.ts';
import { type ClientCommitted, type ClientReadAnswer, outcomeOf, ReadCall, WriteCall } from './calls.ts';
import { Deadlines } from './deadlines.ts';
import { aborted, type ClientError, clientError, textOf } from './errors.ts';
import { type ClientConnection, Links } from './links.ts';
import type { ClientSettings, RaftClientOptions } from './options.ts';
import type { ClientReadOptions, ClientRequestOptions, RaftClient } from './raft-client.ts';
import { Sending } from './sending.ts';

/** Milliseconds until a request that a server could not take is sent again. */
const retryMs = 50;
/** Milliseconds between looks at deadlines, at least: many that come one after the other cost one look. */
const lookMsMin = 10;

const consistencies: readonly string[] = ['linearizable', 'session', 'stale'];
const noOptions: ClientRequestOptions = {};

/** A client as its users see it: calls come in, and each is answered once. */
export class Client<Command, Result, Query, Answer> implements RaftClient<Command, Result, Query, Answer> {
  readonly connection$: Observable<ClientConnection | null>;
  readonly #codecs: RaftClientOptions<Command, Result, Query, Answer>;
  readonly #settings: ClientSettings;
  readonly #queue: CallQueue;
  readonly #sending: Sending;
  readonly #answers: Answers<Result, Answer>;
  readonly #deadlines: Deadlines;
  readonly #links: Links;
  /** When what was refused may go again. */
  #againMs = Number.POSITIVE_INFINITY;
  #isFlushDue = false;
  #isClosed = false;
  readonly #endTurn = (): void => {
    this.#isFlushDue = false;
    if (this.#links.current !== null && !this.#isClosed) this.#sending.flush(this.#links.current);
  };

  constructor(codecs: RaftClientOptions<Command, Result, Query, Answer>, settings: ClientSettings) {
    const { limits, timeScheduler, clock, seed } = settings;
    this.#codecs = codecs;
    this.#settings = settings;
    this.#deadlines = new Deadlines({ scheduler: timeScheduler, clock }, (now) => this.#onDue(now));
    this.#queue = new CallQueue(limits, (call) => this.#sending.onDone(call));
    this.#sending = new Sending(this.#queue, settings);
    this.#answers = new Answers({
      ...codecs,
      queue: this.#queue,
      sending: this.#sending,
      hasSessions: () => this.#links.hasSessions,
      againSoon: () => this.#againSoon(),
    });
    this.#links = this.#connect(seed);
    this.connection$ = this.#links.connection$.asObservable();
  }

  #connect(seed: number): Links {
    const options = {
      ...this.#settings,
      scheduler: this.#settings.timeScheduler,
      random: seededRandom(seed),
    };
    return new Links(options, {
      onWritten: (call, frame, offset, result) => this.#answers.onWritten(call, frame, offset, result),
      onAnswered: (call, frame, answer) => this.#answers.onAnswered(call, frame, answer),
      onRefused: (call, frame) => this.#answers.onRefused(call, frame),
      onLost: (calls) => this.#answers.onLost(calls),
      onMessageDone: () => this.#flushSoon(), // There is room again.
      onCurrent: () => this.#flushSoon(),
    });
  }

  get pending(): number {
    return this.#queue.pending;
  }

  write(command: Command, options: ClientRequestOptions = noOptions): Promise<ClientCommitted<Result>> {
    try {
      const deadlineMs = this.#deadlineOf(options);
      const bytes = encoded(this.#codecs.command, command, 'command');
      const call = new WriteCall(bytes, { deadlineMs, order: this.#queue.nextOrder() });
      this.#add(call, options.signal);
      return call.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  read(query: Query, options: ClientReadOptions = noOptions): Promise<ClientReadAnswer<Answer>> {
    try {
      const deadlineMs = this.#deadlineOf(options);
      const { consistency, index } = this.#guaranteeOf(options);
      const bytes = encoded(this.#codecs.query, query, 'query');
      const call = new ReadCall(bytes, { deadlineMs, order: this.#queue.nextOrder(), consistency, index });
      this.#add(call, options.signal);
      return call.answer;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #guaranteeOf({ consistency = 'linearizable', index = this.#answers.lastIndex }: ClientReadOptions) {
    if (!consistencies.includes(consistency))
      throw badRequest(`consistency is ${consistency}, expected linearizable, session or stale`);
    if (!Number.isSafeInteger(index) || index < 0)
      throw badRequest(`index is ${index}, expected the index of the caller's last write`);
    return { consistency, index: consistency === 'session' ? index : 0 };
  }

  #deadlineOf({ timeoutMs = this.#settings.timeoutMs, signal }: ClientRequestOptions): number {
    if (this.#isClosed) throw clientError('RAFT_CLOSED', 'notCommitted', 'The client has closed.');
    if (signal?.aborted) throw aborted('notCommitted');
    if (signal !== undefined && !isAbortSignal(signal))
      throw badRequest(`signal is ${typeof signal}, expected an AbortSignal`);
    if (!(timeoutMs > 0)) throw badRequest(`timeoutMs is ${timeoutMs}, expected a positive number`);
    return this.#settings.clock() + timeoutMs;
  }

  #add(call: WriteCall | ReadCall, signal: AbortSignal | undefined): void {
    const overload = this.#queue.add(call);
    if (overload !== null) return call.reject(overload);
    if (signal !== undefined) {
      const onAbort = (): void => this.#queue.reject(call, aborted(outcomeOf(call)));
      call.unwatch = () => unwatchAbort(signal, onAbort);
      watchAbort(signal, onAbort);
    }
    this.#deadlines.watch(call.deadlineMs);
    this.#flushSoon();
  }

  /** Sends at the end of this event-loop turn, so that what comes until then goes along. */
  #flushSoon(): void {
    const isEmpty = this.#queue.writes.length === 0 && this.#queue.reads.length === 0;
    if (this.#isFlushDue || isEmpty) return;
    this.#isFlushDue = true;
    this.#settings.turnScheduler.schedule(this.#endTurn);
  }

  #againSoon(): void {
    if (this.#isClosed) return;
    this.#againMs = Math.min(this.#againMs, this.#settings.clock() + retryMs);
    this.#deadlines.watch(this.#againMs);
  }

  /** Some deadline may have come, or it is time to try something again. */
  #onDue(now: number): void {
    if (now >= this.#againMs) {
      this.#againMs = Number.POSITIVE_INFINITY;
      this.#queue.release();
    }
    const { opensAtMs } = this.#sending;
    let nextMs = now < opensAtMs ? Math.min(this.#againMs, opensAtMs) : this.#againMs;
    for (const call of this.#unanswered()) {
      if (now >= call.deadlineMs) this.#queue.reject(call, this.#late(call));
      else nextMs = Math.min(nextMs, call.deadlineMs);
    }
    this.#queue.dropDone();
    if (nextMs < Number.POSITIVE_INFINITY) this.#deadlines.watch(Math.max(nextMs, now + lookMsMin));
    this.#flushSoon();
  }

  *#unanswered(): Iterable<WriteCall | ReadCall> {
    for (const calls of [this.#queue.writes, this.#queue.reads, this.#queue.held, this.#links.sent()])
      for (const call of calls) if (call.type !== 'open' && !call.isDone) yield call;
  }

  #late(call: WriteCall | ReadCall): ClientError {
    const outcome = outcomeOf(call);
    const { current, problems } = this.#links;
    if (call.isSent) return clientError('RAFT_TIMEOUT', outcome, 'No answer came within the time limit.');
    if (current !== null) {
      const what =
        'The request could not be sent within the time limit: there was no room, or no session yet.';
      return clientError('RAFT_TIMEOUT', outcome, what);
    }
    const why = problems === '' ? '' : ` (${problems})`;
    return clientError(
      'RAFT_NOT_CONNECTED',
      outcome,
      `No server could be reached within the time limit${why}.`,
    );
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadlines.stop();
    for (const call of this.#unanswered())
      this.#queue.reject(call, clientError('RAFT_CLOSED', outcomeOf(call), 'The client was closed.'));
    this.#links.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function encoded<T>(codec: Codec<T>, value: T, what: string): Uint8Array {
  try {
    return encodedBy(codec, value);
  } catch (cause) {
    const problem = `The ${what} can't be encoded: ${textOf(cause)}.`;
    throw clientError('RAFT_BAD_COMMAND', 'notCommitted', problem, { cause });
  }
}

function badRequest(what: string): ClientError {
  return clientError('RAFT_BAD_REQUEST', 'notCommitted', `${what}.`);
}
