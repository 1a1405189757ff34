import { membersOf } from './configuration.ts';
import { crc32 } from './crc32.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import { isCaughtUp, promoteLearners } from './membership.ts';
import { edit } from './peers.ts';
import { becomeProbe, copyProgress, newProgress, type Progress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import { probe, propose, sendHeartbeats } from './replication.ts';
import { becomeFollower } from './role.ts';
import { noteStandstill } from './snapshot-sending.ts';
import { configurationOf } from './state.ts';
import { checkTransfer } from './transfer.ts';
import { after, before, type Index, index0, isSamePeer, type NodeId } from './types.ts';
import type { Work } from './work.ts';

/** One entry without content: its length, 0, and nothing. */
const emptyEntry = new Uint8Array(4);
const emptyEntryChecksum = crc32(emptyEntry);

/**
 * Leads. Begins its term with an entry of its own, so that what earlier terms left is committed with it
 * (§8, §5.4.2).
 */
export function becomeLeader(work: Work): void {
  const { draft } = work;
  const { lastIndex } = draft.log;
  draft.failovers = 0;
  const others = membersOf(configurationOf(draft)).filter((member) => !isSamePeer(member, draft.self));
  draft.role = {
    type: 'leader',
    peers: others.map((member) =>
      newProgress(member, { lastIndex, isConnected: !draft.downPeers.includes(member.id) }),
    ),
    readyIndex: after(lastIndex),
    round: 0,
    reads: [],
    heartbeatElapsedMs: 0,
    quorumElapsedMs: 0,
    markIndex: index0,
    settledIndex: before(index0),
    changeId: null,
    transfer: null,
    isLeaving: false,
  };
  propose(work, draft.role, {
    kind: 'noop',
    payload: emptyEntry,
    payloadChecksum: emptyEntryChecksum,
    count: 1,
  });
}

/**
 * Time passes for a leader: heartbeats, and a look at who still answers. One whose own disk hangs steps down,
 * since another may do better (rule 18).
 */
export function onLeaderTick(work: Work, leader: LeaderDraft, elapsedMs: number): void {
  const { draft } = work;
  if (draft.flushElapsedMs >= draft.config.electionTimeoutMsMax)
    return becomeFollower(work, draft.currentTerm, null);
  checkTransfer(work, leader, elapsedMs);
  if (draft.role !== leader) return; // It has left.
  leader.quorumElapsedMs += elapsedMs;
  if (leader.quorumElapsedMs >= draft.config.electionTimeoutMsMin) {
    if (!hasActiveQuorum(draft, leader)) return becomeFollower(work, draft.currentTerm, null);
    lookAround(work, leader);
  }
  leader.heartbeatElapsedMs += elapsedMs;
  if (leader.heartbeatElapsedMs >= draft.config.heartbeatIntervalMs) {
    leader.heartbeatElapsedMs = 0;
    sendHeartbeats(work, leader);
  }
}

/** Once in an election timeout: who has caught up may vote, and everyone has to answer anew. */
function lookAround(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  promoteLearners(work, leader);
  leader.peers = leader.peers.map((peer) => {
    const next = copyProgress(peer);
    if (isCaughtUp(draft, leader, peer)) next.snapshotFrom = index0;
    noteStandstill(next, leader.quorumElapsedMs);
    next.wasActive = peer.isActive;
    next.isActive = false;
    return next;
  });
  leader.quorumElapsedMs = 0;
  leader.markIndex = draft.log.lastIndex;
}

/**
 * CheckQuorum: whether a majority has answered since the last look. A leader that lost it steps down and
 * goes silent, so that nobody waits for it (thesis §6.2, rule 17). One that has not looked yet has just been
 * elected by a majority, whose disks may be slow with its first entry.
 */
function hasActiveQuorum(draft: Draft, leader: LeaderDraft): boolean {
  const isFirstLook = leader.markIndex === index0;
  if (isFirstLook) return true;
  return isQuorum(configurationOf(draft), (voter) => {
    if (isSamePeer(voter, draft.self)) return true;
    return leader.peers.some((peer) => peer.isActive && isSamePeer(peer, voter));
  });
}

/** The transport has a follower back: what was in flight is lost, so ask it where it is. */
export function onFollowerUp(work: Work, leader: LeaderDraft, id: NodeId): void {
  const place = leader.peers.findIndex((peer) => peer.id === id);
  if (place < 0) return;
  const peer = edit(leader, place);
  peer.isConnected = true;
  if (peer.state !== 'snapshot') becomeProbe(peer, whereItMayAgree(peer)); // A transfer resumes by itself.
  probe(work, leader, peer);
}

/** The transport lost a follower: nothing more is read for it; heartbeats go on, in case it errs. */
export function onFollowerDown(leader: LeaderDraft, id: NodeId): void {
  const place = leader.peers.findIndex((peer) => peer.id === id);
  if (place < 0) return;
  const peer = edit(leader, place);
  peer.isConnected = false;
  if (peer.state === 'snapshot') return;
  becomeProbe(peer, whereItMayAgree(peer));
  peer.isPaused = true;
}

/**
 * Where to look next for a follower whose connection broke. One that has not answered this leader yet may hold
 * all of the log: asked at the beginning it would agree, and be sent everything once more.
 */
function whereItMayAgree(peer: Progress): Index {
  return peer.matchIndex === index0 ? peer.nextIndex : after(peer.matchIndex);
}
