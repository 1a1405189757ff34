import { decodePayload, encodePayload, RaftError } from '../core/index.ts';
import { withAdvice } from '../core/outcome-error.ts';
import { textOf } from './client/errors.ts';
import type { ReadFrame, RefusedFrame, WriteFrame, WrittenFrame } from './client/protocol.ts';
import type { EndpointSettings } from './client-endpoint-options.ts';
import type { EncodedAnswer } from './client-outbox.ts';
import { encodedBy } from './codec.ts';

/** Commands that go to the node at once, as many as a node puts into one batch: so that applying them never takes long. */
const writeCountMax = 2_048;

/** Bytes of results from which on the next ones go into another frame, if `bufferedBytesMax` is not less. */
const resultBytesMax = 1024 * 1024;

/** Where the answers to one connection's requests go. Each request is answered once. */
export interface Answering {
  /** Nobody is there to hear an answer. */
  readonly isGone: boolean;
  /** Aborts once that is so. */
  readonly goneSignal: AbortSignal;
  /** Whether an answer may be encoded: not many bytes wait for the client. */
  readonly hasRoom: boolean;
  /** Calls it once that is so, or nobody is there any more. */
  whenRoom(answer: () => void): void;
  written(frame: WrittenFrame): void;
  answered(id: number, answer: EncodedAnswer): void;
  refused(frame: RefusedFrame): void;
  /** The same for one query. */
  readRefused(frame: RefusedFrame): void;
  /** So many requests are not carried out, and nobody is told. */
  drop(count: number): void;
}

/** Where commands stand in the log, one after the other, and what became of them. */
interface CommittedAll<Result> {
  readonly index: number;
  readonly term: number;
  readonly results: readonly Result[];
}

/** What the node answers to a query. */
interface Read<Answer> {
  readonly value: Answer;
  readonly index: number;
  readonly ageMs: number | null;
}

/** Commands of one frame that go to the node together. */
interface Run {
  readonly firstId: number;
  readonly commands: Uint8Array[];
  bytes: number;
}

/** Carries out what clients ask, on the node that the endpoint belongs to. */
export class ClientWork<Command, Result, Query, Answer> {
  /** Whether the node knows of a leader: while it does not, requests wait. */
  hasLeader = false;
  readonly #settings: EndpointSettings<Command, Result, Query, Answer>;
  readonly #resultBytesMax: number;

  constructor(settings: EndpointSettings<Command, Result, Query, Answer>) {
    this.#settings = settings;
    this.#resultBytesMax = Math.min(resultBytesMax, settings.limits.bufferedBytesMax);
  }

  /**
   * Replicates commands, those of one frame with one call if they fit, in the bytes in which they came. One that can't be
   * read, or that the application does not want, is refused by itself and never logged.
   */
  write({ firstId, timeoutMs, count, payload }: WriteFrame, to: Answering): void {
    let run: Run | null = null;
    let id = firstId;
    for (const command of decodePayload(payload)) {
      const problem = this.#problemOf(command);
      const isLast = run !== null && (problem !== null || !this.#fits(run, command));
      if (run !== null && isLast) {
        void this.#send(run, timeoutMs, to);
        run = null;
      }
      if (problem === null) {
        run ??= { firstId: id, commands: [], bytes: -4 };
        run.commands.push(command);
        run.bytes += 4 + command.length;
      } else to.refused(refusedOf(id, 1, badCommand(problem), 'notCommitted'));
      id += 1;
      if (problem !== null && to.isGone) return to.drop(firstId + count - id); // It was refused too often.
    }
    if (run !== null) void this.#send(run, timeoutMs, to);
  }

  #fits({ commands, bytes }: Run, next: Uint8Array): boolean {
    return commands.length < writeCountMax && bytes + 4 + next.length <= this.#settings.commandBytesMax;
  }

