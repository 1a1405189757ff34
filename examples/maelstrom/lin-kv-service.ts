import { type Logger, RaftError, type RaftNode } from 'rxraft';
import type { LinKvCommand, LinKvResult } from './lin-kv-machine.ts';
import { requestOf } from './lin-kv-request.ts';
import { type Body, errorBody, errorCode } from './message.ts';

/** A node that replicates the map. */
export type LinKvNode = RaftNode<LinKvCommand, LinKvResult, string, string | null>;

/** Errors that say that a request can't be carried out as it is, however often it is sent. */
const badRequests = new Set(['RAFT_BAD_REQUEST', 'RAFT_BAD_COMMAND', 'RAFT_COMMAND_TOO_LARGE']);

/** Carries out what a client asks, on whichever node, and resolves with the body of the one answer. Never rejects. */
export async function answerTo(node: LinKvNode, body: Body, logger: Logger): Promise<Body> {
  const request = requestOf(body);
  if (request.type === 'refused') return request.body;
  try {
    if (request.type === 'read') return readBody(request.key, (await node.read(request.key)).value);
    const { result } = await node.write(request.command);
    return commandBody(request.command, result);
  } catch (error) {
    return failureBody(error, { isRead: request.type === 'read', logger });
  }
}

function readBody(key: string, value: string | null): Body {
  if (value === null) return missing(key);
  return { type: 'read_ok', value: JSON.parse(value) };
}

function commandBody({ type, key }: LinKvCommand, result: LinKvResult): Body {
  if (result === 'missing') return missing(key);
  if (result === 'differs')
    return errorBody(errorCode.preconditionFailed, `the value of ${brief(key)} is another`);
  return { type: `${type}_ok` };
}

function missing(key: string): Body {
  return errorBody(errorCode.keyDoesNotExist, `there is no key ${brief(key)}`);
}

/**
 * Only what certainly was not and will not be carried out is `temporarilyUnavailable` or `malformed`: a write
 * whose outcome is unknown may yet be committed by a later leader. A read changes nothing whatever befell it.
 */
function failureBody(error: unknown, { isRead, logger }: { isRead: boolean; logger: Logger }): Body {
  if (!(error instanceof RaftError)) {
    logger.error({ err: error }, 'a request failed in a way that nobody foresaw');
    return errorBody(errorCode.crash, 'something went wrong that nobody foresaw');
  }
  const { code, message, outcome } = error;
  const isHarmless = isRead || outcome === 'notCommitted';
  if (!isHarmless) return errorBody(errorCode.crash, `${code}: ${message}`);
  const isBad = badRequests.has(code);
  return errorBody(isBad ? errorCode.malformed : errorCode.temporarilyUnavailable, `${code}: ${message}`);
}

function brief(key: string): string {
  return key.length <= 64 ? key : `${key.slice(0, 64)}…`;
}
