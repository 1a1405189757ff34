import type { Draft } from './draft.ts';
import { isQuorum } from './quorum.ts';
import { drawBelow, nextRandom } from './random.ts';
import type { Candidate, PreCandidate } from './role-state.ts';
import { configurationOf } from './state.ts';
import { isSamePeer, type Peer } from './types.ts';

/** Short waits in a row: one when the connection breaks, and one after each election that is lost. */
const failoversMax = 4;

/**
 * Stands for election soon, not only after the election timeout: the connection to the leader has broken (design §4).
 * Safe because pre-votes and votes decide as ever.
 *
 * Each wait is drawn from twice the time of the one before, by default 40, 80, 160 and 320 ms: ticks are 25 ms apart, and
 * two nodes that tick at the same moment and draw from 40 ms would meet again every other time. Then the election
 * timeout is back.
 */
export function waitShortly(draft: Draft): void {
  if (draft.failovers >= failoversMax) return;
  draft.random = nextRandom(draft.random);
  const delayMs = drawBelow(draft.random, draft.config.failoverDelayMsMax * 2 ** draft.failovers + 1);
  draft.electionTimeoutMs = Math.min(draft.electionTimeoutMs, draft.electionElapsedMs + delayMs);
  draft.failovers += 1;
}

/** Whether a majority may yet come together: of those who agree, and those who can be reached and have not declined. */
export function canStillWin(draft: Draft, { votes, declined }: PreCandidate | Candidate): boolean {
  return isQuorum(configurationOf(draft), (voter) => {
    if (isAmong(votes, voter)) return true;
    return !isAmong(declined, voter) && !draft.downPeers.includes(voter.id);
  });
}

function isAmong(peers: readonly Peer[], peer: Peer): boolean {
  return peers.some((other) => isSamePeer(other, peer));
}
