import type { Observable } from 'rxjs';
import type { GroupId, Message, NodeId, Peer, StoreId } from '../core/index.ts';

/** The version of frames and handshake that this release speaks; two nodes must speak the same one. */
export const protocolVersion = 1;

/** A member as `--members` declares it, before its store is known. */
export interface MemberAddress {
  readonly id: NodeId;
  /** A WebSocket URL such as `ws://10.0.0.1:7101`. */
  readonly url: string;
}

/** How a node introduces itself on every connection, in both directions. */
export interface Hello {
  /** The version of frames and handshake: {@link protocolVersion}. */
  readonly protocolVersion: number;
  /** `null` while the node's store belongs to no cluster. */
  readonly clusterId: string | null;
  readonly id: NodeId;
  readonly storeId: StoreId;
  /** Counts the starts of that store. */
  readonly bootCounter: number;
  /** What the node was told about who is in the cluster; compared at founding. */
  readonly members: readonly MemberAddress[];
}

/** Why a connection is refused: a stable code, and a reason that a person can act on. */
export interface HandshakeRefusal {
  readonly code:
    | 'protocolVersion'
    | 'otherCluster'
    | 'otherMembers'
    | 'wipedStore'
    | 'notAMember'
    | 'notTheNodeDialed'
    | 'unauthenticated';
  readonly reason: string;
}

/** What nodes send each other over a connection once the handshake is done. */
export type PeerFrame = RaftFrame | ForwardFrame | ForwardReplyFrame | FoundFrame | FoundAckFrame;

/** A message between the cores of one group. */
export interface RaftFrame {
  readonly type: 'raft';
  readonly group: GroupId;
  readonly message: Message;
}

/**
 * A request passed on to the leader: the commands of a write, or the question for a read index. Sent once,
 * on one connection. (sender's identity, its boot counter, `seq`) names it for ever.
 */
export interface ForwardFrame {
  readonly type: 'forward';
  readonly group: GroupId;
  readonly seq: number;
  readonly request:
    | {
        readonly type: 'write';
        readonly payload: Uint8Array;
        readonly payloadChecksum: number;
        readonly count: number;
        readonly timeoutMs: number;
      }
    | { readonly type: 'readIndex'; readonly timeoutMs: number };
}

/** The answer to a {@link ForwardFrame}; goes to the connection's node with the boot counter it had. */
export interface ForwardReplyFrame {
  readonly type: 'forwardReply';
  readonly group: GroupId;
  readonly bootCounter: number;
  readonly seq: number;
  readonly reply:
    | {
        readonly type: 'committed';
        readonly index: number;
        readonly term: number;
        readonly results: readonly Uint8Array[];
      }
    | { readonly type: 'readIndex'; readonly index: number }
    /** Nothing was appended; `code` is the stable code of the error. */
    | {
        readonly type: 'notCommitted';
        readonly code: string;
        readonly message: string;
        readonly leaderId: NodeId | null;
      }
    | { readonly type: 'unknown'; readonly code: string; readonly message: string };
}

/** The founding of the cluster, handed on to a member that has no configuration yet (design §4). */
export interface FoundFrame {
  readonly type: 'found';
  readonly clusterId: string;
  readonly voters: readonly { readonly id: NodeId; readonly storeId: StoreId; readonly url: string }[];
}

/** The sender has made the founding durable. */
export interface FoundAckFrame {
  readonly type: 'foundAck';
  readonly clusterId: string;
}

/** What a transport sees. Every event of one peer comes in the order it happened. */
export type TransportEvent =
  /** A frame arrived from a peer whose handshake was admitted. `bootCounter` is the sender's. */
  | { readonly type: 'frame'; readonly from: Peer; readonly bootCounter: number; readonly frame: PeerFrame }
  /** A handshake with this peer was admitted, on a connection in either direction. */
  | { readonly type: 'up'; readonly hello: Hello; readonly direction: 'outgoing' | 'incoming' }
  /** The outgoing connection to this peer, on which `send` sends, has closed. */
  | { readonly type: 'outgoingDown'; readonly id: NodeId }
  /** No connection is open with this peer, in either direction. */
  | { readonly type: 'down'; readonly id: NodeId }
  /** A handshake was refused, by us or by the peer. `retriesAfterMs` is `null` when it was the peer who dialed. */
  | {
      readonly type: 'refused';
      readonly by: 'us' | 'peer';
      readonly id: NodeId | null;
      readonly refusal: HandshakeRefusal;
    }
  /** A peer broke the protocol, and its connection was closed. */
  | { readonly type: 'protocolError'; readonly id: NodeId | null; readonly detail: string };

/** The state of the link to one peer, for `status` and people. */
export interface LinkStatus {
  readonly id: NodeId;
  readonly url: string;
  readonly isOutgoingOpen: boolean;
  readonly isIncomingOpen: boolean;
  /** Milliseconds of the last measured round trip; `null` before the first. */
  readonly rttMs: number | null;
  /** Bytes accepted by `send` and not yet taken by the operating system. */
  readonly bufferedBytes: number;
  /** Frames dropped since the start because the link was down or its buffer full. */
  readonly droppedFrames: number;
}

/** What a node brings to its transport. Both are asked anew for every connection. */
export interface TransportIdentity {
  /** How this node introduces itself. */
  readonly hello: () => Hello;
  /** Judges a peer's introduction: `null` lets it in. */
  readonly admit: (hello: Hello) => HandshakeRefusal | null;
}

/**
 * The network of one node. Lossy is fine: a frame may be dropped, and never blocks. One connection a
 * direction and peer: what this node sends goes over the connections it dialed.
 */
export interface Transport {
  /** Hot; completes at `close`. Subscribers come before `open`. */
  readonly event$: Observable<TransportEvent>;
  /** The largest frame that `send` ever takes, in bytes. Left out: there is no limit. */
  readonly frameBytesMax?: number;
  /** Begins to listen. Rejects with a {@link TransportError} such as `RAFT_PORT_IN_USE`. */
  open(identity: TransportIdentity): Promise<void>;
  /** The peers to keep a connection to; those no longer listed are hung up on. */
  setPeers(peers: readonly MemberAddress[]): void;
  /**
   * Sends one frame to a peer, if its outgoing connection is open, leads to that store, and has room.
   * Frames sent in one event-loop turn leave together. Returns whether it was taken; `false` is a drop.
   */
  send(to: Peer, frame: PeerFrame): boolean;
  /** Closes every connection of that peer, which broke the rules; it may dial again, after a pause. */
  hangUp(id: NodeId, reason: string): void;
  /** The link to each peer that is listed. */
  links(): readonly LinkStatus[];
  /** Closes every connection and stops listening. */
  close(): Promise<void>;
}
