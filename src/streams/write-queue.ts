import {
  encodePayload,
  type Index,
  type NodeId,
  plus,
  type Refusal,
  type Term,
  type WriteResult,
} from '../core/index.ts';
import type { ForwardReplyFrame } from '../transport/transport.ts';
import { Call, type CallLimits } from './call.ts';
import { crc32 } from './crc32.ts';
import { RequestError, type RequestErrorCode, requestError } from './errors.ts';
import type { Routes } from './routes.ts';

/** Where a call's first command stands, and the results of its commands, in order. */
export interface Written<Result> {
  readonly index: Index;
  readonly term: Term;
  readonly results: readonly Result[];
}

/** One `write` or `writeAll` of a caller. */
interface WriteCall<Result> {
  readonly call: Call<Written<Result>>;
  readonly commands: readonly Uint8Array[];
  readonly bytes: number;
}

/** Calls whose commands went off together. */
interface WriteGroup<Result> {
  readonly calls: readonly WriteCall<Result>[];
  /** The node it was passed on to; `null` for our own core. */
  readonly via: NodeId | null;
}

/** Limits of a {@link WriteQueue}. */
export interface WriteLimits {
  /** Payload bytes of one batch; a single larger command is a batch of its own. */
  readonly batchBytesMax: number;
  /** Commands of one batch, so that applying one never takes long. */
  readonly batchCountMax: number;
  /** Commands that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  readonly pendingMax: number;
}

/**
 * The writes of this node's callers, from the call to its one answer (rule 22).
 *
 * What is called in one event-loop turn goes off as one batch: to our core if it leads, else to the leader,
 * else it waits for one. Only what never left this queue, or was refused by a core, is `notCommitted`.
 */
export class WriteQueue<Result> {
  readonly #routes: Routes;
  readonly #limits: WriteLimits;
  #waiting: WriteCall<Result>[] = [];
  readonly #sent = new Map<number, WriteGroup<Result>>();
  #pending = 0;

  constructor(routes: Routes, limits: WriteLimits) {
    this.#routes = routes;
    this.#limits = limits;
  }

  /** Takes commands that stand one after the other in the log. They leave with the next {@link flush}. */
  add(commands: readonly Uint8Array[], limits: CallLimits): Promise<Written<Result>> {
    let bytes = 0;
    for (const command of commands) bytes += 4 + command.byteLength;
    if (this.#pending + commands.length > this.#limits.pendingMax) {
      const what = `${this.#pending} commands are waiting, the limit is ${this.#limits.pendingMax}.`;
      return Promise.reject(requestError('RAFT_OVERLOADED', 'notCommitted', what));
    }
    return new Promise((resolve, reject) => {
      const call = new Call({ ...limits }, { resolve, reject }, (aborted) => this.#abort(aborted));
      this.#waiting.push({ call, commands, bytes });
      this.#pending += commands.length;
    });
  }

  get isWaiting(): boolean {
    return this.#waiting.length > 0;
  }

  /** Sends what waits, if there is somewhere to send it. */
  flush(): void {
    const target = this.#routes.target();
    if (target === null) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (let at = 0; at < waiting.length; ) {
      const end = this.#groupEnd(waiting, at);
      if (!this.#send(waiting.slice(at, end), target)) {
        this.#waiting = [...waiting.slice(at), ...this.#waiting]; // Did not leave: it may wait.
        return;
      }
      at = end;
    }
  }

  #groupEnd(waiting: readonly WriteCall<Result>[], start: number): number {
    let end = start;
    for (let bytes = 0, count = 0; end < waiting.length; end++) {
      const write = waiting[end] as WriteCall<Result>;
      bytes += write.bytes;
      count += write.commands.length;
      const isFull = bytes > this.#limits.batchBytesMax || count > this.#limits.batchCountMax;
      if (isFull && end > start) break;
    }
    return end;
  }

  #send(calls: readonly WriteCall<Result>[], target: 'self' | NodeId): boolean {
    const live = calls.filter(({ call }) => !call.isDone);
    if (live.length === 0) return true;
    const commands =
      live.length === 1 ? (live[0] as WriteCall<Result>).commands : live.flatMap((call) => call.commands);
    const payload = encodePayload(commands);
    const payloadChecksum = crc32(payload);
    const id = this.#routes.nextId();
    const count = commands.length;
    this.#sent.set(id, { calls: live, via: target === 'self' ? null : target });
    if (target === 'self') {
      this.#routes.input({ type: 'write', id, payload, payloadChecksum, count });
      return true;
    }
    const timeoutMs = Math.max(...live.map(({ call }) => call.deadlineMs)) - this.#routes.now();
    const request = {
      type: 'write',
      payload,
      payloadChecksum,
      count,
      timeoutMs: Math.max(1, timeoutMs),
    } as const;
    if (this.#routes.forward(target, { type: 'forward', seq: id, request })) return true;
    this.#sent.delete(id);
    return false;
  }

  /** Our core answered. `results` are the machine's, there if the write was applied here. */
  onResult(id: number, result: WriteResult, results: readonly Result[]): void {
    const group = this.#take(id);
    if (group === undefined) return; // Everyone gave up, or it was a forwarded one.
    switch (result.type) {
      case 'committed':
        return this.#resolve(group, { index: result.index, term: result.term, results });
      case 'notCommitted':
        if (result.reason.type === 'notLeader') return this.#wait(group);
        return this.#reject(group, refusalError(result.reason));
      case 'unknown':
        return this.#reject(group, lostLeadership());
    }
  }

