import type { Observable } from 'rxjs';
import type { GroupId, MemberChange, Message, NodeId, Peer, StoreId } from '../core/index.ts';

export { memberChangesMax } from '../core/member-rules.ts';

/** The version of frames and handshake that this release speaks; two nodes must speak the same one. */
export const protocolVersion = 1;

/** The largest piece of a snapshot, in bytes. */
export const snapshotChunkBytesMax = 3.5 * 1024 * 1024;

/** What the results of writes that were passed on together may have, in bytes, with 4 more for each result. */
export const resultsBytesMax = 64 * 1024 * 1024;

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
    | 'unauthenticated'
    | 'nameInUse';
  readonly reason: string;
}

/** What nodes send each other over a connection once the handshake is done. */
export type PeerFrame =
  | RaftFrame
  | ForwardFrame
  | ForwardReplyFrame
  | FoundFrame
  | FoundAckFrame
  | SnapshotOfferFrame
  | SnapshotChunkFrame
  | SnapshotAckFrame;

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
    | { readonly type: 'readIndex'; readonly timeoutMs: number }
    | {
        readonly type: 'changeMembers';
        /**
         * 1 to {@link memberChangesMax}. Names, stores and URLs are as a `Hello` has them; the leader takes
         * anything else for a broken frame.
         */
        readonly changes: readonly MemberChange[];
        readonly expectedIndex: number | null;
        readonly timeoutMs: number;
      }
    | { readonly type: 'transferLeadership'; readonly to: NodeId | null; readonly timeoutMs: number };
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
    /**
     * The write is committed, and its results are too large for one frame: their bytes from `offset` on. All of them are
     * `totalBytes`, at most {@link resultsBytesMax}, as a payload has commands: each result with its length in front. They
     * come in their order. The first has no bytes, and leaves as soon as the write is committed: it says so, whatever
     * becomes of the others.
     */
    | {
        readonly type: 'results';
        readonly index: number;
        readonly term: number;
        readonly totalBytes: number;
        readonly offset: number;
        readonly bytes: Uint8Array;
      }
    | { readonly type: 'readIndex'; readonly index: number }
    /** The change of members, or the transfer, has taken effect. */
    | { readonly type: 'done' }
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

/** The sender has a snapshot for the receiver. Sent again on each new connection, until it is acknowledged. */
export interface SnapshotOfferFrame {
  readonly type: 'snapshotOffer';
  readonly group: GroupId;
  /** Random; the same snapshot sent to another node has another one. 1 to 64 printable ASCII. */
  readonly transferId: string;
  /** The last index that the snapshot covers. */
  readonly index: number;
}

/**
 * A piece of a snapshot. Pieces are counted from 0 and have 1 byte to {@link snapshotChunkBytesMax}; the last
 * may be empty, as the only one of an empty snapshot is.
 *
 * Whatever else is sent may overtake it: frames of the same event-loop turn do, and `send` takes a piece only
 * while little waits for the peer. The network's own buffers are beyond a transport's reach: a sender that
 * keeps few pieces unacknowledged keeps those short, too.
 */
export interface SnapshotChunkFrame {
  readonly type: 'snapshotChunk';
  readonly group: GroupId;
  readonly transferId: string;
  readonly number: number;
  readonly isLast: boolean;
  readonly bytes: Uint8Array;
  /** CRC-32 of `bytes`; checked by the decoder. */
  readonly checksum: number;
}

/** What the receiver of a snapshot has durably: every chunk below `nextChunk`. */
export interface SnapshotAckFrame {
  readonly type: 'snapshotAck';
  readonly group: GroupId;
  readonly transferId: string;
  readonly nextChunk: number;
  /**
   * `refused`: the receiver does not want it, since it has all that the snapshot covers. `malformed`: the receiver has dropped it,
   * since it can't be what the state machine wrote.
   */
  readonly status: 'receiving' | 'complete' | 'refused' | 'malformed';
}

/** What a transport sees. Every event of one peer comes in the order it happened. */
export type TransportEvent =
  /** A frame arrived from a peer whose handshake was admitted. `bootCounter` is the sender's. */
  | { readonly type: 'frame'; readonly from: Peer; readonly bootCounter: number; readonly frame: PeerFrame }
  /**
   * A handshake with this peer was admitted, on a connection in either direction. Said again of a store that is still connected when
   * another one of its name, which came later, has left.
   */
  | { readonly type: 'up'; readonly hello: Hello; readonly direction: 'outgoing' | 'incoming' }
  /** The outgoing connection to this peer, on which `send` sends, has closed. */
  | { readonly type: 'outgoingDown'; readonly id: NodeId }
  /** No connection is open with this peer, in either direction: of what it sent before, nothing arrives any more. */
  | { readonly type: 'down'; readonly id: NodeId }
  /**
   * A handshake was refused, by us or by the peer. `id` is the node dialed, or the one that the dialer said it
   * is; `null` if it had not said. A node that we dial is dialed again, later and later.
   */
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
  /** Frames dropped since the start because the link was down or its buffer full; pieces of snapshots and of results apart. */
  readonly droppedFrames: number;
}

/** What a node brings to its transport. Both are asked anew for every connection. */
export interface TransportIdentity {
  /** How this node introduces itself. */
  readonly hello: () => Hello;
  /**
   * Judges a peer's introduction: `null` lets it in. Asked about whoever dials and about whoever is dialed, then with the
   * address that was: to learn the store of a node that is to join, list its address with `setPeers` and wait for its hello here.
   */
  readonly admit: (hello: Hello, dialedUrl?: string) => HandshakeRefusal | null;
}

/**
 * The network of one node. Lossy is fine: a frame may be dropped, and never blocks. One connection a
 * direction and peer: what this node sends goes over the connections it dialed. Of those that dial, two stores of one name
 * are two peers.
 */
export interface Transport {
  /**
   * Hot; completes at `close`, which says nothing of the connections that it closes. Subscribers come before
   * `open`. Events may come from inside `setPeers` and `hangUp`, never from inside `send`.
   */
  readonly event$: Observable<TransportEvent>;
  /** The largest frame that `send` ever takes, in bytes. Left out: there is no limit. */
  readonly frameBytesMax?: number;
  /**
   * Begins to listen. Rejects with a {@link TransportError} such as `RAFT_PORT_IN_USE`; with `RAFT_TRANSPORT_USED` if it was
   * opened before, and goes on as it was.
   */
  open(identity: TransportIdentity): Promise<void>;
  /**
   * The peers to keep a connection to, before `open` or after; those no longer listed, or listed elsewhere,
   * are hung up on. This node may be on the list: it does not dial itself. Who dials us is another matter, and
   * up to `admit`. Throws a {@link TransportError}, `RAFT_BAD_URL`, and leaves the peers as they were. If the error has
   * the `url`, the node goes on without those who are there; if not, with the peers as they were.
   */
  setPeers(peers: readonly MemberAddress[]): void;
  /**
   * Sends one frame to a peer, if its outgoing connection is open, leads to that store, and has room.
   * Frames sent in one event-loop turn leave together. Returns whether it was taken; `false` is a drop.
   *
   * A piece of a snapshot, or of large results, has room only while little waits for that peer. Refused, it is sent
   * again: a piece of a snapshot once an earlier one is acknowledged, either after a tick.
   */
  send(to: Peer, frame: PeerFrame): boolean;
  /** Closes every connection of that peer, which broke the rules; it may dial again, after a pause. */
  hangUp(id: NodeId, reason: string): void;
  /** The link to each peer that is listed. */
  links(): readonly LinkStatus[];
  /** Closes every connection and stops listening. */
  close(): Promise<void>;
}
