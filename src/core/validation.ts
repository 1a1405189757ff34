import { type EntryBatch, lastOf } from './batch.ts';
import type { Member } from './configuration.ts';
import { isEncodable } from './configuration-codec.ts';
import type { Input, MemberChange } from './input.ts';
import { isContiguous } from './log.ts';
import type { Message } from './message.ts';
import { after, type Peer } from './types.ts';

/** Terms and indexes stay below this, so that counting on from them is exact. */
const numberMax = 2 ** 52;

/** What is wrong with an input, in words; `undefined` if nothing is. Messages are looked at separately. */
export function problemOfInput(input: Input): string | undefined {
  switch (input?.type) {
    case 'tick':
      return isCount(input.now) ? undefined : `now is ${shown(input.now)}, expected whole milliseconds`;
    case 'write':
      return problemOfWrite(input);
    case 'read':
      return problemOfRequest(input);
    case 'message':
      return isPeer(input.from) ? undefined : 'from is not a peer with id and storeId';
    case 'persistRes':
      return isCount(input.seq) ? undefined : `seq is ${shown(input.seq)}`;
    case 'readLogRes':
      return isCount(input.seq) && isLogAnswer(input.batches) ? undefined : 'malformed batches';
    case 'applyRes':
      return [input.seq, input.appliedIndex, input.durableIndex].every(isCount)
        ? undefined
        : 'not whole numbers';
    case 'readStateMachineRes':
    case 'campaign':
      return Number.isSafeInteger(input.id) ? undefined : `id is ${shown(input.id)}, expected an integer`;
    case 'changeMembers':
      return problemOfChange(input);
    case 'transferLeadership':
      if (!Number.isSafeInteger(input.id)) return `id is ${shown(input.id)}, expected an integer`;
      return input.to === undefined || typeof input.to === 'string' ? undefined : 'to is not a name';
    case 'compact':
      if (!Number.isSafeInteger(input.id)) return `id is ${shown(input.id)}, expected an integer`;
      return typeof input.keepsPrevious === 'boolean' ? undefined : 'keepsPrevious is not a boolean';
    case 'takeSnapshotRes':
      return areCounts(input.seq, input.index) ? undefined : 'not whole numbers';
    case 'compactLogRes':
      return isCount(input.seq) ? undefined : `seq is ${shown(input.seq)}`;
    case 'installSnapshotRes':
      return isCount(input.seq) && typeof input.isInstalled === 'boolean'
        ? undefined
        : 'malformed completion';
    case 'sendSnapshotRes':
      return isCount(input.seq) && isSent(input.sent) ? undefined : 'malformed completion';
    case 'peerUp':
    case 'peerDown':
      return typeof input.id === 'string' ? undefined : 'id is not a string';
    default:
      return 'no known type of input';
  }
}

function problemOfWrite(input: Extract<Input, { type: 'write' }>): string | undefined {
  const { payload, payloadChecksum, count } = input;
  if (!isCount(count) || count < 1) return `count is ${shown(count)}, expected a positive integer`;
  if (!(payload instanceof Uint8Array)) return 'payload is not a Uint8Array';
  if (payload.byteLength < 4 * count)
    return `payload of ${payload.byteLength} bytes can't hold ${count} commands`;
  if (!isU32(payloadChecksum))
    return `payloadChecksum is ${shown(payloadChecksum)}, expected an unsigned 32-bit integer`;
  return problemOfRequest(input);
}

function isSent(sent: Extract<Input, { type: 'sendSnapshotRes' }>['sent']): boolean {
  return sent === null || (areCounts(sent?.index, sent?.logTimeMs) && typeof sent.transferId === 'string');
}

function problemOfChange(input: Extract<Input, { type: 'changeMembers' }>): string | undefined {
  if (!Number.isSafeInteger(input.id)) return `id is ${shown(input.id)}, expected an integer`;
  const { changes, expectedIndex } = input;
  if (expectedIndex !== undefined && !isCount(expectedIndex))
    return `expectedIndex is ${shown(expectedIndex)}`;
  if (!Array.isArray(changes) || changes.length === 0) return 'changes is not a list of at least one change';
  return Array.from<MemberChange>(changes).every(isChange)
    ? undefined
    : 'a change is not one of add, remove, promote, demote, move';
}

function isChange(change: MemberChange): boolean {
  switch (change?.type) {
    case 'add':
      return (change.role === 'voter' || change.role === 'learner') && isMember(change.member);
    case 'move':
      return typeof change.id === 'string' && typeof change.url === 'string';
    case 'remove':
    case 'promote':
    case 'demote':
      return typeof change.id === 'string';
    default:
      return false;
  }
}

function isMember(member: Member): boolean {
  return isPeer(member) && typeof member.url === 'string';
}

