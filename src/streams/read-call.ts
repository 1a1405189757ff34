import type { Index } from '../core/index.ts';
import { type Answer, Call, type CallLimits, pending, unabortable } from './call.ts';
import type { ReadAnswer } from './raft-node.ts';

/** What the state machine threw at a query. */
export class FailedQuery {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** The state machine takes its time for this query, which others of its turn need not wait for. */
export class LateAnswer<Value> {
  readonly answered: Promise<Answered<Value>>;

  constructor(answered: Promise<Answered<Value>>) {
    this.answered = answered;
  }
}

/** What the state machine said to each query of a call, in their order, and the index that all of it reflects at least. */
export interface Answered<Value> {
  readonly values: readonly (Value | FailedQuery | LateAnswer<Value>)[];
  readonly index: Index;
}

/** Queries that have one answer: a `readAll`, or a `read` of its own. */
export class ReadCall<Query, Value> extends Call<Answered<Value>> {
  readonly queries: readonly Query[];

  constructor(
    queries: readonly Query[],
    limits: CallLimits,
    answer: Answer<Answered<Value>>,
    onAbort: (read: ReadCall<Query, Value>) => void,
  ) {
    super(limits, answer, onAbort as (call: Call<Answered<Value>>) => void); // It is told of this very call.
    this.queries = queries;
  }
}

/** Queries that single linearizable reads of one event-loop turn bring, as one call, as `JointCall` does for writes. */
export class JointRead<Query, Value> extends ReadCall<Query, Value> {
  readonly timeoutMs: number;
  readonly #queries: Query[];
  readonly #answered: Promise<Answered<Value>>;

  constructor(
    first: Query,
    { timeoutMs, deadlineMs }: { readonly timeoutMs: number; readonly deadlineMs: number },
  ) {
    const { promise, answer } = pending<Answered<Value>>();
    const queries = [first];
    super(queries, { deadlineMs, signal: undefined }, answer, unabortable);
    this.timeoutMs = timeoutMs;
    this.#queries = queries;
    this.#answered = promise;
  }

  /** Takes one more query, before it leaves. */
  join(query: Query): void {
    this.#queries.push(query);
  }

  /** What becomes of the query that joined last. */
  last(): Promise<ReadAnswer<Value>> {
    const place = this.#queries.length - 1;
    return this.#answered.then((answered) => {
      const value = answered.values[place];
      if (!(value instanceof LateAnswer)) return answerAt(answered, place);
      return value.answered.then((late) => answerAt(late, 0));
    });
  }
}

function answerAt<Value>(answered: Answered<Value>, place: number): ReadAnswer<Value> {
  return { value: valueAt(answered, place), index: answered.index, ageMs: 0 };
}

/** The answer to one query of a call. Throws what the state machine threw at it. */
export function valueAt<Value>({ values }: Answered<Value>, place: number): Value {
  const value = values[place] as Value | FailedQuery;
  if (value instanceof FailedQuery) throw value.error;
  return value;
}
