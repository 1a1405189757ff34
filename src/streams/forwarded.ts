import type { Subscription } from 'rxjs';
import {
  type AdminResult,
  decodePayload,
  type GroupId,
  type Input,
  index,
  isPayload,
  type MemberChange,
  type NodeId,
  type Peer,
  type ReadResult,
  type WriteResult,
} from '../core/index.ts';
import { knownNameProblem } from '../core/member-rules.ts';
import { encodedBy } from '../transport/codec.ts';
import { changesProblem } from '../transport/member-rules.ts';
import type { ForwardFrame, ForwardReplyFrame } from '../transport/transport.ts';
import { crc32 } from './crc32.ts';
import {
  badRequest,
  badResult,
  lostLeadership,
  type RequestError,
  refusalError,
  requestError,
} from './errors.ts';
import { type Forwarded, OutgoingReplies } from './outgoing-replies.ts';
import { isOf, keyOf } from './peer-key.ts';
import type { Routes } from './routes.ts';
import type { Codec } from './state-machine.ts';

/** The last request that a peer passed on in its latest run. */
interface Latest {
  readonly bootCounter: number;
  readonly seq: number;
}

/** What {@link ForwardedRequests} works with. */
export interface ForwardedOptions<Result> {
  readonly codec: Codec<Result>;
  /** Whether the state machine can read a command. */
  readonly isCommand: (bytes: Uint8Array) => boolean;
  readonly group: GroupId;
  /** Sends an answer; `false`: it did not leave. */
  readonly reply: (to: Peer, frame: ForwardReplyFrame) => boolean;
  /** The largest frame that ever leaves, in bytes. */
  readonly frameBytesMax: number;
  /** Does something in so many milliseconds. */
  readonly later: (work: () => void, delayMs: number) => Subscription;
  /** Forwarded requests that wait for their answer; beyond it, `RAFT_OVERLOADED`. */
  readonly pendingMax: number;
  /** The largest payload of a write that is taken, in bytes. */
  readonly payloadBytesMax: number;
}

/**
 * Requests that other nodes passed on to this one: handed to our core once, each answered once. They are
 * not passed on again, so that they can't go round in circles.
 */
export class ForwardedRequests<Result> {
  readonly #routes: Routes;
  readonly #options: ForwardedOptions<Result>;
  readonly #requests = new Map<number, Forwarded>();
  readonly #replies: OutgoingReplies;
  /** One for each peer that has passed something on and is connected since. */
  readonly #latest = new Map<string, Latest>();

  constructor(routes: Routes, options: ForwardedOptions<Result>) {
    this.#routes = routes;
    this.#options = options;
    const { group, reply, frameBytesMax, later } = options;
    const isConnected = (peer: Peer): boolean => this.#latest.has(keyOf(peer));
    this.#replies = new OutgoingReplies({ group, reply, frameBytesMax, isConnected, later });
  }

