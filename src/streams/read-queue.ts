import type { Index, NodeId, ReadResult } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { type Answer, Call, type CallLimits, remainingMs } from './call.ts';
import { noLeader, RequestError, type RequestErrorCode, refusalError, requestError } from './errors.ts';
import { isPromise } from './is-promise.ts';
import type { Routes } from './routes.ts';
import { SentRequests } from './sent-requests.ts';

/** An answer, and the index that it reflects at least. */
export interface IndexedAnswer<Value> {
  readonly value: Value;
  readonly index: Index;
}

/** One `read` of a caller. */
interface ReadCall<Query, Value> {
  readonly call: Call<IndexedAnswer<Value>>;
  readonly query: Query;
}

/** Reads that ask for one read index together. */
type ReadGroup<Query, Value> = readonly ReadCall<Query, Value>[];

/** Reads that wait until an index has been applied here. */
interface AppliedGroup<Query, Value> {
  readonly reads: ReadGroup<Query, Value>;
  readonly index: Index;
}

/** The state machine, as reads see it. */
export interface Queried<Query, Value> {
  query(query: Query): Value | Promise<Value>;
  appliedIndex(): Index;
  /** A snapshot is taking the place of its data: what a query sees now is neither the old nor the new. */
  isInstalling(): boolean;
}

/**
 * The reads of this node's callers.
 *
 * Linearizable ones of one event-loop turn share one read index: from our core if it leads, else asked of
 * the leader. A later read waits for a later one (thesis §6.4). The query itself always runs here.
 */
export class ReadQueue<Query, Value> {
  readonly #routes: Routes;
  readonly #machine: Queried<Query, Value>;
  readonly #pendingMax: number;
  #waiting: ReadCall<Query, Value>[] = [];
  readonly #sent = new SentRequests<ReadGroup<Query, Value>>();
  #unapplied: AppliedGroup<Query, Value>[] = [];
  /** The machine takes its time to answer these. */
  readonly #querying = new Set<ReadCall<Query, Value>>();
  #pending = 0;

  /** @param pendingMax - reads that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  constructor(routes: Routes, machine: Queried<Query, Value>, pendingMax: number) {
    this.#routes = routes;
    this.#machine = machine;
    this.#pendingMax = pendingMax;
  }

  /** Takes a linearizable read, which leaves with the next {@link flush}. */
  add(query: Query, limits: CallLimits, answer: Answer<IndexedAnswer<Value>>): void {
    const read = this.#take(query, limits, answer);
    if (read !== undefined) this.#waiting.push(read);
  }

  /** Takes a read of what is applied here once that reaches `index`. */
  addFrom(index: Index, query: Query, limits: CallLimits, answer: Answer<IndexedAnswer<Value>>): void {
    const read = this.#take(query, limits, answer);
    if (read !== undefined) this.#whenApplied({ reads: [read], index });
  }

