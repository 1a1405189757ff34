import { type Index, type NodeId, plus, type Term, unreachable, type WriteResult } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { ArrivingResults, type ResultsPart } from './arriving-results.ts';
import { type Answer, type CallLimits, remainingMs } from './call.ts';
import { crc32 } from './crc32.ts';
import {
  isElsewhere,
  lostForward,
  lostLeadership,
  neverLeft,
  noLeader,
  RequestError,
  type RequestErrorCode,
  refusalError,
  requestError,
} from './errors.ts';
import { Gathering } from './gathering.ts';
import type { Committed } from './raft-node.ts';
import { asElsewhere } from './results.ts';
import type { Routes } from './routes.ts';
import { type Sent, SentRequests } from './sent-requests.ts';
import type { Codec } from './state-machine.ts';
import { type NewWrite, WaitingWrites, type WriteGroup, type WriteLimits } from './waiting-writes.ts';
import { JointCall, type WriteCall, type Written } from './write-call.ts';

/** So many commands are enough for a batch. */
const enoughCommands = 1024;

/**
 * The writes of this node's callers, from the call to its one answer (rule 22).
 *
 * What is called until the next {@link WriteQueue.flush} goes off as one batch: to our core if it leads, else to the leader,
 * else it waits for one. Only what never left this queue, or was refused by a core, is `notCommitted`.
 */
