import { unreachable } from '../core/index.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { frameType } from './frame-type.ts';
import { brief, readNodeId, readOptional, textBytesMax, writeOptional } from './handshake-codec.ts';
import { type ForwardReplyFrame, resultsBytesMax } from './transport.ts';

/** The most results that one `forwardReply` with all of them may carry. */
export const resultsMax = 262_144;

const codeBytesMax = 256;

const replyTypes = {
  committed: frameType.replyCommitted,
  results: frameType.replyResults,
  readIndex: frameType.replyReadIndex,
  done: frameType.replyDone,
  notCommitted: frameType.replyNotCommitted,
  unknown: frameType.replyUnknown,
} as const;

/** Writes the leader's answer to a request that was passed on to it. */
export function writeForwardReply(
  writer: ByteWriter,
  { group, bootCounter, seq, reply }: ForwardReplyFrame,
): void {
  writer.u8(replyTypes[reply.type]);
  writer.u32(group);
  writer.u53(bootCounter);
  writer.u53(seq);
  switch (reply.type) {
    case 'committed':
      writer.u53(reply.index);
      writer.u53(reply.term);
      writer.u32(reply.results.length);
      for (const result of reply.results) writer.bytes(result);
      return;
    case 'results':
      writer.u53(reply.index);
      writer.u53(reply.term);
      writer.u32(reply.totalBytes);
      writer.u32(reply.offset);
      return writer.bytes(reply.bytes);
    case 'readIndex':
      return writer.u53(reply.index);
    case 'done':
      return;
    case 'notCommitted':
      writeError(writer, reply);
      return writeOptional(writer, reply.leaderId);
    case 'unknown':
      return writeError(writer, reply);
    default:
      return unreachable(reply);
  }
}

function writeError(writer: ByteWriter, { code, message }: { code: string; message: string }): void {
  writer.string(brief(code, codeBytesMax));
  writer.string(brief(message, textBytesMax));
}

/** Reads what {@link writeForwardReply} wrote, behind its type. */
export function readForwardReply(reader: ByteReader, type: number): ForwardReplyFrame {
  const group = reader.u32();
  const bootCounter = reader.u53();
  const seq = reader.u53();
  return { type: 'forwardReply', group, bootCounter, seq, reply: readReply(reader, type) };
}

function readReply(reader: ByteReader, type: number): ForwardReplyFrame['reply'] {
  switch (type) {
    case frameType.replyCommitted:
      return { type: 'committed', index: reader.u53(), term: reader.u53(), results: readResults(reader) };
    case frameType.replyResults:
      return readPart(reader);
    case frameType.replyReadIndex:
      return { type: 'readIndex', index: reader.u53() };
    case frameType.replyDone:
      return { type: 'done' };
    case frameType.replyNotCommitted:
      return { type: 'notCommitted', ...readError(reader), leaderId: readOptional(reader, readNodeId) };
    default:
      return { type: 'unknown', ...readError(reader) };
  }
}

function readPart(reader: ByteReader): Extract<ForwardReplyFrame['reply'], { type: 'results' }> {
  const [index, term] = [reader.u53(), reader.u53()];
  const [totalBytes, offset] = [reader.u32(), reader.u32()];
  const bytes = detached(reader.bytes());
  const end = offset + bytes.length;
  if (totalBytes > resultsBytesMax)
    reader.fail('tooMany', `results of ${totalBytes} bytes are over ${resultsBytesMax}`);
  if (end > totalBytes) reader.fail('outOfRange', `${end} bytes of results are more than ${totalBytes}`);
  return { type: 'results', index, term, totalBytes, offset, bytes };
}

/** Results share one array, apart from the socket's buffer. */
function readResults(reader: ByteReader): readonly Uint8Array[] {
  const count = reader.count(reader.u32(), { countMax: resultsMax, itemBytesMin: 4 });
  const results: Uint8Array[] = [];
  for (let place = 0; place < count; place++) results.push(reader.bytes());
  return reader.error === null ? apart(results) : [];
}

/** Copies views that follow each other in a larger buffer into one array of their own. */
function apart(views: readonly Uint8Array[]): readonly Uint8Array[] {
  let length = 0;
  for (const view of views) length += view.byteLength;
  const pinnedBytes = views[0]?.buffer.byteLength ?? 0;
  if (length * 2 >= pinnedBytes) return views;
  const bytes = new Uint8Array(length);
  let at = 0;
  return views.map((view) => {
    const start = at;
    bytes.set(view, start);
    at += view.byteLength;
    return bytes.subarray(start, at);
  });
}

function readError(reader: ByteReader): { code: string; message: string } {
  return { code: reader.text(codeBytesMax), message: reader.text(textBytesMax) };
}
