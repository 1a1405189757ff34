import { isBulk, isPiece, supersedes } from './frame-codec.ts';
import { frameBytes, messageOverheadBytes } from './message-codec.ts';
import type { MessageSocket, OutgoingMessages } from './outgoing-messages.ts';
import type { PeerFrame } from './transport.ts';
import type { WsLimits } from './ws-options.ts';

/**
 * Frames that one peer is sent, until they leave together: pieces of snapshots and of results last, and
 * each in a message of its own, so that nothing else waits until a whole piece has arrived. What the next frame says
 * again is dropped.
 */
export class Outbox {
  private readonly limits: WsLimits;
  private frames: PeerFrame[] = [];
  private sizes: number[] = [];
  private pieces: PeerFrame[] = [];
  private bytes = 0;

  constructor(limits: WsLimits) {
    this.limits = limits;
  }

  /** Bytes that have not left. */
  get bufferedBytes(): number {
    return this.bytes;
  }

  /** Takes a frame if there is room, counting what the socket still holds. */
  add(frame: PeerFrame, socketBytes: number): boolean {
    const size = frameBytes(frame);
    if (size + messageOverheadBytes > this.limits.frameBytesMax) return false;
    if (!this.hasRoom(frame, { size, waiting: this.bytes + socketBytes })) return false;
    if (this.isSuperseded(frame)) this.dropLast();
    this.bytes += size;
    if (isPiece(frame)) this.pieces.push(frame);
    else {
      this.frames.push(frame);
      this.sizes.push(size);
    }
    return true;
  }

  /** Hands everything to the socket, in as few messages as their size allows. */
  flush(socket: MessageSocket, messages: OutgoingMessages): void {
    const { frames, sizes } = this;
    let start = 0;
    let messageBytes = messageOverheadBytes;
    for (let place = 0; place < frames.length; place++) {
      const size = sizes[place] as number;
      if (place > start && messageBytes + size > this.limits.frameBytesMax) {
        messages.send(socket, frames.slice(start, place), sizes.slice(start, place));
        start = place;
        messageBytes = messageOverheadBytes;
      }
      messageBytes += size;
    }
    if (start > 0) messages.send(socket, frames.slice(start), sizes.slice(start));
    else if (frames.length > 0) messages.send(socket, frames, sizes);
    for (const piece of this.pieces) messages.send(socket, [piece], [frameBytes(piece)]);
    this.clear();
  }

  /** Forgets everything; returns how many frames that were, pieces apart. */
  clear(): number {
    const count = this.frames.length;
    this.frames = [];
    this.sizes = [];
    this.pieces = [];
    this.bytes = 0;
    return count;
  }

  private isSuperseded(frame: PeerFrame): boolean {
    const last = this.frames.at(-1);
    return last !== undefined && supersedes(frame, last);
  }

  private dropLast(): void {
    this.frames.pop();
    this.bytes -= this.sizes.pop() as number;
  }

  private hasRoom(frame: PeerFrame, { size, waiting }: { size: number; waiting: number }): boolean {
    const { bufferedBytesMax, headroomBytes, snapshotBufferedBytesMax } = this.limits;
    // Never more than fits: a piece too large must not leave heartbeats without room.
    if (isPiece(frame)) return waiting < snapshotBufferedBytesMax && waiting + size <= bufferedBytesMax;
    const room = isBulk(frame) ? bufferedBytesMax : bufferedBytesMax + headroomBytes;
    return waiting === 0 || waiting + size <= room;
  }
}
