import { answerAdmin } from './admin.ts';
import type { Config } from './config.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import { setTerm } from './durability.ts';
import { drawBelow, nextRandom, type RandomState } from './random.ts';
import { followerOf } from './role-state.ts';
import type { Peer, Term } from './types.ts';
import type { Work } from './work.ts';

/** Begins to wait for a leader anew, for a time drawn anew (§5.2). */
export function restartElectionTimer(draft: Draft): void {
  draft.electionElapsedMs = 0;
  draft.random = nextRandom(draft.random);
  draft.electionTimeoutMs = timeoutOf(draft.config, draft.random);
}

/** An election timeout, drawn between the two bounds (§5.2). */
export function timeoutOf(config: Config, random: RandomState): number {
  const { electionTimeoutMsMin, electionTimeoutMsMax } = config;
  return electionTimeoutMsMin + drawBelow(random, electionTimeoutMsMax - electionTimeoutMsMin + 1);
}

/**
 * Follows: in a new term when someone showed one, or in this term when its leader is found (§5.1, §5.2).
 * `leader` is `null` while it is not known.
 */
export function becomeFollower(work: Work, term: Term, leader: Peer | null): void {
  const { draft } = work;
  const { role } = draft;
  const isNewTerm = term > draft.currentTerm;
  if (isNewTerm) setTerm(draft, term);
  if (role.type === 'leader') abandonLeadership(work, role, isNewTerm);
  if (role.type !== 'follower') restartElectionTimer(draft); // A follower's timer goes on (§5.2).
  draft.role = followerOf(leader, draft.commitIndex);
}

/**
 * Answers those who wait for this leader. What is not committed yet may be, by a later leader that holds
 * it: `unknown` (rule 22). Reads have not been carried out and can be asked again.
 */
function abandonLeadership(work: Work, leader: LeaderDraft, isNewTerm: boolean): void {
  const { draft } = work;
  for (const write of draft.writes) {
    if (write.lastIndex <= draft.commitIndex) continue; // Committed: answered when applied.
    draft.writeBytes -= write.bytes;
    work.outputs.push({ type: 'writeRes', id: write.id, result: { type: 'unknown' } });
  }
  draft.writes = draft.writes.filter((write) => write.lastIndex <= draft.commitIndex);
  for (const read of leader.reads) {
    const reason = { type: 'notLeader', leaderId: null } as const;
    work.outputs.push({ type: 'readRes', id: read.id, result: { type: 'refused', reason } });
  }
  if (leader.changeId !== null) answerAdmin(work, leader.changeId, { type: 'unknown' });
  const { transfer } = leader;
  if (transfer === null || transfer.id === null) return;
  answerAdmin(work, transfer.id, isNewTerm ? { type: 'ok' } : { type: 'unknown' });
}
