import type { SessionCommand, SessionResult, SessionStamp } from 'rxraft';
import type { KvCommand, KvOp } from '../kv-command.ts';
import type { KvExecuted, KvOpResult, KvResult } from '../kv-result.ts';
import { type KvContext, type KvLimits, type KvServices, nodeOf, queryOf } from './context.ts';
import { answerTo, KvError, malformed, tooLarge } from './errors.ts';
import { type Idempotency, keyHeader, lowestHeader, stampOf } from './idempotency.ts';
import { requestOptions } from './requests.ts';
import type { Query } from './target.ts';

/** What a request says beside its command: how long it may take, and how it is told when it is sent again. */
export interface Asked {
  readonly query: Query;
  readonly idempotency: Idempotency;
}

/** Replicates the command of a request, and answers as {@link written} says. */
export async function replicate(c: KvContext, services: KvServices, command: KvCommand): Promise<Response> {
  const idempotency = { key: c.req.header(keyHeader), lowest: c.req.header(lowestHeader) };
  return c.json(await written(services, command, { query: queryOf(c), idempotency }));
}

/**
 * Replicates a command. Resolves with what became of it: for a batch, with a list. With an `Idempotency-Key` it is
 * carried out once, and each retry gets the first answer. A key whose answer can't be that of this command is refused.
 */
export async function written(services: KvServices, command: KvCommand, asked: Asked): Promise<object> {
  const stamp = stampOf(asked.idempotency);
  const { result } = await nodeOf(services).write(inSession(command, stamp), requestOptions(asked.query));
  const executed = executedOf(result, stamp);
  if (!isResultOf(command, executed.result)) throw ofAnother(executed, stamp);
  const answers = answersOf(executed);
  if (command.type === 'batch') return answers;
  const [answer] = answers;
  if (answer === undefined || answer instanceof KvError) throw answer;
  return answer;
}

/** The operation, if its key and value keep to the limits. */
export function checked<Op extends KvOp>(op: Op, limits: KvLimits): Op {
  const problem = opProblem(op, limits);
  if (problem !== null) throw problem;
  return op;
}

/** What is wrong with an operation's key or value. */
export function opProblem(op: KvOp, { keyBytesMax, valueBytesMax }: KvLimits): KvError | null {
  const valueBytes = op.type === 'delete' ? 0 : op.value.byteLength;
  if (op.key.byteLength === 0) return malformed('a key has at least one byte');
  if (op.key.byteLength > keyBytesMax) return tooLarge('a key', op.key.byteLength, keyBytesMax);
  return valueBytes > valueBytesMax ? tooLarge('a value', valueBytes, valueBytesMax) : null;
}

function inSession(command: KvCommand, stamp: SessionStamp | null): SessionCommand<KvCommand> {
  return stamp === null ? { type: 'plain', command } : { type: 'once', command, ...stamp };
}

/** What was carried out, or why the session has not let the command through. */
function executedOf(result: SessionResult<KvExecuted>, stamp: SessionStamp | null): KvExecuted {
  switch (result.type) {
    case 'applied':
      return result.result;
    case 'sessionExpired':
      throw new KvError(
        409,
        'KV_SESSION_EXPIRED',
        `session ${stamp?.session} is unknown or has expired, or its sequence ${stamp?.sequence} is below the lowest that ` +
          'it still takes, because it was answered before, or skipped. ' +
          'Nothing was carried out now, though it may have been before. POST /session opens another one',
        { outcome: 'unknown' },
      );
    case 'overloaded':
      throw new KvError(
        429,
        'KV_SESSION_FULL',
        `session ${stamp?.session} keeps as many results as it may. Say which have arrived, with Idempotency-Lowest`,
      );
    case 'opened':
      throw new Error('the cluster opened a session instead of writing');
  }
}

/**
 * Whether this can have come of the command: what is kept of an earlier request under the same `Idempotency-Key` tells what
 * kinds of operations it had, and not their keys and values.
 */
function isResultOf(command: KvCommand, result: KvResult): boolean {
  if (result.type === 'unreadable') return true; // Of any.
  if (command.type !== 'batch') return result.type !== 'batch' && isOpResultOf(command, result);
  if (result.type !== 'batch' || result.results.length !== command.ops.length) return false;
  return command.ops.every((op, at) => isOpResultOf(op, result.results[at] as KvOpResult));
}

function isOpResultOf({ type }: Pick<KvCommand, 'type'>, result: KvOpResult): boolean {
  return result.type === type || (result.type === 'tooLarge' && type === 'append');
}

function ofAnother({ index }: KvExecuted, stamp: SessionStamp | null): Error {
  if (stamp === null) return new Error('the cluster gave the result of another command');
  return new KvError(
    409,
    'KV_IDEMPOTENCY_KEY_REUSED',
    `Idempotency-Key ${stamp.session}-${stamp.sequence} was used for another request, carried out at index ${index}. ` +
      'This one was not carried out: send it with a sequence of its own',
  );
}

/** One answer for each operation; one that was refused has an error in its place. */
function answersOf({ index, term, result }: KvExecuted): readonly object[] {
  if (result.type === 'unreadable') throw new Error('the cluster could not read a command of this node');
  const results = result.type === 'batch' ? result.results : [result];
  return results.map((each) => answerOf(each, { index, term }));
}

function answerOf(result: KvOpResult, at: { readonly index: number; readonly term: number }): object {
  switch (result.type) {
    case 'put':
      return at;
    case 'delete':
      return { existed: result.existed, ...at };
    case 'append':
      return { length: result.length, ...at };
    case 'cas':
      return { swapped: result.swapped, ...at };
    case 'tooLarge':
      return new AppendTooLarge(result.length, result.valueBytesMax);
  }
}

/** An append that would have made its value too long. It was committed, and changed nothing. */
class AppendTooLarge extends KvError {
  constructor(length: number, valueBytesMax: number) {
    super(413, 'KV_TOO_LARGE', `the value would have ${length} bytes, and may have ${valueBytesMax}`);
  }

  /** How it looks among the answers of a batch. */
  toJSON(): object {
    return answerTo(this, { isRead: false }).body;
  }
}
