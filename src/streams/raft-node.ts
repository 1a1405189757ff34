/// <reference lib="esnext.disposable" preserve="true" />
import type { Observable, SchedulerLike } from 'rxjs';
import type {
  Configuration,
  Explanation,
  Index,
  Member,
  MemberChange,
  NodeId,
  State,
  Term,
} from '../core/index.ts';
import type { Storage } from '../storage/storage.ts';
import type { HandshakeRefusal, LinkStatus, MemberAddress, Transport } from '../transport/transport.ts';
import type { StateMachine } from './state-machine.ts';
import type { Stepped } from './step-with.ts';

/** What a node is doing. A `learner` receives the log and does not vote. */
export type RoleName = 'leader' | 'follower' | 'preCandidate' | 'candidate' | 'learner';

/** A logger such as `pino`: an object of facts, then a sentence. */
export interface Logger {
  /** What only somebody who looks for an error wants to know. */
  debug(facts: object, message: string): void;
  /** What happens now and then in normal operation. */
  info(facts: object, message: string): void;
  /** What somebody should look at. */
  warn(facts: object, message: string): void;
  /** What stops something. */
  error(facts: object, message: string): void;
}

/** How a node is put together. */
export interface RaftNodeOptions<Command, Result, Query, Answer> {
  /** This node's name: 1 to 64 of `A-Z a-z 0-9 . _ -`. */
  readonly id: NodeId;
  /** What the cluster replicates: a `reducer(…)`, or an object with a storage of its own. */
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  /** Its disk, such as `lmdbStorage({ path })`, or `memoryStorage()` for data that may be lost. */
  readonly storage: Storage;
  /** Its network; not needed by a cluster of one. */
  readonly transport?: Transport;
  /**
   * Who founds the cluster, this node included; the same list on every node, of 50 at most. Default: this node alone. Empty:
   * it joins a cluster that is told to add it. Once the store belongs to a cluster, the stored members count, and the
   * list only says where else those of its names may be found.
   */
  readonly members?: readonly MemberAddress[];
  /** Milliseconds between ticks. Default 25. */
  readonly tickMs?: number;
  /** Milliseconds between heartbeats of a leader. Default 100. */
  readonly heartbeatMs?: number;
  /** The shortest election timeout in milliseconds; each is drawn from this to twice this. Default 500. */
  readonly electionMs?: number;
  /** Entries after which a snapshot is taken and the log compacted. Default 100,000. */
  readonly snapshotEntries?: number;
  /** Bytes of log after which a snapshot is taken and the log compacted. Default 64 MiB. */
  readonly snapshotBytes?: number;
  /** How long a request may take, in milliseconds, unless it says otherwise. Default 5,000. */
  readonly timeoutMs?: number;
  /** How long `close` waits for disk and network, in milliseconds; then they are left to themselves. Default 5,000. */
  readonly closeTimeoutMs?: number;
  /** Largest encoded command, or sum of the commands of one `writeAll`, in bytes. Default 1 MiB + 4 KiB. */
  readonly commandBytesMax?: number;
  /** Commands waiting for their answer; beyond it the answer is `RAFT_OVERLOADED`. Default 65,536. */
  readonly pendingMax?: number;
  /** Told what happens. Default: nobody. */
  readonly logger?: Logger;
  /**
   * How many of the latest steps are kept for {@link RaftNode.recent}, with the payloads of their inputs. Default 0:
   * none.
   */
  readonly recordLast?: number;
  /**
   * Told of every step of the core, before its outputs are carried out: what the `recorder` of `rxraft/testing` writes
   * down. It runs inside the loop, so it must be quick. Once it throws, that is logged and it is told no more.
   */
  readonly onStep?: (stepped: Stepped) => void;
  /** Where randomness comes from: seeds the election timeouts. Default: drawn at random. */
  readonly seed?: number;
  /** Gives ticks and time. Default `asyncScheduler`. */
  readonly timeScheduler?: SchedulerLike;
  /** Runs what ends an event-loop turn, after the I/O of that turn. Default: on `setImmediate`. */
  readonly turnScheduler?: SchedulerLike;
}