export class WriteQueue<Result> {
  readonly #routes: Routes;
  readonly #limits: WriteLimits;
  readonly #codec: Codec<Result>;
  readonly #waiting: WaitingWrites<Result>;
  readonly #sent = new SentRequests<WriteGroup<Result>>();
  /** One for all calls, since there is a call for each write. */
  readonly #onAbort = (write: WriteCall<Result>): void => {
    const outcome = write.sentAtMs === null ? 'notCommitted' : 'unknown';
    this.#fail(write, requestError('RAFT_ABORTED', outcome, 'The caller gave the request up.'));
  };
  readonly #gathering = new Gathering(enoughCommands);
  #closed: { readonly code: RequestErrorCode; readonly what: string } | null = null;

  constructor(routes: Routes, limits: WriteLimits, codec: Codec<Result>) {
    this.#routes = routes;
    this.#limits = limits;
    this.#codec = codec;
    this.#waiting = new WaitingWrites(limits, () => routes.now(), this.#onAbort);
  }

  /** Takes commands that stand one after the other in the log. They leave with the next {@link flush}. */
  add(work: NewWrite, limits: CallLimits, answer: Answer<Written<Result>>): void {
    this.#waiting.add(work, limits, answer);
  }

  /** Takes one command that nobody will abort. */
  addOne(command: Uint8Array, timeoutMs: number): Promise<Committed<Result>> {
    return this.#waiting.addOne(command, timeoutMs);
  }

  /** Whether anything has not left. */
  get hasWaiting(): boolean {
    return !this.#waiting.isEmpty;
  }

  /** Whether what waits should wait for more, which is about to come. */
  get isGathering(): boolean {
    const { unanswered } = this.#waiting;
    if (unanswered.waitingBytes >= this.#limits.batchBytesMax) return false; // More would be another batch.
    return this.#gathering.isWorthwhile(unanswered, this.#routes.now());
  }

  /** So long, in milliseconds, what waits may be held back. */
  get patienceMs(): number {
    return this.#gathering.patienceMs;
  }

  /** Sends what waits, if there is somewhere to send it. */
  flush(): void {
    this.#waiting.endTurn();
    const target = this.#routes.target();
    if (target === null || !this.hasWaiting) return;
    this.#gathering.onSent(this.#waiting.unanswered);
    const groups = this.#waiting.takeGroups();
    for (let place = 0; place < groups.length; place++) {
      if (this.#send(groups[place] as WriteGroup<Result>, target)) continue;
      return this.#wait(groups.slice(place).flat()); // Did not leave: it may wait.
    }
  }

  #send(calls: readonly WriteCall<Result>[], target: 'self' | NodeId): boolean {
    if (this.#closed !== null) return false;
    const live = calls.filter(isAwaited);
    if (live.length === 0) return true;
    const payload = payloadOf(live);
    const payloadChecksum = crc32(payload);
    const id = this.#routes.nextId();
    const count = countOf(live);
    this.#sent.add(id, live, target);
    const now = this.#routes.now();
    for (const write of live) write.sentAtMs = now;
    if (target === 'self') {
      this.#routes.input({ type: 'write', id, payload, payloadChecksum, count });
      return true;
    }
    const timeoutMs = remainingMs(live, now);
    const request = { type: 'write', payload, payloadChecksum, count, timeoutMs } as const;
    if (this.#routes.forward(target, { type: 'forward', seq: id, request })) return true;
    this.#sent.take(id);
    return false;
  }

  /** Our core answered. `results` are the machine's, there if the write was applied here. */
  onResult(id: number, result: WriteResult, results: readonly Result[]): void {
    const group = this.#sent.take(id);
    if (group === undefined) return; // Everyone gave up, or it was a forwarded one.
    switch (result.type) {
      case 'committed':
        return this.#onCommittedHere(group, result, results);
      case 'notCommitted':
        return this.#onRefused(group, refusalError(result.reason));
      case 'unknown':
        return this.#reject(group, lostLeadership());
    }
  }

  /** The node `from` answered a write that was passed on to it. */
  onReply(
    from: NodeId,
    seq: number,
    reply: ForwardReplyFrame['reply'],
    decode: (bytes: Uint8Array) => Result,
  ): void {
    if (reply.type === 'results') return this.#onResults(from, seq, reply, decode);
    const group = this.#sent.takeAnsweredBy(from, seq);
    if (group === undefined) return;
    switch (reply.type) {
      case 'committed':
        return this.#onCommittedElsewhere(group, reply, decode);
      case 'notCommitted': {
        const { message, leaderId } = reply;
        const code = reply.code as RequestErrorCode;
        return this.#onRefused(group, new RequestError(code, 'notCommitted', message, { leaderId }));
      }
      case 'unknown':
        return this.#reject(
          group,
          new RequestError(reply.code as RequestErrorCode, 'unknown', reply.message),
        );
      case 'readIndex':
      case 'done':
        return this.#reject(group, lostForward(from)); // An answer to something else: it tells nothing.
      default:
        return unreachable(reply);
    }
  }

  /**
   * Callers get what they would get on any other node, not what the machine may have in its data as well: to change that would be to
   * change this node's data, and only this node's.
   */
  #onCommittedHere(
    group: WriteGroup<Result>,
    committed: Extract<WriteResult, { type: 'committed' }>,
    own: readonly Result[],
  ): void {
    if (group.every(({ takesOwn }) => takesOwn)) return this.#resolve(group, committed, own);
    let results: readonly Result[];
    try {
      results = asElsewhere(own, this.#codec);
    } catch {
      return this.#resolveEach(group, committed, own);
    }
    this.#resolve(group, committed, results);
  }

  /** A result can't be passed on: those who called for it hear of that, and the others get theirs. */
  #resolveEach(
    group: WriteGroup<Result>,
    { index, term }: Extract<WriteResult, { type: 'committed' }>,
    own: readonly Result[],
  ): void {
    let offset = 0;
    for (const write of group) {
      const part = own.slice(offset, offset + write.count);
      const place = { index: plus(index, offset), term };
      offset += write.count;
      try {
        this.#resolve([write], place, write.takesOwn ? part : asElsewhere(part, this.#codec));
      } catch (cause) {
        this.#rejectCommitted([write], place.index, cause);
      }
    }
  }

  /** It was never appended: it may go off again, to whoever leads next. */
  #onRefused(group: WriteGroup<Result>, error: RequestError): void {
    if (isElsewhere(error.code)) this.#wait(group);
    else this.#reject(group, error);
  }

  /** The leader sends large results in parts. The first of them says that the write is committed, and is believed. */
  #onResults(from: NodeId, seq: number, part: ResultsPart, decode: (bytes: Uint8Array) => Result): void {
    const sent = this.#sent.askedOf(from, seq);
    if (sent === undefined) return; // Everyone gave up.
    sent.orphanedAtMs = null; // It is at work, whoever leads now.
    sent.arriving ??= new ArrivingResults(part);
    const { request: group, arriving } = sent;
    const { index, term } = part;
    const isWhole = arriving.add(part);
    if (isWhole && !arriving.isComplete) return;
    this.#sent.take(seq);
    const results = isWhole ? arriving.resultsOf(countOf(group)) : null;
    if (results !== null) return this.#onCommittedElsewhere(group, { index, term, results }, decode);
    const what = isWhole
      ? 'what came are not the results of its commands'
      : 'a part of it was lost on the way';
    this.#rejectCommitted(group, index, what);
  }

  #onCommittedElsewhere(
    group: WriteGroup<Result>,
    { index, term, results }: Omit<Extract<ForwardReplyFrame['reply'], { type: 'committed' }>, 'type'>,
    decode: (bytes: Uint8Array) => Result,
  ): void {
    let decoded: readonly Result[];
    try {
      decoded = results.map(decode);
    } catch (cause) {
      return this.#rejectCommitted(group, index, cause);
    }
    this.#resolve(group, { index: index as Index, term: term as Term }, decoded);
  }

  /** The connection on which requests were passed on has closed: what became of them can't be known. */
  onLinkDown(to: NodeId): void {
    for (const sent of this.#sent.takeAll(({ via }) => via === to)) this.#onLost(to, sent);
  }

  /** The node that was asked can't answer any more, unless it has said already that the write is committed. */
  #onLost(to: NodeId, { request, arriving }: Sent<WriteGroup<Result>>): void {
    if (arriving === null) return this.#reject(request, lostForward(to));
    const what = `${arriving.progress} from ${to} when the connection broke or another node led`;
    this.#rejectCommitted(request, arriving.index, what);
  }

  /** Gives up the calls whose time is over, and those that a leader of before has left unanswered. */
  expire(now: number): void {
    const isLeaderKnown = this.#routes.target() !== null;
    const isOver = (write: WriteCall<Result>): boolean => !write.isDone && now >= write.deadlineMs;
    this.#waiting.keep((write) => {
      if (isOver(write))
        this.#fail(write, isLeaderKnown ? neverLeft('write') : noLeader(this.#routes.whyOutside()));
      return !write.isDone;
    });
    for (const sent of this.#sent.all) {
      if (sent.request.some(isOver)) this.#expireSent(sent, isOver);
    }
    for (const sent of this.#sent.takeOrphans(this.#routes.target(), now))
      this.#onLost(sent.via as NodeId, sent);
    this.#sent.takeAll(({ request }) => request.every(({ isDone }) => isDone));
  }

  #expireSent(
    { request, via, arriving }: Sent<WriteGroup<Result>>,
    isOver: (write: WriteCall<Result>) => boolean,
  ): void {
    if (arriving === null) return this.#reject(request.filter(isOver), timedOut(via));
    this.#rejectCommitted(request, arriving.index, `${arriving.progress} within the time limit`, isOver);
  }

  /** Answers everything that is outstanding, as committed what the leader has said is. Nothing leaves any more. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    this.#closed = { code, what };
    this.#wait(this.#waiting.takeAll());
    for (const { request, arriving } of this.#sent.takeAll(() => true)) {
      if (arriving === null) this.#reject(request, requestError(code, 'unknown', what));
      else this.#rejectCommitted(request, arriving.index, `${arriving.progress} when this node closed`);
    }
  }

  /** These were never appended anywhere: they may go off once more, each in its place. */
  #wait(calls: readonly WriteCall<Result>[]): void {
    const live = calls.filter(isAwaited);
    for (const write of live) write.sentAtMs = null;
    if (this.#closed === null) return this.#waiting.putBack(live);
    const { code, what } = this.#closed;
    for (const write of live) this.#fail(write, requestError(code, 'notCommitted', what));
  }

  #resolve(
    group: WriteGroup<Result>,
    { index, term }: { readonly index: Index; readonly term: Term },
    results: readonly Result[],
  ): void {
    const count = countOf(group);
    if (results.length !== count) {
      const what = `it has ${results.length} results for ${count} commands`;
      return this.#rejectCommitted(group, index, what);
    }
    let offset = 0;
    for (const write of group) {
      if (!write.isDone) this.#waiting.release(write);
      write.resolve({ index: plus(index, offset), term, results, offset });
      offset += write.count;
    }
    const nowMs = this.#routes.now();
    this.#gathering.onAnswered(count, this.#waiting.unanswered, {
      sentAtMs: group[0]?.sentAtMs ?? nowMs,
      nowMs,
    });
  }

  #reject(group: WriteGroup<Result>, error: RequestError): void {
    for (const write of group) this.#fail(write, error);
  }

  /** The batch is committed from `first` on, and its results can't be read: each caller hears where its own write is. */
  #rejectCommitted(
    group: WriteGroup<Result>,
    first: number,
    cause: unknown,
    isMeant: (write: WriteCall<Result>) => boolean = () => true,
  ): void {
    let index = first;
    for (const write of group) {
      if (!write.isDone && isMeant(write)) {
        this.#waiting.release(write);
        write.rejectCommitted(index, cause);
      }
      index += write.count;
    }
  }

  #fail(write: WriteCall<Result>, error: RequestError): void {
    if (write.isDone) return;
    this.#waiting.release(write);
    write.reject(error);
  }
}

function isAwaited({ isDone }: WriteCall<unknown>): boolean {
  return !isDone;
}

function countOf(calls: readonly WriteCall<unknown>[]): number {
  let all = 0;
  for (const { count } of calls) all += count;
  return all;
}

function payloadOf(calls: readonly WriteCall<unknown>[]): Uint8Array {
  const [first] = calls;
  if (calls.length === 1 && first instanceof JointCall) return first.payload;
  let bytes = 0;
  for (const { payloadBytes } of calls) bytes += payloadBytes;
  const payload = new Uint8Array(bytes);
  let at = 0;
  for (const call of calls) at = call.putInto(payload, at);
  return payload;
}

function timedOut(via: Sent<unknown>['via']): RequestError {
  const what =
    via === null
      ? 'No majority acknowledged the write within the time limit.'
      : `${via} took the write, and did not say within the time limit what became of it.`;
  return requestError('RAFT_TIMEOUT', 'unknown', what);
}