  /** Why a command does not go into the log, in words; `null` if it does. */
  #problemOf(bytes: Uint8Array): string | null {
    try {
      return this.#settings.check(this.#settings.command.decode(bytes));
    } catch (error) {
      return textOf(error);
    }
  }

  async #send({ firstId, commands }: Run, timeoutMs: number, to: Answering): Promise<void> {
    let committed: CommittedAll<Result>;
    try {
      const limit = this.#limitMs(timeoutMs);
      const options = this.hasLeader ? { timeoutMs: limit } : { timeoutMs: limit, signal: to.goneSignal };
      committed = await this.#settings.node.writeEncoded(commands, options);
    } catch (error) {
      return to.refused(this.#refusal(firstId, commands.length, error, 'unknown'));
    }
    this.#tell(firstId, committed, to, 0);
  }

  #limitMs(timeoutMs: number): number {
    return Math.min(timeoutMs, this.#settings.limits.timeoutMsMax);
  }

  /**
   * Tells what became of commands, from one of them on. Results are encoded piece by piece, once there is room for them:
   * those of one turn may be more than may wait for a client, and one that reads them gets them all.
   */
  #tell(firstId: number, committed: CommittedAll<Result>, to: Answering, from: number): void {
    const { length } = committed.results;
    for (let at = from; at < length; ) {
      if (to.isGone) return to.drop(length - at);
      if (!to.hasRoom) return this.#tellLater(firstId, committed, to, at);
      at = this.#tellSome(firstId, committed, to, at);
    }
  }

  /** By itself: a function in {@link ClientWork.#tell} would cost each call something. */
  #tellLater(firstId: number, committed: CommittedAll<Result>, to: Answering, from: number): void {
    to.whenRoom(() => this.#tell(firstId, committed, to, from));
  }

  /** Tells of as many as go into one frame; returns the place of the first that it has not told of. */
  #tellSome(firstId: number, committed: CommittedAll<Result>, to: Answering, from: number): number {
    const { index, term, results } = committed;
    const encoded: Uint8Array[] = [];
    let problem: string | null = null;
    let at = from;
    for (let bytes = 0; at < results.length && bytes < this.#resultBytesMax && problem === null; at++) {
      try {
        const result = encodedBy(this.#settings.result, results[at] as Result);
        encoded.push(result);
        bytes += result.length;
      } catch (error) {
        problem = textOf(error);
      }
    }
    const count = encoded.length;
    if (count > 0) {
      const payload = encodePayload(encoded);
      to.written({ type: 'written', firstId: firstId + from, index: index + from, term, count, payload });
    }
    if (problem !== null)
      to.refused(badResult({ firstId: firstId + at - 1, index: index + at - 1 }, problem));
    return at;
  }

  /**
   * Asks the machine one query: the node lets those of one turn share a read index. Those that may wait for long, for an
   * index or a leader, are given up when their client is gone; the others, which share a call, are answered soon.
   */
  read(id: number, bytes: Uint8Array, { consistency, index, timeoutMs }: ReadFrame, to: Answering): void {
    let query: Query;
    try {
      query = this.#settings.query.decode(bytes);
    } catch (error) {
      return to.readRefused(refusedOf(id, 1, badQuery(textOf(error)), 'notCommitted'));
    }
    const { node } = this.#settings;
    const limits = { consistency, index, timeoutMs: this.#limitMs(timeoutMs) };
    const mayWait = consistency === 'session' || !this.hasLeader;
    let asked: Promise<Read<Answer>>;
    try {
      asked = node.read(query, mayWait ? { ...limits, signal: to.goneSignal } : limits);
    } catch (error) {
      return to.readRefused(this.#refusal(id, 1, error, 'notCommitted')); // Of an application's own node.
    }
    asked.then(
      (read) => this.#answer(id, read, to),
      (error) => to.readRefused(this.#refusal(id, 1, error, 'notCommitted')),
    );
  }

  /** Encodes an answer once there is room for it: what waits in few bytes, or is shared, would be many. */
  #answer(id: number, read: Read<Answer>, to: Answering): void {
    if (to.isGone) return to.drop(1);
    if (!to.hasRoom) return to.whenRoom(() => this.#answer(id, read, to));
    let bytes: Uint8Array;
    try {
      bytes = encodedBy(this.#settings.answer, read.value);
    } catch (error) {
      return to.readRefused(this.#refusal(id, 1, error, 'notCommitted'));
    }
    to.answered(id, { index: read.index, ageMs: read.ageMs, bytes });
  }

  /** What went wrong, as clients are told. What nobody foresaw stays in the log. */
  #refusal(
    firstId: number,
    count: number,
    error: unknown,
    otherwise: 'notCommitted' | 'unknown',
  ): RefusedFrame {
    if (error instanceof RaftError) return refusedOf(firstId, count, error, error.outcome ?? otherwise);
    this.#settings.logger.error({ err: error }, 'a request of a client failed');
    const message = "Something went wrong on the server that nobody foresaw; this node's log says what.";
    return refusedOf(firstId, count, { code: 'RAFT_SERVER_FAILED', message }, otherwise);
  }
}

function refusedOf(
  firstId: number,
  count: number,
  error: { readonly code: string; readonly message: string; readonly leaderId?: unknown },
  outcome: 'notCommitted' | 'unknown',
): RefusedFrame {
  const leaderId = typeof error.leaderId === 'string' ? error.leaderId : null;
  return { type: 'refused', firstId, count, outcome, code: error.code, message: error.message, leaderId };
}

/** All of a frame is refused, before anything of it was looked at. */
export function refuseAll(
  { firstId, count }: WriteFrame | ReadFrame,
  code: 'RAFT_OVERLOADED' | 'RAFT_CLOSED',
  what: string,
): RefusedFrame {
  const message = withAdvice(what, 'notCommitted');
  return refusedOf(firstId, count, { code, message }, 'notCommitted');
}

function badCommand(problem: string): { code: string; message: string } {
  const message = `The command is not one that this cluster takes: ${problem}. Nothing was changed.`;
  return { code: 'RAFT_BAD_COMMAND', message };
}

function badResult({ firstId, index }: { firstId: number; index: number }, problem: string): RefusedFrame {
  const message = `The write is committed at index ${index}, but its result can't be encoded: ${problem}. Don't send it again: it has been carried out.`;
  return refusedOf(firstId, 1, { code: 'RAFT_BAD_RESULT', message }, 'unknown');
}

function badQuery(problem: string): { code: string; message: string } {
  return { code: 'RAFT_BAD_REQUEST', message: `The query can't be read: ${problem}. Nothing was changed.` };
}