/** Where a write stands and what the state machine answered. */
export interface Committed<Result> {
  readonly index: Index;
  readonly term: Term;
  readonly result: Result;
}

/** Where commands that stand one after the other begin, and what the state machine answered to each. */
export interface CommittedAll<Result> {
  readonly index: Index;
  readonly term: Term;
  readonly results: readonly Result[];
}

/** A committed and applied command. */
export interface Commit<Command> {
  readonly index: Index;
  readonly term: Term;
  readonly logTimeMs: number;
  readonly command: Command;
}

/** Limits of one request. */
export interface RequestOptions {
  /**
   * Milliseconds until the request is given up, counted from the first request of its event-loop turn that has the same
   * limit. Default: the node's `timeoutMs`.
   */
  readonly timeoutMs?: number;
  /** Gives the request up early, with `RAFT_ABORTED`. */
  readonly signal?: AbortSignal;
}

/** What a read promises. */
export interface ReadOptions extends RequestOptions {
  /**
   * `linearizable` (default): everything that was acknowledged anywhere before the read began.
   * `session`: at least everything through `index`. `stale`: whatever this node has.
   */
  readonly consistency?: 'linearizable' | 'session' | 'stale';
  /** For `session`: the index of the caller's last write. */
  readonly index?: number;
}

/** An answer, and the index that it reflects at least. */
export interface ReadAnswer<Answer> {
  readonly value: Answer;
  readonly index: Index;
  /**
   * How old the answer may be: milliseconds since this node last heard from a leader; 0 for a linearizable read
   * and on the leader, `null` if it has not heard from one since it started.
   */
  readonly ageMs: number | null;
}

/** One step of a change of members, as an operator gives it. */
export type MembershipChange =
  /**
   * A new node, which was started to join. A learner at first; with `role: 'voter'` (default) it is promoted once it
   * has caught up. Without `storeId`, the node at `url` is asked for it.
   */
  | {
      readonly type: 'add';
      readonly id: NodeId;
      readonly url: string;
      readonly storeId?: string;
      readonly role?: 'voter' | 'learner';
    }
  | Exclude<MemberChange, { readonly type: 'add' }>;

/** A node at a glance. */
export interface NodeStatus {
  readonly id: NodeId;
  /** `null` before the cluster is founded. */
  readonly clusterId: string | null;
  readonly storeId: string;
  readonly role: RoleName;
  readonly term: Term;
  readonly leaderId: NodeId | null;
  readonly commitIndex: Index;
  readonly lastApplied: Index;
  readonly lastIndex: Index;
  /** The first index still in the log: the index after the last compacted one. */
  readonly firstIndex: Index;
  readonly snapshotIndex: Index;
  readonly members: readonly (Member & { readonly role: 'voter' | 'learner' })[];
  /** On the leader, one for each other member; elsewhere empty. */
  readonly peers: readonly PeerStatus[];
  readonly links: readonly LinkStatus[];
  /**
   * Connections that were refused, by this node or by a peer, the latest last; 64 at most. Over once one is open with that node,
   * or nobody has tried for a minute.
   */
  readonly refusals: readonly RefusalStatus[];
}

/** How far a follower is, as its leader knows it. */
export interface PeerStatus {
  readonly id: NodeId;
  /**
   * `unreachable`: no connection is open, in either direction, or it has not answered this leader for at least an election
   * timeout. A leader that has just been elected gives each one that long.
   */
  readonly state: 'probe' | 'replicate' | 'snapshot' | 'unreachable';
  readonly matchIndex: Index;
  /** Entries that it lacks. */
  readonly lag: number;
  readonly rttMs: number | null;
}

/** A connection that was refused within the last minute, and none has been opened with that node since. */
export interface RefusalStatus {
  readonly id: NodeId;
  /** `us`: this node refused the other one. `peer`: it was refused by it. */
  readonly by: 'us' | 'peer';
  readonly code: HandshakeRefusal['code'];
  readonly reason: string;
}

