import type { Index, NodeId, ReadResult } from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { Call, type CallLimits } from './call.ts';
import { RequestError, type RequestErrorCode, requestError } from './errors.ts';
import type { ReadAnswer } from './raft-node.ts';
import type { Routes } from './routes.ts';
import { refusalError } from './write-queue.ts';

/** One `read` of a caller. */
interface ReadCall<Query, Answer> {
  readonly call: Call<ReadAnswer<Answer>>;
  readonly query: Query;
}

/** Reads that ask for one read index together. */
interface ReadGroup<Query, Answer> {
  readonly reads: readonly ReadCall<Query, Answer>[];
  readonly via: NodeId | null;
}

/** Reads that wait until an index has been applied here. */
interface AppliedGroup<Query, Answer> {
  readonly reads: readonly ReadCall<Query, Answer>[];
  readonly index: Index;
}

/** The state machine, as reads see it. */
export interface Queried<Query, Answer> {
  query(query: Query): Answer | Promise<Answer>;
  appliedIndex(): Index;
}

/**
 * The reads of this node's callers.
 *
 * Linearizable ones of one event-loop turn share one read index: from our core if it leads, else asked of
 * the leader. A later read waits for a later one (thesis §6.4). The query itself always runs here.
 */
export class ReadQueue<Query, Answer> {
  readonly #routes: Routes;
  readonly #machine: Queried<Query, Answer>;
  readonly #pendingMax: number;
  #waiting: ReadCall<Query, Answer>[] = [];
  readonly #sent = new Map<number, ReadGroup<Query, Answer>>();
  #unapplied: AppliedGroup<Query, Answer>[] = [];
  #pending = 0;

  /** @param pendingMax - reads that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  constructor(routes: Routes, machine: Queried<Query, Answer>, pendingMax: number) {
    this.#routes = routes;
    this.#machine = machine;
    this.#pendingMax = pendingMax;
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Takes a linearizable read, which leaves with the next {@link flush}. */
  add(query: Query, limits: CallLimits): Promise<ReadAnswer<Answer>> {
    return this.#take(query, limits, (read) => this.#waiting.push(read));
  }

  /** Takes a read of what is applied here once that reaches `index`. */
  addFrom(index: Index, query: Query, limits: CallLimits): Promise<ReadAnswer<Answer>> {
    return this.#take(query, limits, (read) => this.#whenApplied({ reads: [read], index }));
  }

