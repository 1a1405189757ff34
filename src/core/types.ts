declare const brand: unique symbol;

/** A term: a non-negative integer, the logical clock of §5.1. Term 0 is before the first election. */
export type Term = number & { readonly [brand]: 'Term' };

/** A position in the log, counted from 1 (§5.3). Index 0 is the empty beginning, in term 0. */
export type Index = number & { readonly [brand]: 'Index' };

/** The name of a node, unique within its cluster: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
export type NodeId = string;

/** The random name a store draws when it is created; a wiped disk comes back with another one. */
export type StoreId = string;

/** The number of a Raft group among those that share one node's connections and disk: a u32. */
export type GroupId = number;

/** The caller's name for a request: a safe integer, unique among the requests that are outstanding. */
export type RequestId = number;

/** The number of a request to disk or state machine; its completion carries it back. Counted from 1. */
export type Seq = number;

/**
 * A node as votes and acknowledgements count it: by its name *and* its store, so that a node whose disk
 * was wiped is not taken for the one that promised something (rule 9).
 */
export interface Peer {
  readonly id: NodeId;
  readonly storeId: StoreId;
}

/** Reads a number as a term. The caller has checked that it is a non-negative safe integer. */
export const term = (value: number): Term => value as Term;

/** Reads a number as an index. The caller has checked that it is a non-negative safe integer. */
export const index = (value: number): Index => value as Index;

/** The beginning of the log: the index before the first entry. */
export const index0: Index = index(0);

/** The term before the first election. */
export const term0: Term = term(0);

/** The next index, or the next term. */
export const after = <N extends Term | Index>(value: N): N => (value + 1) as N;

/** The index before this one. */
export const before = (value: Index): Index => (value - 1) as Index;

/** The index `count` places on. */
export const plus = (value: Index, count: number): Index => (value + count) as Index;

/** The lower of two indexes. */
export const lower = (a: Index, b: Index): Index => (a < b ? a : b);

/** The higher of two indexes. */
export const higher = (a: Index, b: Index): Index => (a > b ? a : b);

/** Whether two peers are the same node on the same store. */
export function isSamePeer(a: Peer | null, b: Peer | null): boolean {
  return a === b || (a !== null && b !== null && a.id === b.id && a.storeId === b.storeId);
}

/**
 * Says to the compiler that every kind has been handled. At run time, a value of no known kind (from plain
 * JavaScript) goes past it without effect.
 */
export function unreachable(_value: never): undefined {
  return undefined;
}
