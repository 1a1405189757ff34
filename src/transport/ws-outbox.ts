import { isBulk } from './frame-codec.ts';
import { encodeFrames, frameBytes, messageOverheadBytes } from './message-codec.ts';
import type { PeerFrame } from './transport.ts';
import type { WsLimits } from './ws-options.ts';
import type { PeerSocket } from './ws-socket.ts';

/** Frames that one event-loop turn sends to one peer, until they leave together. */
export class Outbox {
  private readonly limits: WsLimits;
  private frames: PeerFrame[] = [];
  private sizes: number[] = [];
  private bytes = 0;

  constructor(limits: WsLimits) {
    this.limits = limits;
  }

  /** Bytes that wait for the end of the turn. */
  get bufferedBytes(): number {
    return this.bytes;
  }

  /** Takes a frame if there is room, counting what the socket still holds. */
  add(frame: PeerFrame, socketBytes: number): boolean {
    const size = frameBytes(frame);
    const waiting = this.bytes + socketBytes;
    const hasRoom = waiting === 0 || waiting + size <= this.roomFor(frame);
    if (!hasRoom || size + messageOverheadBytes > this.limits.frameBytesMax) return false;
    this.frames.push(frame);
    this.sizes.push(size);
    this.bytes += size;
    return true;
  }

  /** Hands everything to the socket, in as few messages as their size allows. */
  flush(socket: PeerSocket): void {
    let start = 0;
    let messageBytes = messageOverheadBytes;
    for (let place = 0; place < this.frames.length; place++) {
      const size = this.sizes[place] as number;
      if (place > start && messageBytes + size > this.limits.frameBytesMax) {
        socket.send(encodeFrames(this.frames.slice(start, place)));
        start = place;
        messageBytes = messageOverheadBytes;
      }
      messageBytes += size;
    }
    if (start < this.frames.length) {
      socket.send(encodeFrames(start === 0 ? this.frames : this.frames.slice(start)));
    }
    this.clear();
  }

  /** Forgets everything; returns how many frames that were. */
  clear(): number {
    const count = this.frames.length;
    this.frames = [];
    this.sizes = [];
    this.bytes = 0;
    return count;
  }

  private roomFor(frame: PeerFrame): number {
    const { bufferedBytesMax, headroomBytes } = this.limits;
    return isBulk(frame) ? bufferedBytesMax : bufferedBytesMax + headroomBytes;
  }
}
