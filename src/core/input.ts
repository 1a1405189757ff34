import type { EntryBatch } from './batch.ts';
import type { Message } from './message.ts';
import type { Index, NodeId, Peer, RequestId, Seq } from './types.ts';

/** The clock. Safety never depends on it, liveness does. */
export interface Tick {
  readonly type: 'tick';
  /** Monotonic milliseconds since any fixed moment, an integer. Going backwards is taken as standing still. */
  readonly now: number;
}

/** Commands to append. Answered by one `writeRes`. */
export interface Write {
  readonly type: 'write';
  readonly id: RequestId;
  /** `count` commands, each a big-endian u32 length and then as many bytes. */
  readonly payload: Uint8Array;
  /** CRC-32 of `payload`. */
  readonly payloadChecksum: number;
  /** How many commands: at least 1. Each gets an index of its own. */
  readonly count: number;
}

/** A linearizable query of the state machine. Answered by one `readRes`. */
export interface Read {
  readonly type: 'read';
  readonly id: RequestId;
  /** Opaque; handed back in the `readStateMachineReq`. */
  readonly payload?: Uint8Array;
}

/** A peer's message arrived. */
export interface MessageReceived {
  readonly type: 'message';
  readonly from: Peer;
  readonly message: Message;
}

/** Every `persistReq` up to `seq` is on disk, flushed. */
export interface PersistRes {
  readonly type: 'persistRes';
  readonly seq: Seq;
}

/** The batches that a `readLogReq` asked for, or `compacted` when its `from` is no longer in the log. */
export interface ReadLogRes {
  readonly type: 'readLogRes';
  readonly seq: Seq;
  readonly batches: readonly EntryBatch[] | 'compacted';
}

/** The state machine has applied entries. */
export interface ApplyRes {
  readonly type: 'applyRes';
  readonly seq: Seq;
  /** Applied, and visible to queries, through here. */
  readonly appliedIndex: Index;
  /** Applied and flushed through here. */
  readonly durableIndex: Index;
}

/** The answer to a `readStateMachineReq`. */
export interface ReadStateMachineRes {
  readonly type: 'readStateMachineRes';
  readonly id: RequestId;
  readonly payload?: Uint8Array;
}

/** The operator asks this node to stand for election now. Answered by one `adminRes`. */
export interface Campaign {
  readonly type: 'campaign';
  readonly id: RequestId;
}

/** The transport has a connection to or from this node again. A hint, never proof. */
export interface PeerUp {
  readonly type: 'peerUp';
  readonly id: NodeId;
}

/** The transport has no open connection with this node, in either direction. A hint, never proof. */
export interface PeerDown {
  readonly type: 'peerDown';
  readonly id: NodeId;
}

/** Everything that can happen to a node. */
export type Input =
  | Tick
  | Write
  | Read
  | MessageReceived
  | PersistRes
  | ReadLogRes
  | ApplyRes
  | ReadStateMachineRes
  | Campaign
  | PeerUp
  | PeerDown;
