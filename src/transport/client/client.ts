import type { Observable } from 'rxjs';
import { unwatchAbort, watchAbort } from '../abort-watch.ts';
import type { Codec } from '../codec.ts';
import { seededRandom } from '../random.ts';
import { openSessionBytes, type SessionResult, sessionResultCodec } from '../session-codec.ts';
import { CallQueue } from './call-queue.ts';
import {
  type AnyCall,
  type ClientCommitted,
  type ClientReadAnswer,
  OpenCall,
  ReadCall,
  WriteCall,
} from './calls.ts';
import { Deadlines } from './deadlines.ts';
import { aborted, ClientError, clientError, unreadable } from './errors.ts';
import type { Link } from './link.ts';
import { type ClientConnection, Links, type LinksOwner } from './links.ts';
import type { ClientSettings, RaftClientOptions } from './options.ts';
import { type AnsweredFrame, type RefusedFrame, requestsPerFrameMax } from './protocol.ts';
import type { ClientReadOptions, ClientRequestOptions, RaftClient } from './raft-client.ts';
import { commandBytes, commandPayload, framedCount, queryPayload, type Wrapping } from './request-frames.ts';
import { SessionWindow } from './session-window.ts';

/** Milliseconds until a request that a server could not take is sent again. */
const retryMs = 50;
/** The part of the time left that a server gets: it knows more about why time is over, and should say it first. */
const serverPart = 0.95;
/** Bytes of a frame besides its payload, generously. */
const frameHeadBytes = 64;
/** Milliseconds between looks at deadlines, at least: many that come one after the other cost one look. */
const lookMsMin = 10;

const noOptions: ClientRequestOptions = {};

/** Whether a refusal only says that another server is, or will be, the one to ask. */
function isElsewhere(code: string): boolean {
  return ['RAFT_NOT_LEADER', 'RAFT_TRANSFERRING', 'RAFT_CLOSED', 'RAFT_STOPPED'].includes(code);
}

