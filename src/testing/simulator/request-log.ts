import type { NodeId } from '../../core/index.ts';
import { RequestError } from '../../streams/errors.ts';
import type { Committed, ReadAnswer } from '../../streams/raft-node.ts';
import { expectThat, InvariantViolation } from '../violation.ts';
import { shown, thrownWords, wordsOf } from '../words-of.ts';
import type { RunCounts } from './counts.ts';

/** What all requests have. */
interface Asked {
  readonly request: number;
  readonly at: NodeId;
  /** The highest index that anybody had been told of when it began. */
  readonly floor: number;
  /** When it began, and when it was answered, in the order of all such events. */
  readonly began: number;
  answered: number;
}

/** A write as its client saw it. */
export interface WriteRecord extends Asked {
  readonly type: 'write';
  readonly command: unknown;
  /** Which write through a session it is a copy of; `null` if of none. */
  readonly once: number | null;
  outcome: 'committed' | 'notCommitted' | 'unknown' | null;
  index: number;
  /** As text, as if it had travelled. */
  result: string;
}

/** A write through a session as its client saw it, however often it was sent. */
export interface OnceRecord {
  readonly once: number;
  readonly command: unknown;
  /** `null` if it was never sent. */
  outcome: 'committed' | 'notCommitted' | 'unknown' | null;
  /** Of the copy that was answered. */
  index: number;
  /** As text, as if it had travelled. */
  result: string;
}

/** A read as its client saw it. */
export interface ReadRecord extends Asked {
  readonly type: 'read';
  readonly query: unknown;
  readonly isLinearizable: boolean;
  /** What it was told, as {@link answeredWith} or {@link threw} has it; `null` if it was refused. */
  answer: string | null;
  /** No state after this index can have been seen. */
  ceiling: number;
}

/** What is known about the cluster when a request is asked or answered. */
interface LogView {
  /** The highest index that any node knows to be committed. */
  readonly commitIndex: () => number;
  readonly counts: RunCounts;
}

/** What clients asked and were told, in order. {@link replay} judges it. */
export class RequestLog {
  readonly writes = new Map<number, WriteRecord>();
  /** Writes through sessions, in order: the first is 1. */
  readonly onces: OnceRecord[] = [];
  readonly reads: ReadRecord[] = [];
  readonly #view: LogView;
  /** Administration, by what was asked. */
  readonly #waiting = new Map<number, string>();
  #events = 0;
  #last = 0;
  #toldIndex = 0;

  constructor(view: LogView) {
    this.#view = view;
  }

  /** A client writes through a node. */
  beginWrite(at: NodeId, command: unknown, once: number | null = null): WriteRecord {
    const record: WriteRecord = {
      ...this.#asked(at),
      type: 'write',
      command,
      once,
      outcome: null,
      index: 0,
      result: '',
    };
    this.writes.set(record.request, record);
    this.#waiting.set(record.request, `write ${shown(command)} at ${at}`);
    return record;
  }

  /** A client writes through a session. */
  beginOnce(command: unknown): OnceRecord {
    const once = this.onces.length + 1;
    const record: OnceRecord = { once, command, outcome: null, index: 0, result: '' };
    this.onces.push(record);
    return record;
  }

  /** The write through a session that a request is a copy of, if it is one. */
  onceOf(request: number): OnceRecord | undefined {
    const once = this.writes.get(request)?.once ?? 0;
    return this.onces[once - 1];
  }

  /** A client reads; `floor` is where it may not see less than, if that is not what was told before. */
  beginRead(
    at: NodeId,
    { query, isLinearizable, floor }: { query: unknown; isLinearizable: boolean; floor?: number },
  ): ReadRecord {
    const asked = this.#asked(at);
    const record: ReadRecord = {
      ...asked,
      floor: floor ?? asked.floor,
      type: 'read',
      query,
      isLinearizable,
      answer: null,
      ceiling: 0,
    };
    this.reads.push(record);
    this.#waiting.set(record.request, `read ${shown(query)} at ${at}`);
    return record;
  }

  /** An operator asks. Gives the request's number, for {@link RequestLog.end}. */
  beginOther(what: string): number {
    const request = this.#next();
    this.#waiting.set(request, what);
    return request;
  }

  #asked(at: NodeId): Asked {
    return { request: this.#next(), at, floor: this.#toldIndex, began: ++this.#events, answered: 0 };
  }

  #next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** The request has its answer; or nobody will give one, since its node has ended. */
  end(request: number): void {
    this.#waiting.delete(request);
  }

  /** Requests that wait for their answers, in words. */
  get waiting(): readonly string[] {
    return [...this.#waiting.values()];
  }

  /** A write was answered; `result` as text. */
  committed(record: WriteRecord, { index, result }: Committed<string>): void {
    this.#answered(record);
    this.#view.counts.committed += 1;
    record.outcome = 'committed';
    record.index = index;
    record.result = result;
    expectThat(
      index > record.floor,
      () => `a write is at ${index}, and began after ${record.floor} was told`,
    );
    this.#toldIndex = Math.max(this.#toldIndex, index);
  }

  failed(record: WriteRecord, error: unknown): void {
    this.#answered(record);
    const outcome = outcomeOf(error, `write ${shown(record.command)}`);
    record.outcome = outcome;
    this.#view.counts[outcome] += 1;
  }

  /** A session has resolved; `result` as text. */
  onceCommitted(record: OnceRecord, { index, result }: Committed<string>): void {
    record.outcome = 'committed';
    record.index = index;
    record.result = result;
  }

  /** A session has given up. */
  onceFailed(record: OnceRecord, error: unknown): void {
    record.outcome = outcomeOf(error, `write ${shown(record.command)} through a session`);
  }

  read(record: ReadRecord, { value, index }: ReadAnswer<unknown>): void {
    this.#answered(record);
    this.#view.counts.reads += 1;
    record.answer = answeredWith(record.query, value);
    record.ceiling = this.#view.commitIndex();
    if (record.isLinearizable) this.#toldIndex = Math.max(this.#toldIndex, index);
  }

  /** The machine's query threw, which is an answer: of a machine in a certain state, as any other is. */
  readThrew(record: ReadRecord, error: unknown): void {
    this.#answered(record);
    this.#view.counts.readsThrown += 1;
    record.answer = threw(error);
    record.ceiling = this.#view.commitIndex();
  }

  /** A read was not answered by the node. */
  readFailed(record: ReadRecord, error: unknown): void {
    this.#answered(record);
    outcomeOf(error, `read ${shown(record.query)}`);
    this.#view.counts.readsRefused += 1;
  }

  #answered(record: Asked): void {
    record.answered = ++this.#events;
    this.end(record.request);
  }
}

/** What a read was told, in words: the machine gave a value. */
export function answeredWith(query: unknown, value: unknown): string {
  return `was answered ${wordsOf(value, `the answer to ${shown(query)}`)}`;
}

/** What a read was told, in words: the machine threw. */
export function threw(error: unknown): string {
  return `threw ${thrownWords(error)}`;
}

/** What an error says. Throws an `InvariantViolation` if it does not. */
export function outcomeOf(error: unknown, what: string): 'notCommitted' | 'unknown' {
  if (error instanceof RequestError) return error.outcome;
  throw new InvariantViolation(
    `${what} was answered with ${shown(error)}, which does not say what became of it`,
  );
}
