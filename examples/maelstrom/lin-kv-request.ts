import { canonicalJson } from './canonical-json.ts';
import type { LinKvCommand } from './lin-kv-machine.ts';
import { type Body, errorBody, errorCode } from './message.ts';

/** What a client asks: to change something, or for the value of a key. */
export type LinKvRequest =
  | { readonly type: 'command'; readonly command: LinKvCommand }
  | { readonly type: 'read'; readonly key: string };

/** A request that is not carried out, with the body of the answer. */
export interface Refused {
  readonly type: 'refused';
  readonly body: Body;
}

/** The types of requests, and the fields that each must have. */
const fieldsOf = new Map([
  ['read', ['key']],
  ['write', ['key', 'value']],
  ['cas', ['key', 'from', 'to']],
]);

/** Reads what a client asks. Keys and values may be any JSON; what is missing is malformed. */
export function requestOf(body: Body): LinKvRequest | Refused {
  const { type } = body;
  const fields = typeof type === 'string' ? fieldsOf.get(type) : undefined;
  if (typeof type !== 'string') return refused(errorCode.malformed, 'the body has no type');
  if (fields === undefined)
    return refused(errorCode.notSupported, `requests of type ${brief(type)} are unknown`);
  const missing = fields.filter((field) => body[field] === undefined);
  if (missing.length > 0) return refused(errorCode.malformed, `${type} needs ${missing.join(' and ')}`);
  try {
    return read(type, body);
  } catch (error) {
    return refused(errorCode.malformed, `the body can't be read: ${(error as Error).message}`);
  }
}

function read(type: string, body: Body): LinKvRequest {
  const key = canonicalJson(body['key']);
  if (type === 'read') return { type: 'read', key };
  if (type === 'write') {
    return { type: 'command', command: { type: 'write', key, value: canonicalJson(body['value']) } };
  }
  const [from, to] = [canonicalJson(body['from']), canonicalJson(body['to'])];
  const creates = body['create_if_not_exists'] === true;
  return { type: 'command', command: { type: 'cas', key, from, to, creates } };
}

function refused(code: number, text: string): Refused {
  return { type: 'refused', body: errorBody(code, text) };
}

function brief(text: string): string {
  return JSON.stringify(text.slice(0, 64));
}
