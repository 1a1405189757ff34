import type { AdminResult, Index, Input, MemberChange, NodeId } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { type Answer, Call, type CallLimits } from './call.ts';
import {
  isElsewhere,
  lostForward,
  lostLeadership,
  noLeader,
  RequestError,
  type RequestErrorCode,
  refusalError,
  requestError,
} from './errors.ts';
import type { Routes } from './routes.ts';
import { SentRequests } from './sent-requests.ts';

/** What an operator asks of the leader. */
export type LeaderWork =
  | {
      readonly type: 'changeMembers';
      readonly changes: readonly MemberChange[];
      readonly expectedIndex: Index | null;
    }
  | { readonly type: 'transferLeadership'; readonly to: NodeId | null };

/** What an operator asks: of the leader, or of this very node. */
export type AdminWork = LeaderWork | { readonly type: 'compact' };

/** A request of an operator, from the call to its one answer. */
interface AdminCall {
  readonly call: Call<void>;
  readonly work: AdminWork;
}

/** Requests of operators: few, each sent on its own, to our core or to the leader. */
export class AdminQueue {
  readonly #routes: Routes;
  readonly #pendingMax: number;
  #waiting: AdminCall[] = [];
  readonly #sent = new SentRequests<AdminCall>();

  /** @param pendingMax - requests that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  constructor(routes: Routes, pendingMax: number) {
    this.#routes = routes;
    this.#pendingMax = pendingMax;
  }

  /** Takes a request, and sends it if there is somewhere to send it. */
  add(work: AdminWork, limits: CallLimits, answer: Answer<void>): void {
    const pending = this.#waiting.length + this.#sent.size;
    if (pending >= this.#pendingMax) {
      const what = `${pending} requests of operators are waiting, the limit is ${this.#pendingMax}.`;
      return answer.reject(requestError('RAFT_OVERLOADED', 'notCommitted', what));
    }
    this.#waiting.push({ call: new Call(limits, answer, (call) => this.#abort(call)), work });
    this.flush();
  }

  /** Sends what waits. */
  flush(): void {
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const request of waiting) {
      if (!request.call.isDone && !this.#send(request)) this.#waiting.push(request);
    }
  }

  #send(request: AdminCall): boolean {
    const { call, work } = request;
    const target = work.type === 'compact' ? 'self' : this.#routes.target();
    if (target === null) return false;
    const id = this.#routes.nextId();
    this.#sent.add(id, request, target);
    if (target === 'self' || work.type === 'compact') {
      this.#routes.input(inputOf(id, work));
      return true;
    }
    const timeoutMs = Math.max(1, Math.ceil(call.deadlineMs - this.#routes.now()));
    if (this.#routes.forward(target, { type: 'forward', seq: id, request: { ...work, timeoutMs } }))
      return true;
    this.#sent.take(id);
    return false;
  }

  /** Our core answered. */
  onResult(id: number, result: AdminResult): void {
    const request = this.#sent.take(id);
    if (request === undefined) return;
    if (result.type === 'ok') request.call.resolve();
    else if (result.type === 'unknown') request.call.reject(lostLeadership());
    else this.#refuse(request, refusalError(result.reason));
  }

  /** The node `from` answered a request that was passed on to it. */
  onReply(from: NodeId, seq: number, reply: ForwardReplyFrame['reply']): void {
    const request = this.#sent.takeAnsweredBy(from, seq);
    if (request === undefined) return;
    if (reply.type === 'done') request.call.resolve();
    else if (reply.type === 'notCommitted' || reply.type === 'unknown') {
      const outcome = reply.type;
      const error = new RequestError(reply.code as RequestErrorCode, outcome, reply.message);
      if (outcome === 'unknown') request.call.reject(error);
      else this.#refuse(request, error);
    } else request.call.reject(lostForward(from)); // An answer to something else tells nothing.
  }

  #refuse(request: AdminCall, error: RequestError): void {
    if (isElsewhere(error.code) && request.work.type !== 'transferLeadership') this.#waiting.push(request);
    else request.call.reject(error);
  }

  /** The connection on which requests were passed on has closed. */
  onLinkDown(to: NodeId): void {
    for (const { request } of this.#sent.takeAll(({ via }) => via === to))
      request.call.reject(lostForward(to));
  }

  /** Gives up what took too long, and what a leader of before has left unanswered. */
  expire(now: number): void {
    for (const { call } of this.#waiting)
      if (now >= call.deadlineMs) call.reject(noLeader(this.#routes.whyOutside()));
    this.#waiting = this.#waiting.filter(({ call }) => !call.isDone);
    for (const { call } of this.#sent.requests) if (now >= call.deadlineMs) call.reject(timedOut());
    for (const { request, via } of this.#sent.takeOrphans(this.#routes.target(), now))
      request.call.reject(lostForward(via as NodeId));
    this.#sent.takeAll(({ request }) => request.call.isDone);
  }

  /** Answers everything that is outstanding. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    for (const { call } of this.#waiting) call.reject(requestError(code, 'notCommitted', what));
    this.#waiting = [];
    for (const { request } of this.#sent.takeAll(() => true))
      request.call.reject(requestError(code, 'unknown', what));
  }

  #abort(call: Call<void>): void {
    const isWaiting = this.#waiting.some((request) => request.call === call);
    call.reject(
      requestError('RAFT_ABORTED', isWaiting ? 'notCommitted' : 'unknown', 'The caller gave the request up.'),
    );
  }
}

function timedOut(): RequestError {
  return requestError('RAFT_TIMEOUT', 'unknown', 'It took longer than the time limit.');
}

function inputOf(id: number, work: AdminWork): Input {
  switch (work.type) {
    case 'compact':
      return { type: 'compact', id, keepsPrevious: false };
    case 'transferLeadership':
      return work.to === null
        ? { type: 'transferLeadership', id }
        : { type: 'transferLeadership', id, to: work.to };
    case 'changeMembers': {
      const { changes, expectedIndex } = work;
      return expectedIndex === null
        ? { type: 'changeMembers', id, changes }
        : { type: 'changeMembers', id, changes, expectedIndex };
    }
  }
}
