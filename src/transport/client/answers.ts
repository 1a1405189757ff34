import type { Codec } from '../codec.ts';
import { type SessionResult, sessionResultCodec } from '../session-codec.ts';
import type { CallQueue } from './call-queue.ts';
import { type AnyCall, type OpenCall, outcomeOf, type ReadCall, type WriteCall } from './calls.ts';
import { ClientError, clientError, noSession, textOf, unreadableAnswer, unreadableResult } from './errors.ts';
import type { AnsweredFrame, RefusedFrame, WrittenFrame } from './protocol.ts';
import type { Sending } from './sending.ts';

/** Where a command stands. */
interface Position {
  readonly index: number;
  readonly term: number;
}

/** What {@link Answers} work with. */
export interface AnswersOptions<Result, Answer> {
  readonly result: Codec<Result>;
  readonly answer: Codec<Answer>;
  readonly queue: CallQueue;
  readonly sending: Sending;
  /** Whether the servers' machine is wrapped in `withSessions`. */
  readonly hasSessions: () => boolean;
  /** Something waits that could not be sent, or not for good: it is tried again after a moment. */
  readonly againSoon: () => void;
}

/** Refusals that only say that another server is, or will be, the one to ask. */
const elsewhere: readonly string[] = ['RAFT_NOT_LEADER', 'RAFT_TRANSFERRING', 'RAFT_CLOSED', 'RAFT_STOPPED'];

/** What becomes of requests that a server has, told to their callers (rule 22), or sent again. */
export class Answers<Result, Answer> {
  /** The highest index that an answer came from. */
  lastIndex = 0;
  readonly #options: AnswersOptions<Result, Answer>;
  readonly #sessionResult: Codec<SessionResult<Result>>;

  constructor(options: AnswersOptions<Result, Answer>) {
    this.#options = options;
    this.#sessionResult = sessionResultCodec(options.result);
  }

  onWritten(call: AnyCall, { index: first, term }: WrittenFrame, offset: number, bytes: Uint8Array): void {
    const index = first + offset;
    if (index > this.lastIndex) this.lastIndex = index;
    const { result, queue, hasSessions } = this.#options;
    try {
      if (call.type === 'open') this.#onOpened(call, this.#sessionResult.decode(bytes));
      else if (call.type === 'read') this.#onMistaken(call);
      else if (hasSessions()) this.#onSessionResult(call, { index, term }, this.#sessionResult.decode(bytes));
      else queue.resolve(call, { index, term, result: result.decode(bytes) });
    } catch (error) {
      if (call.type === 'open') this.#onUnreadableOpening(call, textOf(error));
      else queue.reject(call, unreadableResult(error));
    }
  }

  onAnswered(call: AnyCall, { index, ageMs }: AnsweredFrame, bytes: Uint8Array): void {
    if (index > this.lastIndex) this.lastIndex = index;
    if (call.type !== 'read') return this.#onMistaken(call);
    try {
      this.#options.queue.resolve(call, { value: this.#options.answer.decode(bytes), index, ageMs });
    } catch (error) {
      this.#options.queue.reject(call, unreadableAnswer(error));
    }
  }

