import { putUint53, uint53At } from '../core/index.ts';

/*
 * The rows of client sessions. The first byte of a key says what is under it; numbers are u64, big-endian.
 *
 * | key | value |
 * |---|---|
 * | `0x01`, session | when it was used last and is noted, its lowest unanswered sequence, how many results it has |
 * | `0x02`, session, sequence | the result |
 * | `0x03`, time noted, session | nothing: the sessions in the order of use |
 */
const sessionTag = 1;
const resultTag = 2;
const useTag = 3;
const endTag = 4;

/** What stands in the row of a session. */
export interface SessionRow {
  readonly lastUsedMs: number;
  /** Under this time it stands in the order of use: when it was used last, or a little before. */
  readonly notedMs: number;
  /** Lower sequences have been answered: they never execute again. */
  readonly lowestUnanswered: number;
  /** How many results are kept. */
  readonly results: number;
}

/** Where the rows of all sessions are. */
export const sessionRows = { from: Uint8Array.of(sessionTag), to: Uint8Array.of(resultTag) } as const;

/** Where the order of use ends. */
export const usesEnd: Uint8Array = Uint8Array.of(endTag);

/** The key of a session's row. */
export function sessionKey(session: number): Uint8Array {
  const key = new Uint8Array(9);
  key[0] = sessionTag;
  putUint53(key, 1, session);
  return key;
}

/** The key of a result. */
export function resultKey(session: number, sequence: number): Uint8Array {
  return pairKey(resultTag, session, sequence);
}

/** Which sequence a key of a result is of. */
export function sequenceOf(key: Uint8Array): number {
  return uint53At(key, 9);
}

/** The key of a session in the order of use. */
export function useKey(notedMs: number, session: number): Uint8Array {
  return pairKey(useTag, notedMs, session);
}

/** What a key of the order of use says. */
export function useOf(key: Uint8Array): { readonly notedMs: number; readonly session: number } {
  return { notedMs: uint53At(key, 1), session: uint53At(key, 9) };
}

/** The byte form of a session's row. */
export function encodeSession({ lastUsedMs, notedMs, lowestUnanswered, results }: SessionRow): Uint8Array {
  const value = new Uint8Array(32);
  putUint53(value, 0, lastUsedMs);
  putUint53(value, 8, notedMs);
  putUint53(value, 16, lowestUnanswered);
  putUint53(value, 24, results);
  return value;
}

/** Reads a session's row. */
export function decodeSession(value: Uint8Array): SessionRow {
  return {
    lastUsedMs: uint53At(value, 0),
    notedMs: uint53At(value, 8),
    lowestUnanswered: uint53At(value, 16),
    results: uint53At(value, 24),
  };
}

function pairKey(tag: number, first: number, second: number): Uint8Array {
  const key = new Uint8Array(17);
  key[0] = tag;
  putUint53(key, 1, first);
  putUint53(key, 9, second);
  return key;
}
