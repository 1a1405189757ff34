import { type Crc32, crc32 } from '../core/index.ts';
import { ByteReader, type FrameError } from './byte-reader.ts';
import { type ByteSink, countWith, encodeInto, encodeWith } from './byte-writer.ts';
import { readFrame, writeFrame } from './frame-codec.ts';
import { type OtherVersion, readHello, readRefusal, writeHello, writeRefusal } from './handshake-codec.ts';
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
  return encodeWith((sink) => writeMessage(sink, message));
}

/** Frames that leave together, as one message. */
export function encodeFrames(frames: readonly PeerFrame[]): Uint8Array {
  return encodePeerMessage({ type: 'frames', frames });
}

/**
 * The same, written to the beginning of `target`, which must have room for it; returns the part that was written.
 *
 * @param sizes - {@link frameBytes} of each.
 */
export function encodeFramesInto(
  target: Uint8Array,
  frames: readonly PeerFrame[],
  sizes: readonly number[],
): Uint8Array {
  return encodeInto(target, (sink) => writeFrames(sink, frames, sizes));
}

/** The bytes that a frame adds to a message. Cheap: the bytes of batches are known. */
export function frameBytes(frame: PeerFrame): number {
  return frameLengthBytes + countWith((sink) => writeFrame(sink, frame));
}

function writeMessage(sink: ByteSink, message: PeerMessage): void {
  if (message.type === 'frames') return writeFrames(sink, message.frames, message.frames.map(frameBytes));
  sink.u8(messageType[message.type]);
  if (message.type === 'hello') writeHello(sink, message.hello);
  else if (message.type === 'refusal') writeRefusal(sink, message.refusal);
}

function writeFrames(sink: ByteSink, frames: readonly PeerFrame[], sizes: readonly number[]): void {
  sink.u8(messageType.frames);
  for (let place = 0; place < frames.length; place++) {
    sink.u32((sizes[place] as number) - frameLengthBytes);
    writeFrame(sink, frames[place] as PeerFrame);
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
