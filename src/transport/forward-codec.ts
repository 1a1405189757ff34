import { type Crc32, isPayload, type Member, type MemberChange, unreachable } from '../core/index.ts';
import { memberChangesMax } from '../core/member-rules.ts';
import { type ByteReader, detached } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { frameType } from './frame-type.ts';
import {
  readMemberId,
  readNodeId,
  readOpaqueId,
  readOptional,
  readUrl,
  writeOptional,
} from './handshake-codec.ts';
import type { ForwardFrame } from './transport.ts';

type Request = ForwardFrame['request'];

const requestTypes = {
  write: frameType.forwardWrite,
  readIndex: frameType.forwardReadIndex,
  changeMembers: frameType.forwardChangeMembers,
  transferLeadership: frameType.forwardTransferLeadership,
} as const;

const changeTypes = { add: 0, remove: 1, promote: 2, demote: 3, move: 4 } as const;

/** Writes a request that goes to the leader. */
export function writeForward(writer: ByteWriter, { group, seq, request }: ForwardFrame): void {
  writer.u8(requestTypes[request.type]);
  writer.u32(group);
  writer.u53(seq);
  writer.u32(wholeMs(request.timeoutMs));
  switch (request.type) {
    case 'write':
      writer.u32(request.count);
      writer.u32(request.payloadChecksum);
      return writer.bytes(request.payload);
    case 'readIndex':
      return;
    case 'changeMembers':
      writer.bool(request.expectedIndex !== null);
      if (request.expectedIndex !== null) writer.u53(request.expectedIndex);
      writer.u16(request.changes.length);
      for (const change of request.changes) writeChange(writer, change);
      return;
    case 'transferLeadership':
      return writeOptional(writer, request.to);
    default:
      return unreachable(request);
  }
}

/** A new member's `willVote` is not sent: the role says it. */
function writeChange(writer: ByteWriter, change: MemberChange): void {
  writer.u8(changeTypes[change.type]);
  switch (change.type) {
    case 'add':
      writer.bool(change.role === 'voter');
      writer.string(change.member.id);
      writer.string(change.member.storeId);
      return writer.string(change.member.url);
    case 'remove':
    case 'promote':
    case 'demote':
      return writer.string(change.id);
    case 'move':
      writer.string(change.id);
      return writer.string(change.url);
    default:
      return unreachable(change);
  }
}

/** A duration as a u32: rounded up, at most 49 days. */
function wholeMs(durationMs: number): number {
  return Math.min(0xffff_ffff, Math.max(0, Math.ceil(durationMs)));
}

/** Reads what {@link writeForward} wrote, behind its type. */
export function readForward(
  reader: ByteReader,
  { type, checksum }: { type: number; checksum: Crc32 },
): ForwardFrame | undefined {
  const group = reader.u32();
  const seq = reader.u53();
  const timeoutMs = reader.u32();
  const request = readRequest(reader, { type, timeoutMs, checksum });
  return request === undefined ? undefined : { type: 'forward', group, seq, request };
}

function readRequest(
  reader: ByteReader,
  { type, timeoutMs, checksum }: { type: number; timeoutMs: number; checksum: Crc32 },
): Request | undefined {
  switch (type) {
    case frameType.forwardWrite:
      return readWrite(reader, { timeoutMs, checksum });
    case frameType.forwardReadIndex:
      return { type: 'readIndex', timeoutMs };
    case frameType.forwardChangeMembers: {
      const expectedIndex = reader.bool() ? reader.u53() : null;
      return { type: 'changeMembers', changes: readChanges(reader), expectedIndex, timeoutMs };
    }
    default:
      return { type: 'transferLeadership', to: readOptional(reader, readMemberId), timeoutMs };
  }
}

function readWrite(
  reader: ByteReader,
  { timeoutMs, checksum }: { timeoutMs: number; checksum: Crc32 },
): Request | undefined {
  const count = reader.u32();
  const payloadChecksum = reader.u32();
  const payload = detached(reader.bytes());
  if (reader.error !== null) return undefined;
  const isSound = count >= 1 && checksum(payload) === payloadChecksum && isPayload(payload, count);
  if (!isSound)
    reader.fail('badPayload', `${payload.byteLength} bytes are not ${count} commands with that checksum`);
  return { type: 'write', payload, payloadChecksum, count, timeoutMs };
}

function readChanges(reader: ByteReader): readonly MemberChange[] {
  const count = reader.count(reader.u16(), { countMax: memberChangesMax, itemBytesMin: 3 });
  if (count === 0) reader.fail('outOfRange', 'a change of members changes nothing');
  const changes: MemberChange[] = [];
  while (changes.length < count && reader.error === null) changes.push(readChange(reader));
  return changes;
}

function readChange(reader: ByteReader): MemberChange {
  const type = reader.u8();
  switch (type) {
    case changeTypes.add: {
      const role = reader.bool() ? 'voter' : 'learner';
      return { type: 'add', member: readMember(reader), role };
    }
    case changeTypes.remove:
      return { type: 'remove', id: readMemberId(reader) };
    case changeTypes.promote:
      return { type: 'promote', id: readMemberId(reader) };
    case changeTypes.demote:
      return { type: 'demote', id: readMemberId(reader) };
    case changeTypes.move:
      return { type: 'move', id: readMemberId(reader), url: readUrl(reader) };
    default:
      reader.fail('outOfRange', `a change of members is of type ${type}`);
      return { type: 'remove', id: '' };
  }
}

function readMember(reader: ByteReader): Member {
  return { id: readNodeId(reader), storeId: readOpaqueId(reader), url: readUrl(reader) };
}
