import { ByteReader, type FrameError } from '../byte-reader.ts';
import { type ByteWriter, encodeWith } from '../byte-writer.ts';
import {
  brief,
  type OtherVersion,
  readNodeId,
  readOpaqueId,
  readOptional,
  readUrl,
  textBytesMax,
  writeOptional,
} from '../handshake-codec.ts';
import { readClientFrame, writeClientFrame } from './frame-codec.ts';
import {
  type ClientFrame,
  type ClientHello,
  type ClientRefusal,
  clientProtocolVersion,
  type Welcome,
} from './protocol.ts';

/** What one WebSocket message between client and server holds. */
export type ClientMessage =
  /** The client's first message. */
  | { readonly type: 'hello'; readonly hello: ClientHello }
  /** The server's first message, unless it is a refusal. */
  | { readonly type: 'welcome'; readonly welcome: Welcome }
  | { readonly type: 'refusal'; readonly refusal: ClientRefusal }
  /** What one end had to say in one event-loop turn. */
  | { readonly type: 'frames'; readonly frames: readonly ClientFrame[] };

/** The first byte of a message. Other ones than the peers', so that neither is taken for the other. */
const messageType = { hello: 129, welcome: 130, refusal: 131, frames: 144 } as const;

const magic = 0x72_78_72_63; // "rxrc"

const refusalCodes: readonly ClientRefusal['code'][] = ['protocolVersion', 'noSuchGroup'];

/** Bytes that a message of one frame has besides that frame. */
export const frameOverheadBytes = 5;

/** The byte form of a message: u8 type, then hello's fields, or frame behind frame, each with its u32 length in front. */
export function encodeClientMessage(message: ClientMessage): Uint8Array {
  return encodeWith((writer) => writeMessage(writer, message));
}

function writeMessage(writer: ByteWriter, message: ClientMessage): void {
  writer.u8(messageType[message.type]);
  switch (message.type) {
    case 'hello':
      return writeHead(writer, message.hello);
    case 'welcome':
      return writeWelcome(writer, message.welcome);
    case 'refusal':
      writer.u8(refusalCodes.indexOf(message.refusal.code));
      return writer.string(brief(message.refusal.reason, textBytesMax));
    case 'frames':
      for (const frame of message.frames) {
        const start = writer.beginLength();
        writeClientFrame(writer, frame);
        writer.endLength(start);
      }
  }
}

/** Magic and version stay where they are in every version; what follows them need not. */
function writeHead(writer: ByteWriter, { protocolVersion, group }: ClientHello): void {
  writer.u32(magic);
  writer.u16(protocolVersion);
  writer.u32(group);
}

function writeWelcome(writer: ByteWriter, welcome: Welcome): void {
  writeHead(writer, welcome);
  writer.string(welcome.nodeId);
  writeOptional(writer, welcome.clusterId);
  writeOptional(writer, welcome.leaderId);
  writeOptional(writer, welcome.leaderUrl);
  writer.bool(welcome.hasSessions);
  writer.u32(welcome.frameBytesMax);
  writer.u32(welcome.requestsMax);
}

/**
 * Reads a message from bytes that nobody vouches for: a value or an error, never an exception, in time and memory in
 * proportion to the bytes. One bad frame spoils its message. Views in the result share `bytes`.
 */
export function decodeClientMessage(bytes: Uint8Array): ClientMessage | OtherVersion | FrameError {
  const reader = new ByteReader(bytes);
  const message = readMessage(reader);
  reader.expectEnd();
  return reader.error ?? (message as ClientMessage | OtherVersion);
}

function readMessage(reader: ByteReader): ClientMessage | OtherVersion | undefined {
  const type = reader.u8();
  switch (type) {
    case messageType.hello: {
      const head = readHead(reader);
      return 'type' in head ? head : { type: 'hello', hello: head };
    }
    case messageType.welcome: {
      const head = readHead(reader);
      return 'type' in head ? head : { type: 'welcome', welcome: readWelcome(reader, head) };
    }
    case messageType.refusal:
      return { type: 'refusal', refusal: readRefusal(reader) };
    case messageType.frames:
      return { type: 'frames', frames: readFrames(reader) };
    default:
      reader.fail('unknownType', `messages of type ${type} are unknown`);
      return undefined;
  }
}

function readHead(reader: ByteReader): ClientHello | OtherVersion {
  if (reader.u32() !== magic) reader.fail('unknownType', 'this is no client or server of rxraft');
  const version = reader.u16();
  if (reader.error === null && version !== clientProtocolVersion) {
    reader.skip(); // What follows is another version's business.
    return { type: 'otherVersion', protocolVersion: version };
  }
  return { protocolVersion: version, group: reader.u32() };
}

function readWelcome(reader: ByteReader, head: ClientHello): Welcome {
  return {
    ...head,
    nodeId: readNodeId(reader),
    clusterId: readOptional(reader, readOpaqueId),
    leaderId: readOptional(reader, readNodeId),
    leaderUrl: readOptional(reader, readUrl),
    hasSessions: reader.bool(),
    frameBytesMax: reader.u32(),
    requestsMax: reader.u32(),
  };
}

function readRefusal(reader: ByteReader): ClientRefusal {
  const code = refusalCodes[reader.u8()];
  if (code === undefined) reader.fail('outOfRange', 'the code of a refusal is unknown');
  return { code: code ?? 'protocolVersion', reason: reader.text(textBytesMax) };
}

function readFrames(reader: ByteReader): readonly ClientFrame[] {
  const frames: ClientFrame[] = [];
  do {
    const length = reader.u32();
    const frame = reader.within(length, () => readClientFrame(reader));
    if (frame === undefined) return [];
    frames.push(frame);
  } while (reader.remaining > 0);
  return frames;
}
