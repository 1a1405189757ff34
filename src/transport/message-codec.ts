import { type Crc32, crc32 } from '../core/index.ts';
import { ByteReader, type FrameError } from './byte-reader.ts';
import { type ByteWriter, countWith, encodeInto, encodeWith } from './byte-writer.ts';
import { readFrame, writeFrame } from './frame-codec.ts';
import { type OtherVersion, readHello, readRefusal, writeHello, writeRefusal } from './handshake-codec.ts';
import { raftBytes } from './raft-codec.ts';
import type { HandshakeRefusal, Hello, PeerFrame } from './transport.ts';

/** What one WebSocket message holds: a step of the handshake, or the frames of one event-loop turn. */
export type PeerMessage =
  | { readonly type: 'hello'; readonly hello: Hello }
  /** The dialer has admitted the acceptor: frames follow. */
  | { readonly type: 'ready' }
  | { readonly type: 'refusal'; readonly refusal: HandshakeRefusal }
  | { readonly type: 'frames'; readonly frames: readonly PeerFrame[] };

/** The first byte of a message. Those of the handshake are the same in every version of the protocol. */
const messageType = { hello: 1, ready: 2, refusal: 3, frames: 16 } as const;

/** Bytes of the length in front of a frame. */
const frameLengthBytes = 4;

/** Bytes that a message of frames has besides the frames. */
export const messageOverheadBytes = 1;

/**
 * The byte form of a message: u8 type, and then the handshake's fields, or frame behind frame, each with
 * its u32 length in front.
 */
export function encodePeerMessage(message: PeerMessage): Uint8Array {
  return encodeWith((writer) => writeMessage(writer, message));
}

/** Frames that leave together, as one message. */
export function encodeFrames(frames: readonly PeerFrame[]): Uint8Array {
  return encodePeerMessage({ type: 'frames', frames });
}

/** The same, written to the beginning of `target`; returns what was written. */
export function encodeFramesInto(target: Uint8Array, frames: readonly PeerFrame[]): Uint8Array {
  return encodeInto(target, (writer) => writeFrames(writer, frames));
}

/** The bytes that a frame adds to a message. */
export function frameBytes(frame: PeerFrame): number {
  const bytes = frame.type === 'raft' ? raftBytes(frame) : null;
  return frameLengthBytes + (bytes ?? countWith((writer) => writeFrame(writer, frame)));
}

function writeMessage(writer: ByteWriter, message: PeerMessage): void {
  if (message.type === 'frames') return writeFrames(writer, message.frames);
  writer.u8(messageType[message.type]);
  if (message.type === 'hello') writeHello(writer, message.hello);
  else if (message.type === 'refusal') writeRefusal(writer, message.refusal);
}

function writeFrames(writer: ByteWriter, frames: readonly PeerFrame[]): void {
  writer.u8(messageType.frames);
  for (const frame of frames) {
    const start = writer.beginLength();
    writeFrame(writer, frame);
    writer.endLength(start);
  }
}

/**
 * Reads a message from bytes that nobody vouches for: a value or an error, never an exception, in time and
 * memory in proportion to the bytes. One bad frame spoils its message.
 * Views in the result share `bytes` unless that would pin a much larger buffer (see `detached`), so `bytes`
 * must not change afterwards.
 *
 * @param checksum - a faster CRC-32 for payloads, such as the one of `node:zlib`.
 */
export function decodePeerMessage(
  bytes: Uint8Array,
  checksum: Crc32 = crc32,
): PeerMessage | OtherVersion | FrameError {
  const reader = new ByteReader(bytes);
  const message = readMessage(reader, checksum);
  reader.expectEnd();
  return reader.error ?? (message as PeerMessage | OtherVersion);
}

function readMessage(reader: ByteReader, checksum: Crc32): PeerMessage | OtherVersion | undefined {
  const type = reader.u8();
  switch (type) {
    case messageType.hello: {
      const hello = readHello(reader);
      return 'type' in hello ? hello : { type: 'hello', hello };
    }
    case messageType.ready:
      return { type: 'ready' };
    case messageType.refusal:
      return { type: 'refusal', refusal: readRefusal(reader) };
    case messageType.frames:
      return { type: 'frames', frames: readFrames(reader, checksum) };
    default:
      reader.fail('unknownType', `messages of type ${type} are unknown`);
      return undefined;
  }
}

function readFrames(reader: ByteReader, checksum: Crc32): readonly PeerFrame[] {
  const frames: PeerFrame[] = [];
  do {
    const length = reader.u32();
    const frame = reader.within(length, () => readFrame(reader, checksum));
    if (frame === undefined) return [];
    frames.push(frame);
  } while (reader.remaining > 0);
  return frames;
}
