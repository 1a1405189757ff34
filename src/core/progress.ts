import type { Member } from './configuration.ts';
import type { SnapshotMeta } from './message.ts';
import { appended, dropped } from './shared-list.ts';
import { after, type Index, index0, type Peer, type Seq } from './types.ts';

/** Bytes that were sent and not acknowledged, up to an index. */
export interface Inflight {
  readonly lastIndex: Index;
  readonly bytes: number;
}

/** What the leader knows of one follower (§5.3, Figure 2). */
export interface Progress extends Peer {
  /**
   * `probe`: looking for the place where the logs agree, one message at a time. `replicate`: entries are
   * sent as they come, ahead of the acknowledgements. `snapshot`: it needs what the log no longer holds, and
   * gets heartbeats only.
   */
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** Known to be durable on the follower, and the same as here. */
  readonly matchIndex: Index;
  /** The next entry to send. */
  readonly nextIndex: Index;
  /** A probe is under way; the next one waits for its answer, or for the next heartbeat. */
  readonly isPaused: boolean;
  /** It has answered this leader, in this term, since CheckQuorum last looked; whether entries fitted or not. */
  readonly isActive: boolean;
  /** It had answered when CheckQuorum last looked. */
  readonly wasActive: boolean;
  /** The transport has a connection with it. */
  readonly isConnected: boolean;
  /** The highest commit index that it was told. */
  readonly sentCommit: Index;
  /** The highest round that it has answered (thesis §6.4). */
  readonly round: number;
  /** The `readLogReq` under way for it; 0 if none. */
  readonly readSeq: Seq;
  /** In the order sent. */
  readonly inflight: readonly Inflight[];
  readonly inflightBytes: number;
  /** The `sendSnapshotReq` under way for it; 0 if none. */
  readonly snapshotSeq: Seq;
  /** The log after this index is kept for it, while it gets a snapshot and until it has caught up; 0 if none is. */
  readonly snapshotFrom: Index;
  /** A snapshot that is whole on its disk, and that it has not said it has installed. */
  readonly arrivedSnapshot: { readonly transferId: string; readonly snapshot: SnapshotMeta } | null;
  /** For how long it has got no further while the log is kept for it, in milliseconds. A tenth of the time in which it answers and installs. */
  readonly silentMs: number;
}

/** A progress that its owner may change. */
export type ProgressDraft = { -readonly [K in keyof Progress]: Progress[K] };

/** More in-flight messages than this are counted together, so that the list stays short. */
const inflightItemsMax = 64;

/** What a new leader assumes of a follower (§5.3: nextIndex is the leader's last index + 1). */
export function newProgress(
  member: Member,
  { lastIndex, isConnected }: { readonly lastIndex: Index; readonly isConnected: boolean },
): Progress {
  return {
    id: member.id,
    storeId: member.storeId,
    state: 'probe',
    matchIndex: index0,
    nextIndex: after(lastIndex),
    isPaused: false,
    isActive: false,
    wasActive: false,
    isConnected,
    sentCommit: index0,
    round: 0,
    readSeq: 0,
    inflight: [],
    inflightBytes: 0,
    snapshotSeq: 0,
    snapshotFrom: index0,
    arrivedSnapshot: null,
    silentMs: 0,
  };
}

/** A copy to change. */
export function copyProgress(progress: Progress): ProgressDraft {
  return {
    id: progress.id,
    storeId: progress.storeId,
    state: progress.state,
    matchIndex: progress.matchIndex,
    nextIndex: progress.nextIndex,
    isPaused: progress.isPaused,
    isActive: progress.isActive,
    wasActive: progress.wasActive,
    isConnected: progress.isConnected,
    sentCommit: progress.sentCommit,
    round: progress.round,
    readSeq: progress.readSeq,
    inflight: progress.inflight,
    inflightBytes: progress.inflightBytes,
    snapshotSeq: progress.snapshotSeq,
    snapshotFrom: progress.snapshotFrom,
    arrivedSnapshot: progress.arrivedSnapshot,
    silentMs: progress.silentMs,
  };
}

/** Looks for the place of agreement from here on; what was in flight is taken for lost. */
export function becomeProbe(progress: ProgressDraft, nextIndex: Index): void {
  progress.state = 'probe';
  progress.nextIndex = nextIndex;
  progress.isPaused = false;
  progress.readSeq = 0; // Its answer comes too late to be of use.
  progress.inflight = [];
  progress.inflightBytes = 0;
  progress.snapshotSeq = 0;
  progress.arrivedSnapshot = null;
}

/** Notes that bytes up to `lastIndex` are on their way. */
export function noteSent(progress: ProgressDraft, lastIndex: Index, bytes: number): void {
  const { inflight } = progress;
  const newest = inflight.at(-1);
  progress.inflight =
    newest !== undefined && inflight.length >= inflightItemsMax
      ? inflight.with(-1, { lastIndex, bytes: newest.bytes + bytes })
      : appended(inflight, { lastIndex, bytes });
  progress.inflightBytes += bytes;
  progress.nextIndex = after(lastIndex);
}

/** Notes that everything through `matchIndex` has arrived. */
export function noteArrived(progress: ProgressDraft, matchIndex: Index): void {
  const { inflight } = progress;
  let arrived = 0;
  for (; arrived < inflight.length; arrived++) {
    const { lastIndex, bytes } = inflight[arrived] as Inflight;
    if (lastIndex > matchIndex) break;
    progress.inflightBytes -= bytes;
  }
  progress.inflight = dropped(inflight, arrived);
}