/** How a node closes. */
export interface CloseOptions {
  /**
   * Whether a leader hands over first, and stays until another leads, for which it takes `electionMs` at most.
   * Default `true`: nobody waits for an election.
   */
  readonly handsOver?: boolean;
}

/** A running node. Its requests reject with a `RaftError` whose `outcome` says what it means for the data. */
export interface RaftNode<Command, Result, Query, Answer> {
  readonly id: NodeId;
  /** The whole state, after each turn in which it changed. Replays the latest; completes at `close`. */
  readonly state$: Observable<State>;
  /** What the node is doing; distinct. Replays the latest. */
  readonly role$: Observable<RoleName>;
  /** Who leads, as far as this node knows; distinct. Replays the latest. */
  readonly leader$: Observable<NodeId | null>;
  /** The configuration in effect; distinct. Replays the latest. */
  readonly members$: Observable<Configuration>;
  /**
   * Every command applied from now on, in index order, once. Synchronous and unbuffered: for fast
   * subscribers; others use {@link RaftNode.commits}.
   */
  readonly commits$: Observable<Commit<Command>>;
  /**
   * Committed commands from an index on: history from disk, then live, in batches, pulled. Ends when the
   * node closes or `signal` aborts.
   */
  commits(options?: {
    readonly from?: number;
    readonly signal?: AbortSignal;
  }): AsyncIterable<readonly Commit<Command>[]>;
  /** Replicates a command. Resolves once it is committed and applied here or on the leader. */
  write(command: Command, options?: RequestOptions): Promise<Committed<Result>>;
  /** Replicates commands that stand one after the other in the log, with one promise for all. */
  writeAll(commands: readonly Command[], options?: RequestOptions): Promise<readonly Committed<Result>[]>;
  /**
   * The same for commands that came as bytes, from a client say: as the machine's codec has them, so that they need not be
   * encoded again. **Decode each first**: what the codec can't decode, and is committed, stops every node. The bytes are
   * not to be changed until the answer, and the results never: on the leader they are the machine's own.
   */
  writeEncoded(commands: readonly Uint8Array[], options?: RequestOptions): Promise<CommittedAll<Result>>;
  /** Asks the state machine. */
  read(query: Query, options?: ReadOptions): Promise<ReadAnswer<Answer>>;
  /**
   * Asks the state machine several things, with one promise for all, which rejects with the first error if a query
   * throws. Of a machine that answers at once they show one moment: no command is applied between them. More than
   * `pendingMax` of them are refused.
   */
  readAll(queries: readonly Query[], options?: ReadOptions): Promise<readonly ReadAnswer<Answer>[]>;
  /** The node at a glance, as it is now. */
  status(): NodeStatus;
  /** The latest steps of the core, oldest first, as many as `recordLast` says: also after the node had to stop. */
  recent(): readonly Stepped[];
  /** This node in words: why there is no leader, why writes wait, who lags and why. Empty if all is well. */
  explain(): readonly Explanation[];
  /**
   * Changes the members, all at once (§6). Resolves when the change is committed; a new voter is promoted later, by
   * itself. With `expectedIndex`, only if the configuration in effect is the one of that index.
   */
  changeMembers(
    changes: readonly MembershipChange[],
    options?: RequestOptions & { readonly expectedIndex?: number },
  ): Promise<void>;
  /** Hands leadership over to a voter, by default to the one that is furthest. Resolves when the leader has stepped down. */
  transferLeadership(to?: NodeId, options?: RequestOptions): Promise<void>;
  /** Takes a snapshot on this node, and drops the log that it makes needless. Resolves when both are durable. */
  snapshot(options?: RequestOptions): Promise<void>;
  /** Resolves when the node has closed; rejects when it had to stop (disk failure, machine that throws). */
  readonly closed: Promise<void>;
  /**
   * Hands leadership over, answers what is outstanding, flushes, closes streams, transport and storage. Safe to
   * call twice.
   */
  close(options?: CloseOptions): Promise<void>;
  /** The same as {@link RaftNode.close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}
