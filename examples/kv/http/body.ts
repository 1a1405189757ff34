import * as v from 'valibot';
import type { KvLimits } from './context.ts';
import { KvError, malformed, tooLarge } from './errors.ts';

/** What a body is, for the message when it is longer than it may be. */
export interface BodyLimit {
  readonly what: string;
  readonly bytesMax: number;
}

/**
 * The body of a request. One that is over the limit is answered 413 once it has come, though nothing of it is kept:
 * many clients look for an answer only when all is sent, and find a connection that was cut. At once if it says that it
 * is longer than anybody waits for, or if its client waits for leave to send it.
 */
export async function bytesOf(request: Request, limit: BodyLimit): Promise<Uint8Array> {
  const length = declaredLength(request);
  if (length !== null && length > limit.bytesMax) {
    const isComing = length <= discardBytesMax && !request.headers.has('expect');
    if (isComing && request.body !== null) await discard(request.body.getReader(), 0);
    throw tooLarge(limit.what, length, limit.bytesMax);
  }
  try {
    return length === null ? await gather(request, limit) : new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    if (error instanceof KvError) throw error;
    throw malformed('the body ended too early');
  }
}

/** What a body of JSON looks like, for the message when it does not. */
export interface JsonBody extends BodyLimit {
  readonly example: string;
  /** What no body at all stands for; by default it is refused. */
  readonly ifEmpty?: unknown;
}

/** A body of JSON that looks like `schema`. */
export async function jsonOf<T>(
  request: Request,
  schema: v.GenericSchema<unknown, T>,
  body: JsonBody,
): Promise<T> {
  const bytes = await bytesOf(request, body);
  const isLeftOut = bytes.byteLength === 0 && body.ifEmpty !== undefined;
  const result = v.safeParse(schema, isLeftOut ? body.ifEmpty : parse(bytes, body.example));
  if (result.success) return result.output;
  const problems = result.issues.slice(0, problemsMax).map((issue) => {
    const path = v.getDotPath(issue);
    return path === null ? issue.message : `${path}: ${issue.message}`;
  });
  throw malformed(`${problems.join('; ')}. Expected something like ${body.example}`);
}

/** The most JSON that is read for one request: room for two values, and for what JSON escapes in them. */
export function jsonBytesMax(limits: KvLimits): number {
  return 4 * limits.valueBytesMax + 64 * 1024;
}

/** Of the problems of one body, how many are told. */
const problemsMax = 5;

/** What the request says about its length; `null` if it comes in chunks. */
function declaredLength(request: Request): number | null {
  const length = request.headers.get('content-length');
  return length === null || request.headers.has('transfer-encoding') ? null : Number(length);
}

async function gather(request: Request, { what, bytesMax }: BodyLimit): Promise<Uint8Array> {
  if (request.body === null) return new Uint8Array();
  const reader = request.body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return Buffer.concat(chunks);
    length += value.byteLength;
    if (length > bytesMax) break;
    chunks.push(value);
  }
  await discard(reader, length);
  throw tooLarge(what, null, bytesMax);
}

/** Of a body that is too long, how much is read and thrown away, and for how long. Beyond it the connection is cut. */
const discardBytesMax = 64 * 1024 * 1024;
const discardMsMax = 5_000;

/** Reads the rest of a body for nothing. Leaves it when that takes too long: what has not been read is not cancelled. */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>, readBytes: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), discardMsMax);
  });
  try {
    for (let length = readBytes; length <= discardBytesMax; ) {
      const read = await Promise.race([reader.read(), late]);
      if (read === null || read.done) return;
      length += read.value.byteLength;
    }
  } catch {
    // The client is gone, and nobody hears the answer.
  } finally {
    clearTimeout(timer);
  }
}

function parse(bytes: Uint8Array, example: string): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw malformed(`the body is not JSON in UTF-8. Expected something like ${example}`);
  }
}
