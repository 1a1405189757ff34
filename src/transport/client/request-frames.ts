import { encodePayload, putUint32 } from '../../core/index.ts';
import { sessionHeadBytes, writeOnceHead, writePlainHead } from '../session-codec.ts';
import type { ReadCall, WriteCall } from './calls.ts';

/**
 * What goes in front of a command: nothing for a machine without sessions; else that it is applied each time (`plain`),
 * or once (`once`).
 */
export type Wrapping =
  | { readonly type: 'none' }
  | { readonly type: 'plain' }
  | { readonly type: 'once'; readonly session: number; readonly lowestUnanswered: number };

/** The bytes of a command as the log will have it, with its length. */
export function commandBytes({ bytes }: WriteCall, { type }: Wrapping): number {
  return 4 + bytes.length + (type === 'none' ? 0 : sessionHeadBytes[type]);
}

/** Commands as the log will have them, each with its length, in one array made at once. */
export function commandPayload(calls: readonly WriteCall[], wrapping: Wrapping): Uint8Array {
  let length = 0;
  for (const call of calls) length += commandBytes(call, wrapping);
  const payload = new Uint8Array(length);
  let at = 0;
  for (const call of calls) {
    const start = at + 4;
    const bodyAt = start + writeHead(payload, start, call, wrapping);
    payload.set(call.bytes, bodyAt);
    const end = bodyAt + call.bytes.length;
    putUint32(payload, at, end - start);
    at = end;
  }
  return payload;
}

/** Returns how many bytes that were. */
function writeHead(
  payload: Uint8Array,
  at: number,
  { session, sequence }: WriteCall,
  wrapping: Wrapping,
): number {
  switch (wrapping.type) {
    case 'none':
      return 0;
    case 'plain':
      writePlainHead(payload, at);
      return sessionHeadBytes.plain;
    case 'once':
      writeOnceHead(payload, at, { session, sequence, lowestUnanswered: lowestOf(session, wrapping) });
      return sessionHeadBytes.once;
  }
}

/** A command of an earlier session, which goes once more, must not drop results there: nothing is known to be answered. */
function lowestOf(session: number, wrapping: Extract<Wrapping, { type: 'once' }>): number {
  return session === wrapping.session ? wrapping.lowestUnanswered : 1;
}

/** Queries, each with its length. */
export function queryPayload(calls: readonly ReadCall[]): Uint8Array {
  return encodePayload(calls.map(({ bytes }) => bytes));
}

/** How many of the first calls fit into one frame: one at least. */
export function framedCount<T>(
  calls: readonly T[],
  { from, countMax, bytesMax, bytesOf }: FrameRoom<T>,
): number {
  let count = 0;
  for (let bytes = 0; from + count < calls.length && count < countMax; count++) {
    bytes += bytesOf(calls[from + count] as T);
    if (bytes > bytesMax && count > 0) break;
  }
  return count;
}

/** What {@link framedCount} goes by. */
export interface FrameRoom<T> {
  readonly from: number;
  readonly countMax: number;
  readonly bytesMax: number;
  readonly bytesOf: (call: T) => number;
}