  /** Takes a request from a peer. `bootCounter` names the peer's run. */
  add(from: Peer, bootCounter: number, { seq, request }: ForwardFrame): void {
    if (!this.#isNew(from, bootCounter, seq)) return; // Doubled on the way: the first one is answered.
    const forwarded = { from, bootCounter, seq, deadlineMs: this.#routes.now() + request.timeoutMs };
    const error = this.#errorOf(request);
    if (error !== undefined) {
      this.#replies.fail(forwarded, error);
      return;
    }
    const id = this.#routes.nextId();
    this.#requests.set(id, forwarded);
    this.#routes.input(inputOf(id, request));
  }

  /**
   * A request that comes twice must not be appended twice. A peer counts its requests, and a connection keeps
   * their order, so that whatever does not go on from the last one has been here or is of an earlier run, whose
   * connection a newer one is about to replace.
   */
  #isNew(from: Peer, bootCounter: number, seq: number): boolean {
    const key = keyOf(from);
    const latest = this.#latest.get(key);
    if (latest !== undefined && bootCounter < latest.bootCounter) return false;
    if (latest !== undefined && bootCounter === latest.bootCounter && seq <= latest.seq) return false;
    this.#latest.set(key, { bootCounter, seq });
    return true;
  }

  /**
   * Why a request is not handed to the core. The payload comes from a peer: were it appended as it is, with a
   * count or a checksum that is not its own, every node of the cluster would find its log damaged; with a command that
   * no machine can read, such as one of a later version, every node would stop at it, and again after each start.
   */
  #errorOf(request: ForwardFrame['request']): RequestError | undefined {
    const { pendingMax, payloadBytesMax } = this.#options;
    if (!(request.timeoutMs > 0)) return badRequest(`timeoutMs is ${request.timeoutMs}`);
    if (this.#requests.size >= pendingMax) {
      const what = `${this.#requests.size} forwarded requests are waiting on the leader.`;
      return requestError('RAFT_OVERLOADED', 'notCommitted', what);
    }
    if (request.type === 'changeMembers') {
      const problem = changesProblem(request.changes.map(asAsked), request.expectedIndex ?? undefined);
      return problem === undefined ? undefined : badRequest(problem);
    }
    if (request.type === 'transferLeadership') {
      const problem = request.to === null ? undefined : knownNameProblem(request.to);
      return problem === undefined ? undefined : badRequest(problem);
    }
    if (request.type !== 'write') return undefined;
    const { payload, payloadChecksum, count } = request;
    if (!(payload instanceof Uint8Array)) return badRequest('the payload is not bytes');
    const { byteLength } = payload;
    if (byteLength > payloadBytesMax) {
      const what = `The commands have ${byteLength} bytes, the leader's limit is ${payloadBytesMax}.`;
      return requestError('RAFT_COMMAND_TOO_LARGE', 'notCommitted', what);
    }
    if (count > pendingMax)
      return badRequest(`${count} commands at once, the leader's limit is ${pendingMax}`);
    if (!(count >= 1) || !isPayload(payload, count))
      return badRequest(`the ${byteLength} bytes of the payload are not ${count} commands`);
    if (crc32(payload) !== payloadChecksum)
      return badRequest(`the payload's checksum is not ${payloadChecksum}: it was damaged on the way`);
    if (!decodePayload(payload).every(this.#options.isCommand))
      return badRequest(
        "the leader's state machine can't read a command in it: the two nodes run other versions",
      );
    return undefined;
  }

  /** Our core answered a write. */
  onWriteResult(id: number, result: WriteResult, results: readonly Result[]): void {
    const forwarded = this.#take(id);
    if (forwarded === undefined) return;
    if (result.type === 'committed') return this.#onCommitted(forwarded, result, results);
    const error = result.type === 'unknown' ? lostLeadership() : refusalError(result.reason);
    this.#replies.fail(forwarded, error);
  }

  #onCommitted(
    forwarded: Forwarded,
    result: Extract<WriteResult, { type: 'committed' }>,
    results: readonly Result[],
  ): void {
    let encoded: readonly Uint8Array[];
    try {
      encoded = results.map((value) => encodedBy(this.#options.codec, value));
    } catch (cause) {
      this.#replies.fail(forwarded, badResult(result.index, cause, results.length));
      return;
    }
    this.#replies.sendResults(forwarded, result, encoded);
  }

  /** Our core confirmed a read index, and it has been applied here. */
  onConfirmed(id: number, readIndex: number): void {
    const forwarded = this.#take(id);
    if (forwarded !== undefined) this.#replies.send(forwarded, { type: 'readIndex', index: readIndex });
  }

  /** Our core refused a read index. */
  onReadResult(id: number, result: ReadResult): void {
    if (result.type === 'ok') return;
    const forwarded = this.#take(id);
    if (forwarded !== undefined) this.#replies.fail(forwarded, refusalError(result.reason));
  }

  /** Our core answered an operator. */
  onAdminResult(id: number, result: AdminResult): void {
    const forwarded = this.#take(id);
    if (forwarded === undefined) return;
    if (result.type === 'ok') this.#replies.send(forwarded, { type: 'done' });
    else
      this.#replies.fail(
        forwarded,
        result.type === 'unknown' ? lostLeadership() : refusalError(result.reason),
      );
  }

  /**
   * No connection is open with this peer. A request is sent once, on one connection: what it has sent so far arrives
   * never, or has. So whatever comes from now on is new, and there is nothing to remember of peers that do not come back.
   */
  onDown(id: NodeId): void {
    for (const key of [...this.#latest.keys()]) if (isOf(key, id)) this.#latest.delete(key);
    this.#replies.onDown(id);
  }

  /** The connection that answers to this peer leave on has closed. */
  onOutgoingDown(id: NodeId): void {
    this.#replies.onOutgoingDown(id);
  }

  /** Gives up what took too long: its sender has given up too. */
  expire(now: number): void {
    for (const [id, { deadlineMs }] of this.#requests) {
      if (now >= deadlineMs) this.#requests.delete(id);
    }
    this.#replies.expire(now);
  }

  /** Tells every sender that what became of its request can't be known any more. */
  close(): void {
    const error = requestError('RAFT_UNKNOWN_OUTCOME', 'unknown', 'The node that took the request closed.');
    for (const forwarded of this.#requests.values()) this.#replies.fail(forwarded, error);
    this.#requests.clear();
    this.#replies.close();
  }

  #take(id: number): Forwarded | undefined {
    const forwarded = this.#requests.get(id);
    this.#requests.delete(id);
    return forwarded;
  }
}

/** A change as it was before the store of a new member was known. */
function asAsked(change: MemberChange): Parameters<typeof changesProblem>[0][number] {
  return change.type === 'add' ? { ...change.member, type: 'add', role: change.role } : change;
}

function inputOf(id: number, request: ForwardFrame['request']): Input {
  switch (request.type) {
    case 'readIndex':
      return { type: 'read', id };
    case 'write': {
      const { payload, payloadChecksum, count } = request;
      return { type: 'write', id, payload, payloadChecksum, count };
    }
    case 'changeMembers': {
      const { changes, expectedIndex } = request;
      if (expectedIndex === null) return { type: 'changeMembers', id, changes };
      return { type: 'changeMembers', id, changes, expectedIndex: index(expectedIndex) };
    }
    case 'transferLeadership':
      return request.to === null
        ? { type: 'transferLeadership', id }
        : { type: 'transferLeadership', id, to: request.to };
  }
}
