import type { LeaderDraft } from './draft.ts';
import { copyProgress, type Progress, type ProgressDraft } from './progress.ts';
import { replaced } from './shared-list.ts';
import { isSamePeer, type Peer } from './types.ts';

/** Where this follower stands in the leader's list; -1 for who is not in it, by name and store. */
export function placeOf(leader: LeaderDraft, peer: Peer): number {
  const { peers } = leader;
  let place = peers.length - 1;
  while (place >= 0 && !isSamePeer(peers[place] as Progress, peer)) place -= 1;
  return place;
}

/** A follower's progress, to assign to; the leader's list holds the copy. */
export function edit(leader: LeaderDraft, place: number): ProgressDraft {
  const copy = copyProgress(leader.peers[place] as Progress);
  leader.peers = replaced(leader.peers, place, copy);
  return copy;
}

/** Where a message to this follower goes. */
export function addressOf({ id, storeId }: Progress): Peer {
  return { id, storeId };
}
