import { putUint53, uint53At } from '../core/index.ts';

/** The ordered keys and values that the table of sessions lives in; a `MachineStore` is one. */
export interface TableStore {
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): void;
  /** As `put`, of a key that is not there; a store that has it writes nothing of what is deleted before it was flushed. */
  insert?(key: Uint8Array, value: Uint8Array): void;
  delete(key: Uint8Array): void;
  range(bounds: {
    readonly from?: Uint8Array;
    readonly to?: Uint8Array;
  }): Iterable<readonly [Uint8Array, Uint8Array]>;
}

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
const sessionRowBytes = 32;

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
  const value = new Uint8Array(sessionRowBytes);
  putUint53(value, 0, lastUsedMs);
  putUint53(value, 8, notedMs);
  putUint53(value, 16, lowestUnanswered);
  putUint53(value, 24, results);
  return value;
}

/** Reads a session's row. Throws if it is none: with zeros for what lacks, commands would be executed again. */
export function decodeSession(value: Uint8Array): SessionRow {
  if (value.length !== sessionRowBytes)
    throw new TypeError(`the row of a session has ${value.length} bytes, expected ${sessionRowBytes}`);
  return {
    lastUsedMs: uint53At(value, 0),
    notedMs: uint53At(value, 8),
    lowestUnanswered: uint53At(value, 16),
    results: uint53At(value, 24),
  };
}

/**
 * Whether this is a row of the table. For what another node sends: one that is none would be met by the first command of its
 * session, when it has taken the place of the data in use, and stop the node at each start.
 */
export function isRow(key: Uint8Array, value: Uint8Array): boolean {
  switch (key[0]) {
    case sessionTag:
      return areNumbers(key, { from: 1, count: 1 }) && areNumbers(value, { from: 0, count: 4 });
    case resultTag:
      return areNumbers(key, { from: 1, count: 2 });
    case useTag:
      return areNumbers(key, { from: 1, count: 2 }) && value.length === 0;
    default:
      return false;
  }
}

/** Whether the rest of these bytes is so many numbers. */
function areNumbers(
  bytes: Uint8Array,
  { from, count }: { readonly from: number; readonly count: number },
): boolean {
  if (bytes.length !== from + 8 * count) return false;
  for (let at = from; at < bytes.length; at += 8) if (uint53At(bytes, at) < 0) return false;
  return true;
}

function pairKey(tag: number, first: number, second: number): Uint8Array {
  const key = new Uint8Array(17);
  key[0] = tag;
  putUint53(key, 1, first);
  putUint53(key, 9, second);
  return key;
}
