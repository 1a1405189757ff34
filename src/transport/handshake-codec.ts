import {
  memberIdBytesMax,
  memberIdPattern,
  nodeIdBytesMax,
  nodeIdPattern,
  opaqueIdBytesMax,
  opaqueIdPattern,
  urlBytesMax,
  urlPattern,
} from '../core/member-rules.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { type HandshakeRefusal, type Hello, type MemberAddress, protocolVersion } from './transport.ts';

/** The most members that a `Hello` or a founding may list. */
export const membersMax = 100;
/** The longest text meant for people, in bytes; encoders cut longer ones. */
export const textBytesMax = 4_096;

const transferIdBytesMax = 64;
const transferIdPattern = /^[\x21-\x7e]{1,64}$/;
const magic = 0x72_78_72_66; // "rxrf"

const refusalCodes: readonly HandshakeRefusal['code'][] = [
  'protocolVersion',
  'otherCluster',
  'otherMembers',
  'wipedStore',
  'notAMember',
  'notTheNodeDialed',
  'unauthenticated',
  'nameInUse',
];

/** A `Hello` of a version that this library does not speak: all that can be read of it. */
export interface OtherVersion {
  readonly type: 'otherVersion';
  readonly protocolVersion: number;
}

/**
 * Writes a `Hello`, behind its type byte: the magic `rxrf`, u16 protocol version, then, free to differ between
 * versions: cluster id (optional), node id, store id, u53 boot counter, u16 count of members, and for each its
 * id and URL. Every text is a u16 length and UTF-8; an optional one has a u8, 0 or 1, in front.
 *
 * A cluster may have members whose name or URL has no place here: they are left out, since a peer that can't read all of it
 * reads nothing. Declared members are as they are: who founds compares them.
 */
export function writeHello(writer: ByteWriter, hello: Hello): void {
  writer.u32(magic);
  writer.u16(hello.protocolVersion);
  writeOptional(writer, hello.clusterId);
  writer.string(hello.id);
  writer.string(hello.storeId);
  writer.u53(hello.bootCounter);
  const members = hello.clusterId === null ? hello.members : hello.members.filter(isReadable);
  writer.u16(members.length);
  for (const member of members) {
    writer.string(member.id);
    writer.string(member.url);
  }
}

function isReadable({ id, url }: MemberAddress): boolean {
  return nodeIdPattern.test(id) && url.length <= urlBytesMax && urlPattern.test(url);
}

/** Reads what {@link writeHello} wrote. */
export function readHello(reader: ByteReader): Hello | OtherVersion {
  if (reader.u32() !== magic) reader.fail('unknownType', 'this is not the handshake of an rxraft node');
  const version = reader.u16();
  if (reader.error === null && version !== protocolVersion) {
    reader.skip(); // What follows is another version's business.
    return { type: 'otherVersion', protocolVersion: version };
  }
  return {
    protocolVersion: version,
    clusterId: readOptional(reader, readOpaqueId),
    id: readNodeId(reader),
    storeId: readOpaqueId(reader),
    bootCounter: reader.u53(),
    members: readMembers(reader),
  };
}

function readMembers(reader: ByteReader): readonly MemberAddress[] {
  const count = reader.count(reader.u16(), { countMax: membersMax, itemBytesMin: 4 });
  const members: MemberAddress[] = [];
  for (let place = 0; place < count; place++) members.push({ id: readNodeId(reader), url: readUrl(reader) });
  return members;
}

/** Writes a refusal, behind its type byte: u8 code, reason. This layout is the same in every version. */
export function writeRefusal(writer: ByteWriter, refusal: HandshakeRefusal): void {
  writer.u8(refusalCodes.indexOf(refusal.code));
  writer.string(brief(refusal.reason, textBytesMax));
}

/** Reads what {@link writeRefusal} wrote. */
export function readRefusal(reader: ByteReader): HandshakeRefusal {
  const code = refusalCodes[reader.u8()];
  if (code === undefined) reader.fail('outOfRange', 'the code of a refusal is unknown');
  return { code: code ?? 'protocolVersion', reason: reader.text(textBytesMax) };
}

/** The close code of the WebSocket for a refusal, from the range that is free for applications. */
export function closeCodeOf(refusal: HandshakeRefusal): number {
  return 4_001 + refusalCodes.indexOf(refusal.code);
}

/** Reads the name of a node. */
export function readNodeId(reader: ByteReader): string {
  return reader.name(nodeIdPattern, nodeIdBytesMax);
}

/** Reads what an operator calls a member that is there already: it may have got its name before names had a rule. */
export function readMemberId(reader: ByteReader): string {
  return reader.name(memberIdPattern, memberIdBytesMax);
}

/** Reads the id of a store or a cluster: 1 to 128 printable ASCII characters. */
export function readOpaqueId(reader: ByteReader): string {
  return reader.name(opaqueIdPattern, opaqueIdBytesMax);
}

/** Reads the id of a snapshot's transfer: 1 to 64 printable ASCII characters. */
export function readTransferId(reader: ByteReader): string {
  return reader.name(transferIdPattern, transferIdBytesMax);
}

/** Reads the WebSocket URL of a member. */
export function readUrl(reader: ByteReader): string {
  return reader.name(urlPattern, urlBytesMax);
}

/** Writes a text that may be missing. */
export function writeOptional(writer: ByteWriter, value: string | null): void {
  writer.bool(value !== null);
  if (value !== null) writer.string(value);
}

/** Reads what {@link writeOptional} wrote. */
export function readOptional<Value>(reader: ByteReader, read: (reader: ByteReader) => Value): Value | null {
  return reader.bool() ? read(reader) : null;
}

/** A text for people, cut so that it surely fits into so many bytes of UTF-8. */
export function brief(text: string, bytesMax: number): string {
  return text.length * 3 <= bytesMax ? text : text.slice(0, Math.floor(bytesMax / 3));
}