  #take(
    query: Query,
    limits: CallLimits,
    begin: (read: ReadCall<Query, Answer>) => void,
  ): Promise<ReadAnswer<Answer>> {
    if (this.#pending >= this.#pendingMax) {
      const what = `${this.#pending} reads are waiting, the limit is ${this.#pendingMax}.`;
      return Promise.reject(requestError('RAFT_OVERLOADED', 'notCommitted', what));
    }
    this.#pending += 1;
    const answer = new Promise<ReadAnswer<Answer>>((resolve, reject) => {
      const abort = (call: Call<ReadAnswer<Answer>>) =>
        call.reject(requestError('RAFT_ABORTED', 'notCommitted', 'The caller gave the read up.'));
      begin({ call: new Call(limits, { resolve, reject }, abort), query });
    });
    const release = () => {
      this.#pending -= 1;
    };
    answer.then(release, release);
    return answer;
  }

  /** Asks for a read index for all that wait, if there is somebody to ask. */
  flush(): void {
    const target = this.#routes.target();
    const reads = this.#waiting.filter(({ call }) => !call.isDone);
    this.#waiting = reads;
    if (target === null || reads.length === 0) return;
    const id = this.#routes.nextId();
    this.#waiting = [];
    this.#sent.set(id, { reads, via: target === 'self' ? null : target });
    if (target === 'self') return this.#routes.input({ type: 'read', id });
    const timeoutMs = Math.max(1, Math.max(...reads.map(({ call }) => call.deadlineMs)) - this.#routes.now());
    if (this.#routes.forward(target, { type: 'forward', seq: id, request: { type: 'readIndex', timeoutMs } }))
      return;
    this.#sent.delete(id);
    this.#waiting = [...reads, ...this.#waiting];
  }

  /** Our core confirmed a read, and the machine has applied what it needs: run its queries. */
  onConfirmed(id: number): void {
    const group = this.#sent.get(id);
    this.#sent.delete(id);
    if (group !== undefined) this.#answer(group.reads);
  }

  /** Our core refused a read: it did not lead, or had too many. */
  onResult(id: number, result: ReadResult): void {
    const group = this.#sent.get(id);
    if (group === undefined || result.type === 'ok') return;
    this.#sent.delete(id);
    if (result.reason.type === 'notLeader') this.#waiting = [...group.reads, ...this.#waiting];
    else for (const { call } of group.reads) call.reject(refusalError(result.reason));
  }

  /** The leader answered with a read index, or said why not. */
  onReply(seq: number, reply: ForwardReplyFrame['reply']): void {
    const group = this.#sent.get(seq);
    if (group === undefined) return;
    this.#sent.delete(seq);
    if (reply.type === 'readIndex')
      return this.#whenApplied({ reads: group.reads, index: reply.index as Index });
    const isRefused = reply.type === 'notCommitted' && reply.code !== 'RAFT_NOT_LEADER';
    if (!isRefused)
      this.#waiting = [...group.reads, ...this.#waiting]; // Nothing happened: ask anew.
    else
      for (const { call } of group.reads)
        call.reject(new RequestError(reply.code as RequestErrorCode, 'notCommitted', reply.message));
  }

  /** The connection on which a read index was asked for has closed: the reads take a fresh one. */
  onLinkDown(to: NodeId): void {
    for (const [id, group] of this.#sent) {
      if (group.via !== to) continue;
      this.#sent.delete(id);
      this.#waiting = [...group.reads, ...this.#waiting];
    }
  }

  #whenApplied(group: AppliedGroup<Query, Answer>): void {
    if (group.index <= this.#machine.appliedIndex()) this.#answer(group.reads);
    else this.#unapplied.push(group);
  }

  /** The machine got on. */
  onApplied(): void {
    if (this.#unapplied.length === 0) return;
    const applied = this.#machine.appliedIndex();
    const ready = this.#unapplied.filter((group) => group.index <= applied);
    this.#unapplied = this.#unapplied.filter((group) => group.index > applied);
    for (const group of ready) this.#answer(group.reads);
  }

  #answer(reads: readonly ReadCall<Query, Answer>[]): void {
    for (const { call, query } of reads) {
      if (call.isDone) continue;
      const index = this.#machine.appliedIndex();
      try {
        const answer = this.#machine.query(query);
        if (answer instanceof Promise)
          answer.then(
            (value) => call.resolve({ value, index }),
            (error) => call.reject(error),
          );
        else call.resolve({ value: answer, index });
      } catch (error) {
        call.reject(error);
      }
    }
  }

  /** Gives up the reads whose time is over. */
  expire(now: number): void {
    const isOver = ({ call }: ReadCall<Query, Answer>) => now >= call.deadlineMs;
    for (const read of this.#waiting) if (isOver(read)) read.call.reject(noLeaderError());
    this.#waiting = this.#waiting.filter(({ call }) => !call.isDone);
    for (const [id, { reads }] of this.#sent) {
      for (const read of reads) if (isOver(read)) read.call.reject(unconfirmedError());
      if (reads.every(({ call }) => call.isDone)) this.#sent.delete(id);
    }
    for (const { reads, index } of this.#unapplied) {
      for (const read of reads) if (isOver(read)) read.call.reject(this.#laggingError(index));
    }
    this.#unapplied = this.#unapplied.filter(({ reads }) => reads.some(({ call }) => !call.isDone));
  }

  #laggingError(index: Index): RequestError {
    const what = `This node has applied ${this.#machine.appliedIndex()}, and did not reach ${index} within the time limit.`;
    return requestError('RAFT_TIMEOUT', 'notCommitted', what);
  }

  /** Answers everything that is outstanding. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    const groups = [{ reads: this.#waiting }, ...this.#sent.values(), ...this.#unapplied];
    for (const { reads } of groups) {
      for (const { call } of reads) call.reject(requestError(code, 'notCommitted', what));
    }
    this.#waiting = [];
    this.#sent.clear();
    this.#unapplied = [];
  }
}

function noLeaderError(): RequestError {
  const what = 'No leader was found within the time limit: fewer than a majority of the voters may be up.';
  return requestError('RAFT_NO_LEADER', 'notCommitted', what);
}

function unconfirmedError(): RequestError {
  const what = 'No majority confirmed within the time limit that the leader still leads.';
  return requestError('RAFT_TIMEOUT', 'notCommitted', what);
}
