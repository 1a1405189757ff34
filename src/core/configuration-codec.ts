import { putUint32 } from './big-endian.ts';
import { type Configuration, hasNoTwins, type Member } from './configuration.ts';

/*
 * The payload of a configuration entry: one length-prefixed entry, which holds
 *
 * | field | bytes |
 * |---|---|
 * | version, 1 | u8 |
 * | voters, outgoing voters, learners | three lists |
 *
 * A list is a u16 count and as many members; a member is a u8 of flags (1: will vote), then name, store and
 * URL, each a u16 length and as many ASCII bytes. Integers are big-endian.
 */
const version = 1;
const willVoteFlag = 1;
const membersMax = 1024;
const textBytesMax = 512;
const printable = /^[\x21-\x7e]*$/;

/** Whether a member's name, store and URL can be encoded: printable ASCII, at most 512 bytes each. */
export function isEncodable({ id, storeId, url }: Member): boolean {
  return [id, storeId, url].every(
    (text) => typeof text === 'string' && text.length <= textBytesMax && printable.test(text),
  );
}

/** The payload of a configuration entry. Every member's name, store and URL are printable ASCII of at most 512 bytes. */
export function encodeConfiguration({ voters, votersOutgoing, learners }: Configuration): Uint8Array {
  const bytes: number[] = [0, 0, 0, 0, version];
  for (const members of [voters, votersOutgoing, learners]) {
    pushU16(bytes, members.length);
    for (const member of members) pushMember(bytes, member);
  }
  const payload = Uint8Array.from(bytes);
  putUint32(payload, 0, payload.byteLength - 4);
  return payload;
}

function pushMember(bytes: number[], { id, storeId, url, willVote }: Member): void {
  bytes.push(willVote === true ? willVoteFlag : 0);
  for (const text of [id, storeId, url]) {
    pushU16(bytes, text.length);
    for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
  }
}

function pushU16(bytes: number[], value: number): void {
  bytes.push(value >>> 8, value & 0xff);
}

/** The configuration in a payload; `undefined` if there is none. Bounded by the payload in time and memory. */
export function decodeConfiguration(payload: Uint8Array): Configuration | undefined {
  const cursor: Cursor = { payload, at: 4, isSound: payload.byteLength > 4 && payload[4] === version };
  cursor.at = 5;
  const voters = readMembers(cursor);
  const votersOutgoing = readMembers(cursor);
  const learners = readMembers(cursor);
  const configuration = { voters, votersOutgoing, learners };
  const isWhole = cursor.isSound && cursor.at === payload.byteLength && voters.length > 0;
  return isWhole && hasNoTwins(configuration) ? configuration : undefined;
}

interface Cursor {
  readonly payload: Uint8Array;
  at: number;
  isSound: boolean;
}

function readMembers(cursor: Cursor): readonly Member[] {
  const count = readU16(cursor);
  if (count > membersMax) cursor.isSound = false;
  const members: Member[] = [];
  while (cursor.isSound && members.length < count) members.push(readMember(cursor));
  return members;
}

function readMember(cursor: Cursor): Member {
  const flags = readByte(cursor);
  const member = { id: readText(cursor), storeId: readText(cursor), url: readText(cursor) };
  if (flags > willVoteFlag) cursor.isSound = false;
  return flags === willVoteFlag ? { ...member, willVote: true } : member;
}

function readText(cursor: Cursor): string {
  const length = readU16(cursor);
  if (length > textBytesMax) cursor.isSound = false;
  let text = '';
  while (cursor.isSound && text.length < length) text += String.fromCharCode(readByte(cursor));
  if (!printable.test(text)) cursor.isSound = false;
  return text;
}

function readU16(cursor: Cursor): number {
  const high = readByte(cursor);
  return (high << 8) | readByte(cursor);
}

function readByte(cursor: Cursor): number {
  const byte = cursor.payload[cursor.at];
  cursor.at += 1;
  if (byte === undefined) cursor.isSound = false;
  return byte ?? 0;
}
