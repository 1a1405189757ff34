import type { Peer, ReadResult, WriteResult } from '../core/index.ts';
import type { ForwardFrame, ForwardReplyFrame } from '../transport/transport.ts';
import { type RequestError, requestError } from './errors.ts';
import type { Routes } from './routes.ts';
import type { Codec } from './state-machine.ts';
import { lostLeadership, refusalError } from './write-queue.ts';

type Reply = ForwardReplyFrame['reply'];

/** A request that another node passed on, and where its answer goes. */
interface Forwarded {
  readonly from: Peer;
  readonly bootCounter: number;
  readonly seq: number;
  readonly kind: 'write' | 'readIndex';
  readonly deadlineMs: number;
}

/**
 * Requests that other nodes passed on to this one: handed to our core once, each answered once. They are
 * not passed on again, so that they can't go round in circles.
 */
export class ForwardedRequests<Result> {
  readonly #routes: Routes;
  readonly #codec: Codec<Result>;
  readonly #reply: (to: Peer, frame: Omit<ForwardReplyFrame, 'group'>) => void;
  readonly #pendingMax: number;
  readonly #requests = new Map<number, Forwarded>();

  constructor(
    routes: Routes,
    options: {
      readonly codec: Codec<Result>;
      readonly reply: (to: Peer, frame: Omit<ForwardReplyFrame, 'group'>) => void;
      /** Forwarded requests that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
      readonly pendingMax: number;
    },
  ) {
    this.#routes = routes;
    this.#codec = options.codec;
    this.#reply = options.reply;
    this.#pendingMax = options.pendingMax;
  }

  /** Takes a request from a peer. `bootCounter` names the peer's run. */
  add(from: Peer, bootCounter: number, { seq, request }: ForwardFrame): void {
    const deadlineMs = this.#routes.now() + request.timeoutMs;
    const forwarded: Forwarded = { from, bootCounter, seq, kind: request.type, deadlineMs };
    if (this.#requests.size >= this.#pendingMax) {
      const what = `${this.#requests.size} forwarded requests are waiting on the leader.`;
      return this.#answer(forwarded, failureReply(requestError('RAFT_OVERLOADED', 'notCommitted', what)));
    }
    const id = this.#routes.nextId();
    this.#requests.set(id, forwarded);
    if (request.type === 'readIndex') return this.#routes.input({ type: 'read', id });
    const { payload, payloadChecksum, count } = request;
    this.#routes.input({ type: 'write', id, payload, payloadChecksum, count });
  }

  /** Our core answered a write. */
  onWriteResult(id: number, result: WriteResult, results: readonly Result[]): void {
    const forwarded = this.#take(id);
    if (forwarded === undefined) return;
    if (result.type === 'committed') {
      const { index, term } = result;
      const encoded = results.map((value) => this.#codec.encode(value));
      return this.#answer(forwarded, { type: 'committed', index, term, results: encoded });
    }
    const error = result.type === 'unknown' ? lostLeadership() : refusalError(result.reason);
    this.#answer(forwarded, failureReply(error));
  }

  /** Our core confirmed a read index, and it has been applied here. */
  onConfirmed(id: number, index: number): void {
    const forwarded = this.#take(id);
    if (forwarded !== undefined) this.#answer(forwarded, { type: 'readIndex', index });
  }

  /** Our core refused a read index. */
  onReadResult(id: number, result: ReadResult): void {
    if (result.type === 'ok') return;
    const forwarded = this.#take(id);
    if (forwarded !== undefined) this.#answer(forwarded, failureReply(refusalError(result.reason)));
  }

  /** Gives up what took too long: its sender has given up too. */
  expire(now: number): void {
    for (const [id, { deadlineMs }] of this.#requests) {
      if (now >= deadlineMs) this.#requests.delete(id);
    }
  }

  /** Tells every sender that what became of its request can't be known any more. */
  close(): void {
    const error = requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The node that took the request closed.');
    for (const forwarded of this.#requests.values()) this.#answer(forwarded, failureReply(error));
    this.#requests.clear();
  }

  #take(id: number): Forwarded | undefined {
    const forwarded = this.#requests.get(id);
    this.#requests.delete(id);
    return forwarded;
  }

  #answer({ from, bootCounter, seq }: Forwarded, reply: Reply): void {
    this.#reply(from, { type: 'forwardReply', bootCounter, seq, reply });
  }
}

function failureReply({ code, outcome, message, leaderId }: RequestError): Reply {
  return outcome === 'unknown'
    ? { type: 'unknown', code, message }
    : { type: 'notCommitted', code, message, leaderId };
}