/** A client as its users see it: requests in, frames out, answers back. */
export class Client<Command, Result, Query, Answer>
  implements RaftClient<Command, Result, Query, Answer>, LinksOwner
{
  readonly connection$: Observable<ClientConnection | null>;
  readonly #codecs: Pick<
    RaftClientOptions<Command, Result, Query, Answer>,
    'command' | 'query' | 'answer' | 'result'
  >;
  readonly #sessionResult: Codec<SessionResult<Result>>;
  readonly #settings: ClientSettings;
  readonly #queue: CallQueue;
  readonly #deadlines: Deadlines;
  readonly #links: Links;
  #session: SessionWindow | null = null;
  #opening: OpenCall | null = null;
  #lastOrder = 0;
  /** The highest index that an answer came from. */
  #lastIndex = 0;
  #isFlushDue = false;
  #isClosed = false;

  constructor(codecs: RaftClientOptions<Command, Result, Query, Answer>, settings: ClientSettings) {
    const { limits, timeScheduler, seed } = settings;
    this.#codecs = codecs;
    this.#sessionResult = sessionResultCodec(codecs.result);
    this.#settings = settings;
    this.#queue = new CallQueue(limits);
    this.#deadlines = new Deadlines(timeScheduler, (now) => this.#onDue(now));
    this.#links = new Links({ ...settings, scheduler: timeScheduler, random: seededRandom(seed) }, this);
    this.connection$ = this.#links.connection$.asObservable();
  }

  get pending(): number {
    return this.#queue.pending;
  }

  write(command: Command, options: ClientRequestOptions = noOptions): Promise<ClientCommitted<Result>> {
    return new Promise((resolve, reject) => {
      const limits = this.#limitsOf(options);
      const bytes = encoded(this.#codecs.command, command, 'command');
      this.#add(new WriteCall(bytes, limits, { resolve, reject }), options.signal);
    });
  }

  read(query: Query, options: ClientReadOptions = noOptions): Promise<ClientReadAnswer<Answer>> {
    return new Promise((resolve, reject) => {
      const limits = this.#limitsOf(options);
      const { consistency = 'linearizable', index = this.#lastIndex } = options;
      if (!['linearizable', 'session', 'stale'].includes(consistency))
        throw badRequest(`consistency is ${consistency}, expected linearizable, session or stale`);
      if (!Number.isSafeInteger(index) || index < 0)
        throw badRequest(`index is ${index}, expected the index of the caller's last write`);
      const bytes = encoded(this.#codecs.query, query, 'query');
      const wanted = { ...limits, consistency, index: consistency === 'session' ? index : 0 };
      this.#add(new ReadCall(bytes, wanted, { resolve, reject }), options.signal);
    });
  }

  #limitsOf({ timeoutMs = this.#settings.timeoutMs, signal }: ClientRequestOptions): {
    deadlineMs: number;
    order: number;
  } {
    if (this.#isClosed) throw clientError('RAFT_CLOSED', 'notCommitted', 'The client has closed.');
    if (signal?.aborted) throw aborted('notCommitted');
    if (!(timeoutMs > 0)) throw badRequest(`timeoutMs is ${timeoutMs}, expected a positive number`);
    this.#lastOrder += 1;
    return { deadlineMs: this.#settings.timeScheduler.now() + timeoutMs, order: this.#lastOrder };
  }

  #add(call: WriteCall | ReadCall, signal: AbortSignal | undefined): void {
    const overload = this.#queue.add(call);
    if (overload !== null) return call.settle.reject(overload);
    if (signal !== undefined) {
      const onAbort = (): void => this.#reject(call, aborted(outcomeOf(call)));
      call.unwatch = () => unwatchAbort(signal, onAbort);
      watchAbort(signal, onAbort);
    }
    this.#deadlines.watch(call.deadlineMs);
    this.#flushSoon();
  }

  /** Sends at the end of this event-loop turn, so that what comes until then goes along. */
  #flushSoon(): void {
    if (this.#isFlushDue) return;
    this.#isFlushDue = true;
    this.#settings.turnScheduler.schedule(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  /** Sends what waits, as far as the server, the network and the session have room for it. */
  #flush(): void {
    const link = this.#links.current;
    if (link === null || this.#isClosed) return;
    const { bufferedBytesMax } = this.#settings.limits;
    if (this.#queue.writes.length > 0 && link.bufferedBytes <= bufferedBytesMax) this.#flushWrites(link);
    if (this.#queue.reads.length > 0 && link.bufferedBytes <= bufferedBytesMax) this.#flushReads(link);
  }

  #flushWrites(link: Link): void {
    const isOnce = this.#settings.wantsSession && link.welcome?.hasSessions === true;
    if (isOnce && this.#session === null) return this.#openSession(link);
    const calls =
      isOnce && this.#session !== null ? this.#takeNumbered(link, this.#session) : this.#takeLive(link.room);
    const wrapping = this.#wrappingOn(link);
    const now = this.#settings.timeScheduler.now();
    const room = { countMax: requestsPerFrameMax, bytesMax: this.#payloadBytesMax(link) };
    for (let from = 0; from < calls.length; ) {
      const bytesOf = (call: WriteCall) => commandBytes(call, wrapping);
      const count = framedCount(calls, { from, ...room, bytesOf });
      const part = from === 0 && count === calls.length ? calls : calls.slice(from, from + count);
      from += count;
      const [first] = part as [WriteCall];
      if (bytesOf(first) > room.bytesMax) {
        this.#reject(first, tooLarge(outcomeOf(first), { bytes: bytesOf(first), bytesMax: room.bytesMax }));
        continue;
      }
      const payload = commandPayload(part, wrapping);
      const timeoutMs = remainingMs(part, now);
      link.send([{ type: 'write', firstId: link.take(part), timeoutMs, count, payload }]);
    }
  }

  #wrappingOn(link: Link): Wrapping {
    if (link.welcome?.hasSessions !== true) return { type: 'none' };
    if (!this.#settings.wantsSession || this.#session === null) return { type: 'plain' };
    return { type: 'once', lowestUnanswered: this.#session.lowestUnanswered };
  }

  #payloadBytesMax(link: Link): number {
    return (link.welcome?.frameBytesMax ?? 0) - frameHeadBytes;
  }

  #takeLive(count: number): WriteCall[] {
    return this.#queue.takeWrites(Math.max(0, count)).filter(({ isDone }) => !isDone);
  }

  /** Takes what the session has room for; what goes once more keeps its number. */
  #takeNumbered(link: Link, session: SessionWindow): WriteCall[] {
    const { writes } = this.#queue;
    let room = session.room;
    let count = 0;
    for (; count < writes.length && count < link.room; count++) {
      const { isDone, sequence } = writes[count] as WriteCall;
      if (isDone || sequence > 0) continue;
      if (room === 0) break;
      room -= 1;
    }
    const calls = this.#takeLive(count);
    for (const call of calls) {
      if (call.sequence > 0) continue;
      call.session = session.id;
      call.sequence = session.next();
    }
    return calls;
  }

  #flushReads(link: Link): void {
    const reads = this.#queue.takeReads(Math.max(0, link.room)).filter(({ isDone }) => !isDone);
    const now = this.#settings.timeScheduler.now();
    const bytesMax = this.#payloadBytesMax(link);
    for (let from = 0; from < reads.length; ) {
      const { consistency, index } = reads[from] as ReadCall;
      const isLike = (read: ReadCall) => read.consistency === consistency && read.index === index;
      const bytesOf = (read: ReadCall) =>
        isLike(read) ? 4 + read.bytes.byteLength : Number.POSITIVE_INFINITY;
      const count = framedCount(reads, { from, countMax: requestsPerFrameMax, bytesMax, bytesOf });
      const part = reads.slice(from, from + count);
      from += count;
      const timeoutMs = remainingMs(part, now);
      const payload = queryPayload(part);
      if (payload.byteLength > bytesMax)
        for (const read of part)
          this.#reject(read, tooLarge('notCommitted', { bytes: payload.byteLength, bytesMax }));
      else
        link.send([
          { type: 'read', firstId: link.take(part), timeoutMs, consistency, index, count, payload },
        ]);
    }
  }

  #openSession(link: Link): void {
    if (this.#opening !== null || link.room < 1) return;
    const deadlineMs = this.#settings.timeScheduler.now() + this.#settings.timeoutMs;
    const settle = { resolve: () => undefined, reject: () => undefined };
    this.#opening = new OpenCall(openSessionBytes, { deadlineMs, order: 0 }, settle);
    this.#deadlines.watch(deadlineMs);
    const payload = new Uint8Array(4 + openSessionBytes.byteLength);
    payload[3] = openSessionBytes.byteLength;
    payload.set(openSessionBytes, 4);
    const firstId = link.take([this.#opening]);
    const timeoutMs = remainingMs([this.#opening], deadlineMs - this.#settings.timeoutMs);
    link.send([{ type: 'write', firstId, timeoutMs, count: 1, payload }]);
  }

  onCurrent(): void {
    this.#flushSoon();
  }

  onMessageDone(): void {
    if (this.#queue.writes.length > 0 || this.#queue.reads.length > 0) this.#flushSoon(); // There is room again.
  }

  onWritten(call: AnyCall, at: { readonly index: number; readonly term: number }, result: Uint8Array): void {
    if (at.index > this.#lastIndex) this.#lastIndex = at.index;
    try {
      if (call.type === 'open') return this.#onOpened(this.#sessionResult.decode(result));
      if (call.type === 'read') throw new TypeError('a read was answered like a write');
      if (!this.#isWrapped())
        return this.#resolve(call, { ...at, result: this.#codecs.result.decode(result) });
      this.#onSessionResult(call, at, this.#sessionResult.decode(result));
    } catch (error) {
      if (call.type === 'open') this.#opening = null;
      else this.#reject(call, unreadable(error));
    }
  }

  #isWrapped(): boolean {
    return this.#links.hasSessions;
  }

  #onOpened(result: SessionResult<Result>): void {
    this.#opening = null;
    if (result.type === 'opened')
      this.#session = new SessionWindow(result.session, this.#settings.limits.sessionRequestsMax);
    else this.#refuseWaiting('RAFT_OVERLOADED', 'As many sessions are open as may be.');
    this.#flushSoon();
  }

  #onSessionResult(
    call: WriteCall,
    { index, term }: { readonly index: number; readonly term: number },
    result: SessionResult<Result>,
  ): void {
    switch (result.type) {
      case 'applied':
        return this.#resolve(call, { index, term, result: result.result });
      case 'sessionExpired':
        return this.#onExpired(call);
      case 'overloaded': {
        const what =
          'The session has too many unanswered commands: sessionRequestsMax is above what the servers keep.';
        return this.#reject(
          call,
          clientError('RAFT_OVERLOADED', call.mayBeDone ? 'unknown' : 'notCommitted', what),
        );
      }
      case 'opened':
        throw new TypeError('a command was answered as if it opened a session');
    }
  }

  /** A command that was sent once and not executed may go again, in another session; others may have been. */
  #onExpired(call: WriteCall): void {
    if (call.session === this.#session?.id) this.#forgetSession(call.session);
    if (call.mayBeDone) return this.#reject(call, expired());
    call.sequence = 0;
    this.#again([call]);
  }

  #forgetSession(id: number): void {
    this.#session = null;
    for (const call of [...this.#queue.writes]) {
      if (call.session !== id || call.sequence === 0) continue;
      if (call.mayBeDone) this.#reject(call, expired());
      else call.sequence = 0;
    }
  }

  onAnswered(call: AnyCall, { index, ageMs }: AnsweredFrame, answer: Uint8Array): void {
    if (index > this.#lastIndex) this.#lastIndex = index;
    if (call.type !== 'read') return this.#onMistaken(call);
    try {
      this.#resolve(call, { value: this.#codecs.answer.decode(answer), index, ageMs });
    } catch (error) {
      this.#reject(call, unreadable(error));
    }
  }

  #onMistaken(call: WriteCall | OpenCall): void {
    if (call.type === 'open') this.#opening = null;
    else this.#reject(call, unreadable('a write was answered like a read'));
  }

  onRefused(call: AnyCall, frame: RefusedFrame): void {
    const isUnknown = frame.outcome === 'unknown';
    if (call.type === 'open') return this.#onOpenRefused(frame);
    if (call.isDone) return;
    const isRepeatable = call.type === 'read' || call.sequence > 0;
    const isLost = isUnknown && isRepeatable && frame.code !== 'RAFT_BAD_RESULT';
    if (call.type === 'write' && isLost) call.mayBeDone = true;
    if (isLost || (!isUnknown && isElsewhere(frame.code))) return this.#again([call]);
    const { code, message, leaderId } = frame;
    const mayBeDone = call.type === 'write' && call.mayBeDone;
    if (isUnknown || !mayBeDone)
      return this.#reject(call, new ClientError(code, frame.outcome, message, { leaderId }));
    const what = `An earlier sending of it may be in the log, and this is how the last one ended: ${code}.`;
    this.#reject(call, clientError(code, 'unknown', what, { leaderId }));
  }

  #onOpenRefused({ outcome, code, message }: RefusedFrame): void {
    this.#opening = null;
    if (outcome === 'notCommitted' && !isElsewhere(code)) this.#refuseWaiting(code, message);
    else this.#deadlines.watch(this.#settings.timeScheduler.now() + retryMs);
  }

  /** No session can be had: who waits for one is told so. */
  #refuseWaiting(code: string, what: string): void {
    for (const call of [...this.#queue.writes])
      this.#reject(call, clientError(code, outcomeOf(call), `A session can't be opened: ${what}`));
  }

  onLost(calls: readonly AnyCall[]): void {
    const again: (WriteCall | ReadCall)[] = [];
    for (const call of calls) {
      if (call.type === 'open') this.#opening = null;
      else if (call.isDone) continue;
      else if (call.type === 'read') again.push(call);
      else if (call.sequence > 0) {
        call.mayBeDone = true;
        again.push(call);
      } else this.#reject(call, lost());
    }
    this.#again(again);
  }

  /** Sends these once more, after a moment. */
  #again(calls: readonly (WriteCall | ReadCall)[]): void {
    for (const call of calls) call.isSent = false;
    this.#queue.putBack(calls);
    this.#deadlines.watch(this.#settings.timeScheduler.now() + retryMs);
  }

  #onDue(now: number): void {
    this.#queue.dropDone();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const call of [...this.#queue.writes, ...this.#queue.reads, ...this.#links.sent()]) {
      if (call.isDone) continue;
      if (now < call.deadlineMs) nextMs = Math.min(nextMs, call.deadlineMs);
      else if (call.type !== 'open') this.#reject(call, this.#late(call));
      else if (call === this.#opening) this.#opening = null;
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#deadlines.watch(Math.max(nextMs, now + lookMsMin));
    this.#flushSoon();
  }

  #late(call: WriteCall | ReadCall): ClientError {
    const outcome = outcomeOf(call);
    if (call.isSent) return clientError('RAFT_TIMEOUT', outcome, 'No answer came within the time limit.');
    if (this.#links.current !== null)
      return clientError(
        'RAFT_TIMEOUT',
        outcome,
        'The request was not sent within the time limit: others came first, or no server took it.',
      );
    const { problems } = this.#links;
    const what = `No server could be reached within the time limit${problems === '' ? '' : ` (${problems})`}.`;
    return clientError('RAFT_NOT_CONNECTED', outcome, what);
  }

  #resolve(call: WriteCall | ReadCall, value: ClientCommitted<Result> | ClientReadAnswer<Answer>): void {
    if (this.#finish(call)) call.settle.resolve(value);
  }

  #reject(call: WriteCall | ReadCall, error: ClientError): void {
    if (this.#finish(call)) call.settle.reject(error);
  }

  #finish(call: WriteCall | ReadCall): boolean {
    if (call.isDone) return false;
    call.isDone = true;
    call.unwatch?.();
    this.#queue.release(call);
    if (call.type === 'write' && call.sequence > 0 && call.session === this.#session?.id)
      this.#session.settle(call.sequence);
    return true;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadlines.stop();
    for (const call of [...this.#queue.writes, ...this.#queue.reads, ...this.#links.sent()])
      if (call.type !== 'open')
        this.#reject(call, clientError('RAFT_CLOSED', outcomeOf(call), 'The client was closed.'));
    this.#links.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** What is known of a request that nobody waits for any more (rule 22). */
function outcomeOf(call: WriteCall | ReadCall): 'notCommitted' | 'unknown' {
  return call.type === 'write' && (call.isSent || call.mayBeDone) ? 'unknown' : 'notCommitted';
}

/** How long the last of these callers goes on waiting: what a server is told, in whole milliseconds. */
function remainingMs(calls: readonly AnyCall[], now: number): number {
  let latestMs = now;
  for (const { deadlineMs } of calls) if (deadlineMs > latestMs) latestMs = deadlineMs;
  return Math.max(1, Math.min(0xffff_ffff, Math.floor((latestMs - now) * serverPart)));
}

function encoded<T>(codec: Codec<T>, value: T, what: string): Uint8Array {
  try {
    const bytes: unknown = codec.encode(value);
    if (bytes instanceof Uint8Array) return bytes;
    throw new TypeError(`encode gave ${typeof bytes}, expected a Uint8Array`);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw clientError('RAFT_BAD_COMMAND', 'notCommitted', `The ${what} can't be encoded: ${reason}.`, {
      cause,
    });
  }
}

function badRequest(what: string): ClientError {
  return clientError('RAFT_BAD_REQUEST', 'notCommitted', `${what}.`);
}

function tooLarge(
  outcome: 'notCommitted' | 'unknown',
  { bytes, bytesMax }: { bytes: number; bytesMax: number },
): ClientError {
  const what = `The request has ${bytes} bytes, and the server takes ${bytesMax}.`;
  return clientError('RAFT_COMMAND_TOO_LARGE', outcome, what);
}

function expired(): ClientError {
  return clientError('RAFT_SESSION_EXPIRED', 'unknown', 'The session is unknown or has expired.');
}

function lost(): ClientError {
  return clientError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The connection broke before the answer came.');
}