function problemOfRequest(input: { readonly id: number; readonly payload?: Uint8Array }): string | undefined {
  if (!Number.isSafeInteger(input.id)) return `id is ${shown(input.id)}, expected an integer`;
  const isBytes = input.payload === undefined || input.payload instanceof Uint8Array;
  return isBytes ? undefined : 'payload is not a Uint8Array';
}

/** What is wrong with a message, in words; `undefined` if nothing is. */
export function problemOfMessage(message: Message): string | undefined {
  switch (message?.type) {
    case 'timeoutNow':
      return isCount(message.term) ? undefined : 'not a whole number';
    case 'installSnapshot':
      return isCount(message.term) && isSnapshot(message) ? undefined : 'malformed snapshot';
    case 'requestVote':
      if (typeof message.isTransfer !== 'boolean') return 'isTransfer is not a boolean';
      return areCounts(message.term, message.lastLogIndex, message.lastLogTerm)
        ? undefined
        : 'not whole numbers';
    case 'preVote':
      return areCounts(message.term, message.lastLogIndex, message.lastLogTerm)
        ? undefined
        : 'not whole numbers';
    case 'preVoteReply':
    case 'requestVoteReply':
      return areCounts(message.term) && typeof message.voteGranted === 'boolean'
        ? undefined
        : 'malformed vote';
    case 'appendEntries':
      return problemOfAppend(message);
    case 'appendEntriesReply':
      return problemOfAppendReply(message);
    default:
      return 'no known type of message';
  }
}

function isSnapshot({ transferId, snapshot, term }: Extract<Message, { type: 'installSnapshot' }>): boolean {
  if (typeof transferId !== 'string' || !areCounts(snapshot?.index, snapshot?.term, snapshot?.logTimeMs))
    return false;
  const at = snapshot.configuration;
  const lists = [at?.configuration?.voters, at?.configuration?.votersOutgoing, at?.configuration?.learners];
  const isConfiguration = lists.every(
    (list) =>
      Array.isArray(list) &&
      Array.from<Member>(list).every((member) => isMember(member) && isEncodable(member)),
  );
  return (
    isConfiguration &&
    isCount(at.index) &&
    at.index <= snapshot.index &&
    snapshot.index >= 1 &&
    snapshot.term <= term
  );
}

/** Contiguity is checked on both sides, in production too (rule 14). */
function problemOfAppend(message: Extract<Message, { type: 'appendEntries' }>): string | undefined {
  const { term, prevLogIndex, prevLogTerm, leaderCommit, round, batches } = message;
  if (!areCounts(term, prevLogIndex, prevLogTerm, leaderCommit, round)) return 'not whole numbers';
  if (!areBatches(batches)) return 'malformed batches';
  if (prevLogTerm > term || batches.some((batch) => batch.term > term))
    return 'an entry is newer than its leader';
  const isSound = isContiguous(batches, { first: after(prevLogIndex), prevTerm: prevLogTerm });
  return isSound ? undefined : 'batches do not follow each other';
}

function problemOfAppendReply(message: Extract<Message, { type: 'appendEntriesReply' }>): string | undefined {
  const { term, matchIndex, round, rejectedIndex, hintIndex, hintTerm, success } = message;
  const isSound = areCounts(term, matchIndex, round, rejectedIndex, hintIndex, hintTerm);
  return isSound && typeof success === 'boolean' ? undefined : 'malformed reply';
}

function isLogAnswer(batches: unknown): boolean {
  return batches === 'compacted' || areBatches(batches);
}

/** Looks at holes too, which `every` passes over. */
function areBatches(batches: unknown): boolean {
  return Array.isArray(batches) && Array.from<EntryBatch>(batches).every(isBatch);
}

function isBatch(batch: EntryBatch): boolean {
  const isKnown = batch?.kind === 'command' || batch?.kind === 'noop' || batch?.kind === 'configuration';
  if (!isKnown || !(batch.payload instanceof Uint8Array)) return false;
  const { index, term, count, logTimeMs, payloadChecksum } = batch;
  if (!areCounts(index, term, count, logTimeMs, lastOf(batch))) return false;
  return index >= 1 && term >= 1 && count >= 1 && isU32(payloadChecksum) && isU32(batch.group);
}

function isPeer(peer: Peer): boolean {
  return typeof peer?.id === 'string' && typeof peer.storeId === 'string';
}

function areCounts(...values: readonly number[]): boolean {
  return values.every(isCount);
}

/** A number as it is; of anything else only its type, since what is no number may have no words at all. */
function shown(value: unknown): string {
  return typeof value === 'number' ? `${value}` : `of type ${typeof value}`;
}

function isCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < numberMax;
}

function isU32(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 0xffff_ffff;
}
