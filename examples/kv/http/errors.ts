import { type Logger, type Outcome, RaftError } from 'rxraft';

/** What an answer says besides code and message. An `outcome` that is not given is `notCommitted`. */
export type ErrorFacts = Readonly<Record<string, unknown>> & { readonly outcome?: Outcome };

/** An error that a client sees. `outcome` says whether the request may still change something. */
export class KvError extends Error {
  override readonly name = 'KvError';
  readonly status: number;
  readonly code: string;
  readonly outcome: Outcome;
  /** Further fields of the answer, such as `snapshotIndex`. */
  readonly facts: ErrorFacts;

  constructor(status: number, code: string, message: string, facts: ErrorFacts = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.outcome = facts.outcome ?? 'notCommitted';
    this.facts = facts;
  }
}

/** A request that is not well formed. */
export function malformed(message: string): KvError {
  return new KvError(400, 'KV_MALFORMED', message);
}

const limitFlags: Readonly<Record<string, string>> = {
  'a key': '--key-bytes-max',
  'a value': '--value-bytes-max',
};

/** Bytes over their limit; both numbers in the message. */
export function tooLarge(what: string, bytes: number | null, bytesMax: number): KvError {
  const flag = limitFlags[what];
  const remedy = flag === undefined ? 'Send less' : `Send less, or start every node with a higher ${flag}`;
  const message = `${what} may have ${bytesMax} bytes, and this one has ${bytes ?? 'more'}. ${remedy}`;
  return new KvError(413, 'KV_TOO_LARGE', message);
}

/** What stands in the body of an answer that is an error. */
export interface ErrorBody {
  readonly error: { readonly code: string; readonly message: string; readonly outcome: Outcome };
}

/** An error as it goes over the wire. */
export interface ErrorAnswer {
  readonly status: number;
  readonly body: ErrorBody;
  readonly headers: Record<string, string>;
}

/** The HTTP status of each code that the library gives a request; any other is a 500. */
const statusOf: Readonly<Record<string, number>> = {
  RAFT_BAD_COMMAND: 400,
  RAFT_BAD_REQUEST: 400,
  RAFT_BUSY: 409,
  RAFT_CONFLICT: 409,
  RAFT_COMPACTED: 410,
  RAFT_COMMAND_TOO_LARGE: 413,
  RAFT_OVERLOADED: 429,
  RAFT_NO_LEADER: 503,
  RAFT_NOT_LEADER: 503,
  RAFT_TRANSFERRING: 503,
  RAFT_TRANSFER_FAILED: 503,
  RAFT_TIMEOUT: 503,
  RAFT_ABORTED: 503,
  RAFT_CLOSED: 503,
  RAFT_STOPPED: 503,
  RAFT_UNKNOWN_OUTCOME: 503,
  RAFT_STORE_FAILED: 503,
  RAFT_STORE_DAMAGED: 503,
  RAFT_STORE_CLOSED: 503,
  RAFT_BAD_RESULT: 500,
  RAFT_SNAPSHOT_FAILED: 500,
};

/**
 * Puts any error into the form of the contract. One that nobody foresaw is a 500 whose outcome is `unknown`
 * and whose text stays in the log.
 */
export function answerTo(error: unknown, request: { readonly isRead: boolean }): ErrorAnswer {
  if (error instanceof KvError) {
    const { status, code, message, outcome, facts } = error;
    return { status, body: { error: { code, message, outcome, ...facts } }, headers: headersOf(status) };
  }
  if (error instanceof RaftError && error.code in statusOf) {
    const status = statusOf[error.code] ?? 500;
    const outcome = error.outcome ?? (request.isRead ? 'notCommitted' : 'unknown');
    const body = { code: error.code, message: error.message, outcome, ...leaderOf(error) };
    return { status, body: { error: body }, headers: headersOf(status) };
  }
  const message = 'something went wrong that nobody foresaw; the log of this node says what';
  return { status: 500, body: { error: { code: 'KV_INTERNAL', message, outcome: 'unknown' } }, headers: {} };
}

/** The answer to a request that failed. What nobody foresaw goes into the log. */
export function refusalOf(
  error: unknown,
  { method, path }: { readonly method: string; readonly path: string },
  logger: Logger,
): ErrorAnswer {
  const answer = answerTo(error, { isRead: method === 'GET' || method === 'HEAD' });
  if (answer.status === 500) logger.error({ err: error, method, path }, 'a request failed');
  return answer;
}

/** Seconds after which it makes sense to try again: elections take about one. */
function headersOf(status: number): Record<string, string> {
  return status === 503 || status === 429 ? { 'retry-after': '1' } : {};
}

function leaderOf(error: RaftError): { readonly leaderId?: string } {
  const leaderId = 'leaderId' in error ? error.leaderId : undefined;
  return typeof leaderId === 'string' ? { leaderId } : {};
}
