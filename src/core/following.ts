import type { FollowerDraft } from './draft.ts';
import { isHardStateDurable, send } from './durability.ts';
import type { AppendEntriesReply } from './message.ts';
import { becomeFollower, restartElectionTimer } from './role.ts';
import { durableIndex } from './state.ts';
import { higher, index0, isSamePeer, lower, type Peer, type Term, term0 } from './types.ts';
import type { Work } from './work.ts';

/** The sender leads this term: follow it. `undefined` if another does, which can't be (§5.2). */
export function follow(work: Work, leader: Peer, term: Term): FollowerDraft | undefined {
  const { draft } = work;
  const isSameTerm = term === draft.currentTerm;
  if (isSameTerm && draft.role.type === 'leader') return undefined;
  if (isSameTerm && draft.role.type === 'follower' && draft.role.leader !== null) {
    if (!isSamePeer(draft.role.leader, leader)) return undefined;
    if (draft.role.isLeaderDown) restartElectionTimer(draft); // It is back.
    draft.role.isLeaderDown = false;
  } else {
    becomeFollower(work, term, leader);
    restartElectionTimer(draft);
  }
  draft.electionElapsedMs = 0;
  draft.failovers = 0;
  return draft.role as FollowerDraft;
}

/**
 * Tells the leader what of its log is durable here, if it asked or there is news. One rule for all cases:
 * the acknowledged index is what is verified in this term *and* flushed, whichever is less, and it leaves
 * only once the term is durable (rule 1). So nothing is queued, and no stale completion can acknowledge
 * what it did not write (rule 3).
 */
export function acknowledge(work: Work, follower: FollowerDraft): void {
  const { draft } = work;
  const { leader } = follower;
  if (leader === null || !isHardStateDurable(draft)) return;
  const matchIndex = lower(follower.verifiedIndex, durableIndex(draft));
  if (!follower.isReplyDue && matchIndex <= follower.ackedIndex) return;
  follower.isReplyDue = false;
  follower.ackedIndex = higher(follower.ackedIndex, matchIndex);
  send(work, leader, {
    type: 'appendEntriesReply',
    term: draft.currentTerm,
    success: true,
    matchIndex,
    round: follower.round,
    rejectedIndex: index0,
    hintIndex: index0,
    hintTerm: term0,
  });
}

/** The answer to a leader that is deposed, or whose request does not fit. */
export function refusal(term: Term, round: number): AppendEntriesReply {
  return {
    type: 'appendEntriesReply',
    term,
    success: false,
    matchIndex: index0,
    round,
    rejectedIndex: index0,
    hintIndex: index0,
    hintTerm: term0,
  };
}
