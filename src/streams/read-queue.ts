import type { Index, NodeId, ReadResult } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { type Answer, type CallLimits, pending, remainingMs, unabortable } from './call.ts';
import {
  neverLeft,
  noLeader,
  RequestError,
  type RequestErrorCode,
  refusalError,
  requestError,
} from './errors.ts';
import { Gathering, type Unanswered } from './gathering.ts';
import { isPromise } from './is-promise.ts';
import type { ReadAnswer } from './raft-node.ts';
import { type Answered, FailedQuery, JointRead, LateAnswer, ReadCall } from './read-call.ts';
import type { Routes } from './routes.ts';
import { SentRequests } from './sent-requests.ts';

/** So many queries are enough for a read index. */
const enoughQueries = 128;

/** Reads that ask for one read index together. */
type ReadGroup<Query, Value> = readonly ReadCall<Query, Value>[];

/** Reads that have asked for a read index, and when. */
interface SentGroup<Query, Value> {
  readonly reads: ReadGroup<Query, Value>;
  /** So many queries were in them. */
  readonly count: number;
  readonly sentAtMs: number;
}

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
  /** The last that waits, while single reads may join it: until it leaves. */
  #joint: JointRead<Query, Value> | null = null;
  readonly #sent = new SentRequests<SentGroup<Query, Value>>();
  readonly #gathering = new Gathering(enoughQueries);
  #unapplied: AppliedGroup<Query, Value>[] = [];
  /** The machine takes its time to answer these. */
  readonly #querying = new Set<ReadCall<Query, Value>>();
  #pending = 0;

  /** One for all calls. */
  readonly #onAbort = (read: ReadCall<Query, Value>): void => this.#reject(read, aborted());

  /** @param pendingMax - reads that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  constructor(routes: Routes, machine: Queried<Query, Value>, pendingMax: number) {
    this.#routes = routes;
    this.#machine = machine;
    this.#pendingMax = pendingMax;
  }

  /** Takes linearizable reads, which leave with the next {@link flush}. */
  add(queries: readonly Query[], limits: CallLimits, answer: Answer<Answered<Value>>): void {
    const read = this.#take(queries, limits, answer);
    if (read !== undefined) this.#waiting.push(read);
  }

  /** Takes one that nobody will abort. Those that leave together have one deadline, that of the first. */
  addOne(query: Query, timeoutMs: number): Promise<ReadAnswer<Value>> {
    const overload = this.#overloadOf(1);
    if (overload !== null) return Promise.reject(overload);
    this.#pending += 1;
    const joint = this.#joint;
    if (joint !== null && !joint.isDone && joint.timeoutMs === timeoutMs) {
      joint.join(query);
      return joint.last();
    }
    const limits = { timeoutMs, deadlineMs: this.#routes.now() + timeoutMs };
    const opened = new JointRead<Query, Value>(query, limits);
    this.#waiting.push(opened);
    this.#joint = opened;
    return opened.last();
  }

  /** Takes reads of what is applied here once that reaches `index`. */
  addFrom(
    index: Index,
    queries: readonly Query[],
    limits: CallLimits,
    answer: Answer<Answered<Value>>,
  ): void {
    const read = this.#take(queries, limits, answer);
    if (read !== undefined) this.#whenApplied({ reads: [read], index });
  }

  #take(
    queries: readonly Query[],
    limits: CallLimits,
    answer: Answer<Answered<Value>>,
  ): ReadCall<Query, Value> | undefined {
    const overload = this.#overloadOf(queries.length);
    if (overload !== null) {
      answer.reject(overload);
      return undefined;
    }
    const read = new ReadCall(queries, limits, answer, this.#onAbort);
    this.#pending += queries.length;
    return read;
  }

  #overloadOf(count: number): RequestError | null {
    if (this.#pending + count <= this.#pendingMax) return null;
    const what = `${this.#pending} reads are waiting and ${count} more came, the limit is ${this.#pendingMax}.`;
    return requestError('RAFT_OVERLOADED', 'notCommitted', what);
  }

  #resolve(read: ReadCall<Query, Value>, answered: Answered<Value>): void {
    if (!read.isDone) this.#pending -= read.queries.length;
    read.resolve(answered);
  }

  #reject(read: ReadCall<Query, Value>, error: RequestError): void {
    if (!read.isDone) this.#pending -= read.queries.length;
    read.reject(error);
  }

  get hasWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether reads have asked and are not confirmed: our core begins no other round meanwhile. */
  get isAsking(): boolean {
    return this.#sent.size > 0;
  }

  /** Whether those that wait should wait for more, which are about to come. */
  get isGathering(): boolean {
    return this.#gathering.isWorthwhile(this.#unanswered, this.#routes.now());
  }

  /** What waits for others does so at most so long, in milliseconds. */
  get patienceMs(): number {
    return this.#gathering.patienceMs;
  }

  /** Queries that wait for a read index. */
  get #unanswered(): Unanswered {
    const waiting = countOf(this.#waiting);
    let all = waiting;
    for (const { count } of this.#sent.requests) all += count;
    return { waiting, all };
  }

  /** Asks for a read index for all that wait, if there is somebody to ask. */
  flush(): void {
    this.#joint = null; // The turn is over.
    const target = this.#routes.target();
    this.#takeBackFromOthersThan(target);
    if (target === null) return;
    const reads = this.#waiting.filter(({ isDone }) => !isDone);
    const unanswered = this.#unanswered;
    this.#waiting = [];
    if (reads.length === 0) return;
    this.#gathering.onSent(unanswered);
    const id = this.#routes.nextId();
    this.#sent.add(id, { reads, count: unanswered.waiting, sentAtMs: this.#routes.now() }, target);
    if (target === 'self') return this.#routes.input({ type: 'read', id });
    const timeoutMs = remainingMs(reads, this.#routes.now());
    const request = { type: 'readIndex', timeoutMs } as const;
    if (this.#routes.forward(target, { type: 'forward', seq: id, request })) return;
    const unsent = this.#sent.take(id)?.reads ?? []; // None if a closing link has put them back.
    this.#waiting = [...unsent, ...this.#waiting];
  }

  /** Who leads has changed: the one that was asked may never answer. A read can be asked again, for a fresh index. */
  #takeBackFromOthersThan(target: 'self' | NodeId | null): void {
    const isOther = (via: NodeId | null): boolean => via !== null && via !== target;
    for (const { request } of this.#sent.takeAll(({ via }) => isOther(via)))
      this.#waiting.push(...request.reads);
  }

  /** Our core confirmed a read, and the machine has applied what it needs: run its queries. */
  onConfirmed(id: number): void {
    const sent = this.#sent.take(id);
    if (sent === undefined) return;
    const moments = { sentAtMs: sent.sentAtMs, nowMs: this.#routes.now() };
    this.#gathering.onAnswered(sent.count, this.#unanswered, moments);
    this.#answer(sent.reads);
  }

  /** Our core refused a read: it did not lead, or had too many. */
  onResult(id: number, result: ReadResult): void {
    if (result.type === 'ok') return;
    const { reads } = this.#sent.take(id) ?? nothingSent;
    if (result.reason.type === 'notLeader') this.#waiting.push(...reads);
    else for (const read of reads) this.#reject(read, refusalError(result.reason));
  }

  /** The node `from` answered with a read index, or said why not. */
  onReply(from: NodeId, seq: number, reply: ForwardReplyFrame['reply']): void {
    const reads = this.#sent.takeAnsweredBy(from, seq)?.reads;
    if (reads === undefined) return;
    if (reply.type === 'readIndex') return this.#whenApplied({ reads, index: reply.index as Index });
    const isRefused = reply.type === 'notCommitted' && reply.code !== 'RAFT_NOT_LEADER';
    if (!isRefused) {
      this.#waiting.push(...reads); // Nothing happened: ask anew.
      return;
    }
    const error = new RequestError(reply.code as RequestErrorCode, 'notCommitted', reply.message);
    for (const read of reads) this.#reject(read, error);
  }

  /** The connection on which a read index was asked for has closed: the reads take a fresh one. */
  onLinkDown(to: NodeId): void {
    for (const { request } of this.#sent.takeAll(({ via }) => via === to))
      this.#waiting.push(...request.reads);
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
      if (read.isDone) continue;
      const index = this.#machine.appliedIndex();
      const answers = read.queries.map((query) => this.#ask(query));
      if (!answers.some(isPromise))
        this.#resolve(read, { values: answers as readonly (Value | FailedQuery)[], index });
      else if (read instanceof JointRead) this.#part(read, answers, index);
      else this.#await(read, answers, index);
    }
  }

  #ask(query: Query): Value | FailedQuery | Promise<Value | FailedQuery> {
    try {
      const value = this.#machine.query(query);
      if (!isPromise(value)) return value;
      return value.then(
        (settled) => settled,
        (error: unknown) => new FailedQuery(error),
      );
    } catch (error) {
      return new FailedQuery(error);
    }
  }

  /** Callers that only happened to ask in one turn: those whose answer takes its time go on waiting, each by itself. */
  #part(
    joint: JointRead<Query, Value>,
    answers: readonly (Value | FailedQuery | Promise<Value | FailedQuery>)[],
    index: Index,
  ): void {
    const limits = { deadlineMs: joint.deadlineMs, signal: undefined };
    const values = answers.map((answer, place) => {
      if (!isPromise(answer)) return answer;
      const { promise, answer: late } = pending<Answered<Value>>();
      const query = joint.queries[place] as Query;
      this.#await(new ReadCall([query], limits, late, unabortable), [answer], index);
      this.#pending += 1;
      return new LateAnswer(promise);
    });
    this.#resolve(joint, { values, index });
  }

  #await(
    read: ReadCall<Query, Value>,
    answers: readonly (Value | FailedQuery | Promise<Value | FailedQuery>)[],
    index: Index,
  ): void {
    this.#querying.add(read);
    void Promise.all(answers).then((values) => {
      this.#querying.delete(read);
      this.#resolve(read, { values, index });
    });
  }

  /** Gives up the reads whose time is over. */
  expire(now: number): void {
    const giveUp = (reads: Iterable<ReadCall<Query, Value>>, why: () => RequestError): void => {
      for (const read of reads) if (now >= read.deadlineMs) this.#reject(read, why());
    };
    const isLeaderKnown = this.#routes.target() !== null;
    giveUp(this.#waiting, () => (isLeaderKnown ? neverLeft('read') : noLeader(this.#routes.whyOutside())));
    this.#waiting = this.#waiting.filter(({ isDone }) => !isDone);
    for (const { reads } of this.#sent.requests) giveUp(reads, unconfirmed);
    this.#sent.takeAll(({ request }) => request.reads.every(({ isDone }) => isDone));
    for (const { reads, index } of this.#unapplied) giveUp(reads, () => this.#lagging(index));
    this.#unapplied = this.#unapplied.filter(({ reads }) => reads.some(({ isDone }) => !isDone));
    giveUp(this.#querying, unanswered);
    for (const read of this.#querying) if (read.isDone) this.#querying.delete(read);
  }

  #lagging(index: Index): RequestError {
    const what = `This node has applied ${this.#machine.appliedIndex()}, and did not reach ${index} within the time limit.`;
    return requestError('RAFT_TIMEOUT', 'notCommitted', what);
  }

  /** Answers everything that is outstanding. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    const sent = this.#sent.takeAll(() => true).flatMap(({ request }) => request.reads);
    const unapplied = this.#unapplied.flatMap((group) => group.reads);
    const reads = [...this.#waiting, ...this.#querying, ...sent, ...unapplied];
    this.#joint = null;
    for (const read of reads) this.#reject(read, requestError(code, 'notCommitted', what));
    this.#waiting = [];
    this.#unapplied = [];
    this.#querying.clear();
  }
}

const nothingSent = { reads: [] } as const;

/** So many queries are in these, and not answered. */
function countOf(reads: readonly ReadCall<unknown, unknown>[]): number {
  let count = 0;
  for (const { isDone, queries } of reads) if (!isDone) count += queries.length;
  return count;
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
