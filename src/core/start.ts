import type { Config } from './config.ts';
import type { ConfigurationAt } from './configuration.ts';
import type { LogIndex } from './log.ts';
import type { HardState } from './output.ts';
import { nextRandom, seedRandom } from './random.ts';
import { timeoutOf } from './role.ts';
import { followerOf } from './role-state.ts';
import { configurationOf, type State } from './state.ts';
import { type GroupId, higher, type Index, isSamePeer, type Peer } from './types.ts';

/** What a node starts from: what its storage loaded, or a founding configuration and nothing else. */
export interface Start {
  readonly self: Peer;
  readonly group: GroupId;
  readonly config: Config;
  /** Any 32-bit integer; nodes may share it. */
  readonly seed: number;
  readonly hardState: HardState;
  readonly log: LogIndex;
  /** At least one, ascending. */
  readonly configurations: readonly ConfigurationAt[];
  /** What the state machine has applied durably; the commit index begins here. */
  readonly appliedIndex: Index;
  /**
   * Where the state machine's last durable snapshot goes to: an end of a batch, at most `appliedIndex`. The log through there
   * may go with the next compaction. Default: where the log begins.
   */
  readonly snapshotIndex?: Index;
}

/**
 * The state of a node that starts: a follower that knows no leader (§5.2). All of `start` is durable, and taken as it is:
 * neither the options nor the members of the configurations are looked at, which may be older than the rules of today.
 */
export function initialState(start: Start): State {
  const { config, self } = start;
  const random = nextRandom(seedRandom(start.seed, self.id, self.storeId));
  const commitIndex = higher(start.appliedIndex, start.log.startIndex);
  return {
    self,
    group: start.group,
    config,
    currentTerm: start.hardState.currentTerm,
    votedFor: start.hardState.votedFor,
    log: start.log,
    configurations: start.configurations,
    commitIndex,
    lastApplied: start.appliedIndex,
    role: followerOf(null, commitIndex),
    persistSeq: 0,
    durableSeq: 0,
    hardStateSeq: 0,
    unflushed: [],
    held: [],
    readLogSeq: 0,
    applySeq: 0,
    snapshotSeq: 0,
    snapshotIndex: start.snapshotIndex ?? start.log.startIndex,
    compacting: null,
    installing: null,
    flushElapsedMs: 0,
    writes: [],
    writeBytes: 0,
    queries: [],
    downPeers: [],
    now: 0,
    electionElapsedMs: 0,
    electionTimeoutMs: isAlone(start) ? 0 : timeoutOf(config, random),
    failovers: 0,
    lastAppendAtMs: 0,
    random,
  };
}

/** The only voter waits for nobody. */
function isAlone({ self, configurations }: Start): boolean {
  const { voters, votersOutgoing } = configurationOf({ configurations });
  return voters.length === 1 && votersOutgoing.length === 0 && isSamePeer(voters[0] as Peer, self);
}
