import { configurationAt } from './compaction.ts';
import type { ConfigurationAt } from './configuration.ts';
import type { LeaderDraft } from './draft.ts';
import { send } from './durability.ts';
import { fault } from './fault.ts';
import type { SendSnapshotRes } from './input.ts';
import { termAt } from './log.ts';
import type { Fault } from './output.ts';
import { addressOf, edit } from './peers.ts';
import { becomeProbe, type ProgressDraft } from './progress.ts';
import { after, index0 } from './types.ts';
import type { Work } from './work.ts';

/** A follower that the log is kept for may get no further for so long; a sender of chunks waits as long. */
const standstillMsMax = 60_000;
/** A machine may take its time to restore what has arrived: as long as its node answers, it has so many times as long. */
const installFactor = 10;

/**
 * A follower needs entries that the log no longer holds: it gets a snapshot (§7, rule 21). Until its chunks
 * are there, only heartbeats go to it, and the log after the snapshot is kept.
 */
export function beginSnapshot(work: Work, peer: ProgressDraft): void {
  const { draft } = work;
  draft.snapshotSeq += 1;
  peer.state = 'snapshot';
  peer.snapshotSeq = draft.snapshotSeq;
  peer.snapshotFrom = draft.snapshotIndex; // The end of a batch, where a log can be cut; more is applied.
  peer.isPaused = false;
  const to = addressOf(peer);
  work.outputs.push({ type: 'sendSnapshotReq', seq: draft.snapshotSeq, to, from: peer.snapshotFrom });
}

/** The chunks have arrived: tell the follower to switch. Or they have not: begin anew with the next heartbeat. */
export function onSendSnapshotRes(
  work: Work,
  leader: LeaderDraft,
  { seq, sent }: SendSnapshotRes,
): Fault | undefined {
  const { draft } = work;
  if (seq > draft.snapshotSeq)
    return fault('self', 'unknownCompletion', { seq, snapshotSeq: draft.snapshotSeq });
  if (sent !== null && sent.index > draft.commitIndex) {
    const { commitIndex } = draft;
    return fault('self', 'appliedBeyondRequest', { appliedIndex: sent.index, commitIndex });
  }
  const place = leader.peers.findIndex((peer) => seq > 0 && peer.snapshotSeq === seq);
  if (place < 0) return undefined; // For a follower that has been reset since.
  const peer = edit(leader, place);
  const term = sent === null ? undefined : termAt(draft.log, sent.index);
  if (sent === null || term === undefined) {
    giveUpSnapshot(peer);
    return undefined;
  }
  const configuration = configurationAt(draft, sent.index) as ConfigurationAt;
  const snapshot = { index: sent.index, term, logTimeMs: sent.logTimeMs, configuration };
  peer.arrivedSnapshot = { transferId: sent.transferId, snapshot };
  askToInstall(work, peer);
  return undefined;
}

/** InstallSnapshot (§7): all chunks are there. Asked again with each heartbeat until it is answered. */
export function askToInstall(work: Work, peer: ProgressDraft): void {
  if (peer.arrivedSnapshot === null) return;
  const to = addressOf(peer);
  send(work, to, { type: 'installSnapshot', term: work.draft.currentTerm, ...peer.arrivedSnapshot });
}

/**
 * Gives up a follower that the log is kept for and that gets no further, so that it is not kept for ever (rule 21): one that
 * does not answer any more, or whose disk hangs. Called once in a while; `elapsedMs` is the time since. While chunks are
 * sent, their sender gives up.
 */
export function noteStandstill(peer: ProgressDraft, elapsedMs: number): void {
  const isSending = peer.state === 'snapshot' && peer.arrivedSnapshot === null;
  if (peer.snapshotFrom === index0 || isSending) {
    peer.silentMs = 0;
    return;
  }
  const isInstalling = peer.arrivedSnapshot !== null && peer.isActive;
  peer.silentMs += isInstalling ? Math.floor(elapsedMs / installFactor) : elapsedMs;
  if (peer.silentMs >= standstillMsMax) giveUpSnapshot(peer);
}

/** The log is not kept for this follower any more. Begins anew with the next heartbeat. */
function giveUpSnapshot(peer: ProgressDraft): void {
  becomeProbe(peer, after(peer.matchIndex));
  peer.isPaused = true;
  peer.snapshotFrom = index0;
}