  #take(
    query: Query,
    limits: CallLimits,
    answer: Answer<IndexedAnswer<Value>>,
  ): ReadCall<Query, Value> | undefined {
    if (this.#pending >= this.#pendingMax) {
      const what = `${this.#pending} reads are waiting, the limit is ${this.#pendingMax}.`;
      answer.reject(requestError('RAFT_OVERLOADED', 'notCommitted', what));
      return undefined;
    }
    this.#pending += 1;
    const counted: Answer<IndexedAnswer<Value>> = {
      resolve: (value) => {
        this.#pending -= 1;
        answer.resolve(value);
      },
      reject: (error) => {
        this.#pending -= 1;
        answer.reject(error);
      },
    };
    return { call: new Call(limits, counted, (call) => call.reject(aborted())), query };
  }

  /** Asks for a read index for all that wait, if there is somebody to ask. */
  flush(): void {
    const target = this.#routes.target();
    this.#takeBackFromOthersThan(target);
    if (target === null) return;
    const reads = this.#waiting.filter(({ call }) => !call.isDone);
    this.#waiting = [];
    if (reads.length === 0) return;
    const id = this.#routes.nextId();
    this.#sent.add(id, reads, target);
    if (target === 'self') return this.#routes.input({ type: 'read', id });
    const timeoutMs = remainingMs(
      reads.map(({ call }) => call),
      this.#routes.now(),
    );
    const request = { type: 'readIndex', timeoutMs } as const;
    if (this.#routes.forward(target, { type: 'forward', seq: id, request })) return;
    const unsent = this.#sent.take(id) ?? []; // None if a closing link has put them back.
    this.#waiting = [...unsent, ...this.#waiting];
  }

  /** Who leads has changed: the one that was asked may never answer. A read can be asked again, for a fresh index. */
  #takeBackFromOthersThan(target: 'self' | NodeId | null): void {
    const isOther = (via: NodeId | null): boolean => via !== null && via !== target;
    for (const { request } of this.#sent.takeAll(({ via }) => isOther(via))) this.#waiting.push(...request);
  }

  /** Our core confirmed a read, and the machine has applied what it needs: run its queries. */
  onConfirmed(id: number): void {
    this.#answer(this.#sent.take(id) ?? []);
  }

  /** Our core refused a read: it did not lead, or had too many. */
  onResult(id: number, result: ReadResult): void {
    if (result.type === 'ok') return;
    const reads = this.#sent.take(id) ?? [];
    if (result.reason.type === 'notLeader') this.#waiting.push(...reads);
    else for (const { call } of reads) call.reject(refusalError(result.reason));
  }

  /** The node `from` answered with a read index, or said why not. */
  onReply(from: NodeId, seq: number, reply: ForwardReplyFrame['reply']): void {
    const reads = this.#sent.takeAnsweredBy(from, seq);
    if (reads === undefined) return;
    if (reply.type === 'readIndex') return this.#whenApplied({ reads, index: reply.index as Index });
    const isRefused = reply.type === 'notCommitted' && reply.code !== 'RAFT_NOT_LEADER';
    if (!isRefused) {
      this.#waiting.push(...reads); // Nothing happened: ask anew.
      return;
    }
    const error = new RequestError(reply.code as RequestErrorCode, 'notCommitted', reply.message);
    for (const { call } of reads) call.reject(error);
  }

  /** The connection on which a read index was asked for has closed: the reads take a fresh one. */
  onLinkDown(to: NodeId): void {
    for (const { request } of this.#sent.takeAll(({ via }) => via === to)) this.#waiting.push(...request);
  }

  #whenApplied(group: AppliedGroup<Query, Value>): void {
    const isThere = group.index <= this.#machine.appliedIndex() && !this.#machine.isInstalling();
    if (isThere) this.#answer(group.reads);
    else this.#unapplied.push(group);
  }

  /** The machine got on. */
  onApplied(): void {
    if (this.#unapplied.length === 0) return;
    const applied = this.#machine.appliedIndex();
    const ready = this.#unapplied.filter((group) => group.index <= applied);
    if (ready.length === 0) return;
    this.#unapplied = this.#unapplied.filter((group) => group.index > applied);
    for (const group of ready) this.#answer(group.reads);
  }

  #answer(reads: readonly ReadCall<Query, Value>[]): void {
    for (const read of reads) {
      const { call, query } = read;
      if (call.isDone) continue;
      const index = this.#machine.appliedIndex();
      try {
        const value = this.#machine.query(query);
        if (isPromise(value)) this.#await(read, value, index);
        else call.resolve({ value, index });
      } catch (error) {
        call.reject(error);
      }
    }
  }

  #await(read: ReadCall<Query, Value>, answer: Promise<Value>, index: Index): void {
    this.#querying.add(read);
    answer.then(
      (value) => {
        this.#querying.delete(read);
        read.call.resolve({ value, index });
      },
      (error) => {
        this.#querying.delete(read);
        read.call.reject(error);
      },
    );
  }

  /** Gives up the reads whose time is over. */
  expire(now: number): void {
    const giveUp = (reads: Iterable<ReadCall<Query, Value>>, why: () => RequestError): void => {
      for (const { call } of reads) if (now >= call.deadlineMs) call.reject(why());
    };
    giveUp(this.#waiting, () => noLeader(this.#routes.isFounded()));
    this.#waiting = this.#waiting.filter(({ call }) => !call.isDone);
    for (const reads of this.#sent.requests) giveUp(reads, unconfirmed);
    this.#sent.takeAll(({ request }) => request.every(({ call }) => call.isDone));
    for (const { reads, index } of this.#unapplied) giveUp(reads, () => this.#lagging(index));
    this.#unapplied = this.#unapplied.filter(({ reads }) => reads.some(({ call }) => !call.isDone));
    giveUp(this.#querying, unanswered);
    for (const read of this.#querying) if (read.call.isDone) this.#querying.delete(read);
  }

  #lagging(index: Index): RequestError {
    const what = `This node has applied ${this.#machine.appliedIndex()}, and did not reach ${index} within the time limit.`;
    return requestError('RAFT_TIMEOUT', 'notCommitted', what);
  }

  /** Answers everything that is outstanding. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    const sent = this.#sent.takeAll(() => true).flatMap(({ request }) => request);
    const unapplied = this.#unapplied.flatMap((group) => group.reads);
    const reads = [...this.#waiting, ...this.#querying, ...sent, ...unapplied];
    for (const { call } of reads) call.reject(requestError(code, 'notCommitted', what));
    this.#waiting = [];
    this.#unapplied = [];
    this.#querying.clear();
  }
}

function aborted(): RequestError {
  return requestError('RAFT_ABORTED', 'notCommitted', 'The caller gave the read up.');
}

function unconfirmed(): RequestError {
  const what = 'No majority confirmed within the time limit that the leader still leads.';
  return requestError('RAFT_TIMEOUT', 'notCommitted', what);
}

function unanswered(): RequestError {
  const what = 'The state machine did not answer the query within the time limit.';
  return requestError('RAFT_TIMEOUT', 'notCommitted', what);
}