  /** The leader answered a write that was passed on to it. */
  onReply(seq: number, reply: ForwardReplyFrame['reply'], decode: (bytes: Uint8Array) => Result): void {
    const group = this.#take(seq);
    if (group === undefined) return;
    switch (reply.type) {
      case 'committed': {
        const { index, term } = reply;
        return this.#resolve(group, {
          index: index as Index,
          term: term as Term,
          results: reply.results.map(decode),
        });
      }
      case 'notCommitted': {
        if (reply.code === 'RAFT_NOT_LEADER') return this.#wait(group);
        const code = reply.code as RequestErrorCode;
        return this.#reject(
          group,
          new RequestError(code, 'notCommitted', reply.message, { leaderId: reply.leaderId }),
        );
      }
      case 'unknown':
        return this.#reject(
          group,
          new RequestError(reply.code as RequestErrorCode, 'unknown', reply.message),
        );
      case 'readIndex':
        return this.#reject(group, lostForward('the leader'));
    }
  }

  /** The connection on which requests were passed on has closed: what became of them can't be known. */
  onLinkDown(to: NodeId): void {
    for (const [id, group] of this.#sent) {
      if (group.via !== to) continue;
      this.#sent.delete(id);
      this.#reject(group, lostForward(to));
    }
  }

  /** Gives up the calls whose time is over. */
  expire(now: number): void {
    this.#waiting = this.#waiting.filter((write) => {
      if (now >= write.call.deadlineMs)
        this.#fail(write, requestError('RAFT_NO_LEADER', 'notCommitted', noLeader));
      return !write.call.isDone;
    });
    for (const [id, group] of this.#sent) {
      for (const write of group.calls) {
        if (now >= write.call.deadlineMs)
          this.#fail(write, requestError('RAFT_TIMEOUT', 'unknown', timedOut));
      }
      if (group.calls.every(({ call }) => call.isDone)) this.#sent.delete(id);
    }
  }

  /** Answers everything that is outstanding. */
  close(code: 'RAFT_CLOSED' | 'RAFT_STOPPED', what: string): void {
    for (const write of this.#waiting) this.#fail(write, requestError(code, 'notCommitted', what));
    for (const group of this.#sent.values()) this.#reject(group, requestError(code, 'unknown', what));
    this.#waiting = [];
    this.#sent.clear();
  }

  #abort(call: Call<Written<Result>>): void {
    const isWaiting = this.#waiting.some((write) => write.call === call);
    const outcome = isWaiting ? 'notCommitted' : 'unknown';
    const all = [...this.#waiting, ...[...this.#sent.values()].flatMap((group) => group.calls)];
    const write = all.find((candidate) => candidate.call === call);
    if (write !== undefined)
      this.#fail(write, requestError('RAFT_ABORTED', outcome, 'The caller gave the request up.'));
  }

  #take(id: number): WriteGroup<Result> | undefined {
    const group = this.#sent.get(id);
    this.#sent.delete(id);
    return group;
  }

  /** It was never appended anywhere: it may go off once more. */
  #wait(group: WriteGroup<Result>): void {
    this.#waiting = [...group.calls.filter(({ call }) => !call.isDone), ...this.#waiting];
  }

  #resolve(group: WriteGroup<Result>, { index, term, results }: Written<Result>): void {
    let offset = 0;
    for (const write of group.calls) {
      const { length } = write.commands;
      const isAll = length === results.length;
      if (!write.call.isDone) this.#pending -= length;
      write.call.resolve({
        index: plus(index, offset),
        term,
        results: isAll ? results : results.slice(offset, offset + length),
      });
      offset += length;
    }
  }

  #reject(group: WriteGroup<Result>, error: RequestError): void {
    for (const write of group.calls) this.#fail(write, error);
  }

  #fail(write: WriteCall<Result>, error: RequestError): void {
    if (write.call.isDone) return;
    this.#pending -= write.commands.length;
    write.call.reject(error);
  }
}

/** What a core's refusal means to a caller. */
export function refusalError(reason: Refusal): RequestError {
  switch (reason.type) {
    case 'notLeader':
      return requestError('RAFT_NOT_LEADER', 'notCommitted', 'This node does not lead.', reason.leaderId);
    case 'overloaded':
      return requestError('RAFT_OVERLOADED', 'notCommitted', 'The leader has too many requests under way.');
    case 'invalid':
      return requestError('RAFT_BAD_REQUEST', 'notCommitted', `The request is malformed: ${reason.detail}.`);
  }
}

const noLeader = 'No leader was found within the time limit: fewer than a majority of the voters may be up.';
const timedOut = 'No majority acknowledged the write within the time limit.';

/** The leader that took the write stepped down before it was committed. */
export function lostLeadership(): RequestError {
  return requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The leader that took the write stepped down.');
}

function lostForward(to: NodeId): RequestError {
  return requestError(
    'RAFT_UNKNOWN_OUTCOME',
    'unknown',
    `The connection to ${to}, which took the request, broke.`,
  );
}
