import { frameBytes, isPiece, messageOverheadBytes, type PeerFrame } from 'rxraft/transport';
import type { LinkLimits } from './link-host.ts';
import type { ResendWindow } from './resend-window.ts';

/** Frames that leave in one message, and the bytes of it. */
export interface FrameGroup {
  readonly frames: readonly PeerFrame[];
  readonly bytes: number;
}

/** Frames that one event-loop turn sends to one peer, until they leave together. */
export class FrameOutbox {
  readonly #limits: LinkLimits;
  #waiting: { readonly frame: PeerFrame; readonly bytes: number }[] = [];
  #bytes = 0;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a frame if there is room, counting what has left and is not acknowledged. */
  add(frame: PeerFrame, unacked: ResendWindow): boolean {
    const bytes = frameBytes(frame);
    if (!this.#hasRoom(frame, bytes, unacked)) return false;
    this.#waiting.push({ frame, bytes });
    this.#bytes += bytes;
    return true;
  }

  /** Entries go without room first, since Raft sends them again; and pieces of snapshots and of results before those. */
  #hasRoom(frame: PeerFrame, bytes: number, unacked: ResendWindow): boolean {
    const { frameBytesMax, unackedBytesMax, headroomBytes, snapshotBytesMax, windowMax } = this.#limits;
    if (bytes + messageOverheadBytes > frameBytesMax) return false;
    const waiting = unacked.bytes + this.#bytes;
    const isBulk =
      frame.type === 'raft' && frame.message.type === 'appendEntries' && frame.message.batches.length > 0;
    if (unacked.count >= (isBulk ? windowMax / 2 : windowMax)) return false;
    if (isPiece(frame)) return waiting < snapshotBytesMax && waiting + bytes <= unackedBytesMax;
    return waiting === 0 || waiting + bytes <= unackedBytesMax + (isBulk ? 0 : headroomBytes);
  }

  /** Everything, in as few messages as their size allows. */
  take(): readonly FrameGroup[] {
    const groups: { frames: PeerFrame[]; bytes: number }[] = [];
    for (const { frame, bytes } of this.#waiting) {
      const last = groups.at(-1);
      if (last === undefined || last.bytes + bytes > this.#limits.frameBytesMax) {
        groups.push({ frames: [frame], bytes: messageOverheadBytes + bytes });
      } else {
        last.frames.push(frame);
        last.bytes += bytes;
      }
    }
    this.#waiting = [];
    this.#bytes = 0;
    return groups;
  }

  /** Forgets everything; returns how many frames that were, pieces apart. */
  clear(): number {
    const dropped = this.#waiting.filter(({ frame }) => !isPiece(frame)).length;
    this.#waiting = [];
    this.#bytes = 0;
    return dropped;
  }
}
