/** The version of the client protocol that this release speaks; client and server must speak the same one. */
export const clientProtocolVersion = 1;

/** The most requests or answers in one frame. */
export const requestsPerFrameMax = 65_536;

/**
 * The first byte of a frame; the fields follow in the order that their `write…` function has them.
 *
 * 40 to 47 and 72 to 79 are kept for commit streams that can be resumed: what a client asks of one, and what a server
 * sends on it. Version 1 has none of them, and takes them for unknown frames.
 */
export const clientFrameType = {
  write: 32,
  read: 33,
  ping: 34,
  written: 64,
  answered: 65,
  refused: 66,
  standing: 67,
  pong: 68,
} as const;

/** How a client introduces itself. */
export interface ClientHello {
  /** The version of frames and hello: {@link clientProtocolVersion}. */
  readonly protocolVersion: number;
  /** The group it wants to talk to; 0 where there is only one. */
  readonly group: number;
}

/** How a server answers a client that it lets in. */
export interface Welcome {
  readonly protocolVersion: number;
  readonly group: number;
  /** The node that answers. */
  readonly nodeId: string;
  /** `null` before the cluster is founded. */
  readonly clusterId: string | null;
  /** Who leads, as far as this node knows. */
  readonly leaderId: string | null;
  /** Where clients reach the leader, if this node knows. */
  readonly leaderUrl: string | null;
  /** Whether the machine is wrapped in `withSessions`. */
  readonly hasSessions: boolean;
  /** The longest message that the server takes, in bytes. */
  readonly frameBytesMax: number;
  /** Requests without an answer that one connection may have; beyond it they are refused as overloaded. */
  readonly requestsMax: number;
}

/** Why a client is not let in: a stable code, and a reason that a person can act on. */
export interface ClientRefusal {
  readonly code: 'protocolVersion' | 'noSuchGroup';
  readonly reason: string;
}

/** What a read promises, as it travels. */
export type Consistency = 'linearizable' | 'session' | 'stale';

/** What client and server send each other once the hello is answered. */
export type ClientFrame =
  | WriteFrame
  | ReadFrame
  | WrittenFrame
  | AnsweredFrame
  | RefusedFrame
  | StandingFrame
  | { readonly type: 'ping'; readonly number: number }
  | { readonly type: 'pong'; readonly number: number };

/** Commands that stand one after the other in the log, as the machine's codec has them. */
export interface WriteFrame {
  readonly type: 'write';
  /** Of the first command; the next one is `firstId + 1`, … The client names its requests as it likes. */
  readonly firstId: number;
  /** How long the last of the callers goes on waiting. */
  readonly timeoutMs: number;
  readonly count: number;
  /** `count` times a u32 length and as many bytes: the form that a batch of the log has. */
  readonly payload: Uint8Array;
}

/** Queries with one consistency, as the codec of queries has them. */
export interface ReadFrame {
  readonly type: 'read';
  readonly firstId: number;
  readonly timeoutMs: number;
  readonly consistency: Consistency;
  /** For `session`: the index that the answer must reflect; else 0. */
  readonly index: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

/** Commands are committed and applied: where the first stands, and the result of each. */
export interface WrittenFrame {
  readonly type: 'written';
  readonly firstId: number;
  readonly index: number;
  readonly term: number;
  readonly count: number;
  readonly payload: Uint8Array;
}

/** Queries are answered; `ids` are in no order. */
export interface AnsweredFrame {
  readonly type: 'answered';
  readonly index: number;
  /** Milliseconds; `null` if the node has not heard from a leader since it started. */
  readonly ageMs: number | null;
  readonly ids: readonly number[];
  readonly payload: Uint8Array;
}

/** Requests are not carried out (`notCommitted`), or may be (`unknown`). */
export interface RefusedFrame {
  readonly type: 'refused';
  readonly firstId: number;
  readonly count: number;
  readonly outcome: 'notCommitted' | 'unknown';
  readonly code: string;
  readonly message: string;
  readonly leaderId: string | null;
}

/** What has changed about the node since its welcome. */
export interface StandingFrame {
  readonly type: 'standing';
  /** It takes no more requests, and answers those that it has. */
  readonly isClosing: boolean;
  readonly leaderId: string | null;
  readonly leaderUrl: string | null;
}