  #onMistaken(call: AnyCall): void {
    const what = 'it is the answer to another kind of request';
    if (call.type === 'open') this.#onUnreadableOpening(call, what);
    else {
      const error = call.type === 'read' ? unreadableAnswer : unreadableResult;
      this.#options.queue.reject(call, error(what));
    }
  }

  #onOpened(call: OpenCall, result: SessionResult<Result>): void {
    switch (result.type) {
      case 'opened':
        this.#options.sending.onOpened(result.session);
        return this.#options.againSoon();
      case 'overloaded':
        return this.#noSession(call, notOpened('RAFT_OVERLOADED', 'As many sessions are open as may be.'));
      default:
        return this.#onMistaken(call);
    }
  }

  #onUnreadableOpening(call: OpenCall, what: string): void {
    this.#noSession(call, notOpened('RAFT_BAD_RESULT', `The answer can't be read: ${what}.`));
  }

  #onSessionResult(call: WriteCall, { index, term }: Position, result: SessionResult<Result>): void {
    const { queue } = this.#options;
    switch (result.type) {
      case 'applied':
        return queue.resolve(call, { index, term, result: result.result });
      case 'sessionExpired':
        return this.#onExpired(call);
      case 'overloaded':
        return queue.reject(call, sessionFull(call));
      case 'opened':
        return this.#onMistaken(call);
    }
  }

  /** A command that was sent once, and not carried out, may go again in another session; others may have been. */
  #onExpired(call: WriteCall): void {
    if (call.isDone) return; // Late: its number may count as answered, which says nothing of the session.
    const { queue, sending } = this.#options;
    sending.forget(call.session, expired);
    if (call.mayBeDone) return queue.reject(call, expired());
    call.sequence = 0;
    this.#again([call]);
  }

  onRefused(call: AnyCall, frame: RefusedFrame): void {
    if (call.type === 'open') return this.#onOpenRefused(call, frame);
    const isUnknown = frame.outcome === 'unknown';
    const isLost = isUnknown && isRepeatable(call) && frame.code !== 'RAFT_BAD_RESULT';
    if (call.type === 'write' && isLost) call.mayBeDone = true;
    if (isLost || (!isUnknown && elsewhere.includes(frame.code))) this.#againLater(call);
    else this.#options.queue.reject(call, refusal(call, frame));
  }

  #onOpenRefused(call: OpenCall, { outcome, code, message }: RefusedFrame): void {
    if (outcome === 'notCommitted' && !elsewhere.includes(code))
      return this.#noSession(call, new ClientError(code, outcome, message));
    this.#options.sending.onOpenFailed(call, 'elsewhere');
    this.#options.againSoon();
  }

  /** No session can be had: who waits for one is told so, and who comes next waits for the next attempt. */
  #noSession(call: OpenCall, why: ClientError): void {
    const { queue, sending, againSoon } = this.#options;
    sending.onOpenFailed(call, 'refused');
    for (const write of queue.writes) queue.reject(write, noSession(why, outcomeOf(write)));
    againSoon();
  }

  /** The connection to the server that has these is gone. */
  onLost(calls: readonly AnyCall[]): void {
    const again: (WriteCall | ReadCall)[] = [];
    for (const call of calls) {
      if (call.type === 'open') this.#options.sending.onOpenLost(call);
      else if (!isRepeatable(call)) this.#options.queue.reject(call, lost());
      else {
        if (call.type === 'write') call.mayBeDone = true;
        again.push(call);
      }
    }
    this.#again(again);
  }

  /** Sent at once, it would go to the server that has just refused it, as often as the network allows. */
  #againLater(call: WriteCall | ReadCall): void {
    this.#options.queue.hold(call);
    this.#options.againSoon();
  }

  #again(calls: readonly (WriteCall | ReadCall)[]): void {
    this.#options.queue.putBack(calls.filter(({ isDone }) => !isDone));
    this.#options.againSoon();
  }
}

/** Whether it does no harm to send it once more: a query, or a command that is applied once. */
export function isRepeatable(call: AnyCall): boolean {
  return call.type !== 'write' || call.sequence > 0;
}

function notOpened(code: string, what: string): ClientError {
  return clientError(code, 'notCommitted', what);
}

/** Nothing that becomes of a later copy makes a command `notCommitted` of which an earlier one may be in the log. */
function refusal(
  call: WriteCall | ReadCall,
  { code, message, outcome, leaderId }: RefusedFrame,
): ClientError {
  const mayBeDone = call.type === 'write' && call.mayBeDone;
  if (outcome === 'unknown' || !mayBeDone) return new ClientError(code, outcome, message, { leaderId });
  const what = `An earlier sending of it may be in the log, and this is how the last one ended: ${code}.`;
  return clientError(code, 'unknown', what, { leaderId });
}

function sessionFull({ mayBeDone }: WriteCall): ClientError {
  const what =
    'The session has too many unanswered commands: sessionRequestsMax is above what the servers keep.';
  return clientError('RAFT_OVERLOADED', mayBeDone ? 'unknown' : 'notCommitted', what);
}

function expired(): ClientError {
  return clientError('RAFT_SESSION_EXPIRED', 'unknown', 'The session is unknown or has expired.');
}

function lost(): ClientError {
  return clientError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The connection broke before the answer came.');
}
