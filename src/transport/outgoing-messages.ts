import { MessageBuffers } from './message-buffers.ts';
import { encodeFramesInto, messageOverheadBytes } from './message-codec.ts';
import type { PeerFrame } from './transport.ts';

/**
 * Where a message goes. `onSent` is called once nobody reads the bytes any more: the operating system has them, or the
 * connection is gone. Where sending fails it may never be called.
 */
export interface MessageSocket {
  send(bytes: Uint8Array, onSent: () => void): void;
}

/** A message, and how many sockets, and this flush, still need its bytes. What it says is not kept: a slow peer would pin it. */
interface Message {
  readonly buffer: Uint8Array;
  readonly bytes: Uint8Array;
  users: number;
}

/**
 * Messages on their way to peers. What a leader tells one follower it mostly tells the others in the same flush: its bytes
 * are made once. A buffer of which nobody says that it has left is not used again (docs/decisions/0028).
 */
export class OutgoingMessages {
  private readonly buffers = new MessageBuffers();
  /** The last one of this flush: of several to one peer, only the last is compared with the next peer's. */
  private last: { readonly frames: readonly PeerFrame[]; readonly message: Message } | null = null;

  /** Sends frames as one message. `sizes` are the bytes that each adds to it. */
  send(socket: MessageSocket, frames: readonly PeerFrame[], sizes: readonly number[]): void {
    const message = this.messageOf(frames, sizes);
    message.users += 1;
    socket.send(message.bytes, () => this.release(message));
  }

  /** What is sent from now on is compared with nothing that was sent before. */
  endFlush(): void {
    const { last } = this;
    this.last = null;
    if (last !== null) this.release(last.message);
  }

  private messageOf(frames: readonly PeerFrame[], sizes: readonly number[]): Message {
    if (this.last !== null && areSame(this.last.frames, frames)) return this.last.message;
    this.endFlush();
    let length = messageOverheadBytes;
    for (const size of sizes) length += size;
    const buffer = this.buffers.take(length);
    const message = { buffer, bytes: encodeFramesInto(buffer, frames), users: 1 };
    this.last = { frames, message };
    return message;
  }

  private release(message: Message): void {
    message.users -= 1;
    if (message.users === 0) this.buffers.give(message.buffer);
  }
}

function areSame(some: readonly PeerFrame[], others: readonly PeerFrame[]): boolean {
  return some.length === others.length && some.every((frame, place) => isSame(frame, others[place]));
}

/** Whether the bytes of two frames are the same, as far as that is told at a glance: a leader's word to its followers. */
function isSame(frame: PeerFrame, other: PeerFrame | undefined): boolean {
  if (frame === other) return true;
  if (frame.type !== 'raft' || other?.type !== 'raft' || frame.group !== other.group) return false;
  const [one, two] = [frame.message, other.message];
  return (
    one.type === 'appendEntries' &&
    two.type === 'appendEntries' &&
    one.term === two.term &&
    one.prevLogIndex === two.prevLogIndex &&
    one.prevLogTerm === two.prevLogTerm &&
    one.leaderCommit === two.leaderCommit &&
    one.round === two.round &&
    one.isReplyDue === two.isReplyDue &&
    one.batches.length === two.batches.length &&
    one.batches.every((batch, place) => batch === two.batches[place])
  );
}
