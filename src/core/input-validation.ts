import { isPayload } from './codec.ts';
import type { Member } from './configuration.ts';
import type { Completion, Input, MemberChange } from './input.ts';
import { isMemberUrlOrNone, knownNameProblem, listProblem, memberChangeProblem } from './member-rules.ts';
import { areBatches, areCounts, isCount, isName, isPeer, isU32, shown } from './well-formed.ts';

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
    case 'campaign':
      return problemOfId(input);
    case 'changeMembers':
      return problemOfId(input) ?? problemOfChange(input);
    case 'transferLeadership':
      return problemOfId(input) ?? (input.to === undefined ? undefined : knownNameProblem(input.to));
    case 'compact':
      return (
        problemOfId(input) ??
        (typeof input.keepsPrevious === 'boolean' ? undefined : 'keepsPrevious is not a boolean')
      );
    case 'peerUp':
    case 'peerDown':
      return isName(input.id) ? undefined : 'id is not a string';
    default:
      return problemOfCompletion(input);
  }
}

function problemOfCompletion(input: Completion): string | undefined {
  switch (input?.type) {
    case 'persistRes':
    case 'compactLogRes':
      return isCount(input.seq) ? undefined : `seq is ${shown(input.seq)}`;
    case 'readLogRes':
      return isCount(input.seq) && isLogAnswer(input.batches) ? undefined : 'malformed batches';
    case 'applyRes':
      return isCount(input.seq) && isCount(input.appliedIndex) && isCount(input.durableIndex)
        ? undefined
        : 'not whole numbers';
    case 'readStateMachineRes':
      return problemOfId(input);
    case 'takeSnapshotRes':
      return areCounts(input.seq, input.index) ? undefined : 'not whole numbers';
    case 'sendSnapshotRes':
      return isCount(input.seq) && isSent(input.sent) ? undefined : 'malformed completion';
    case 'installSnapshotRes':
      return isCount(input.seq) && typeof input.isInstalled === 'boolean'
        ? undefined
        : 'malformed completion';
    default:
      return 'no known type of input';
  }
}

function problemOfWrite(input: Extract<Input, { type: 'write' }>): string | undefined {
  const { payload, payloadChecksum, count } = input;
  if (!isCount(count) || count < 1) return `count is ${shown(count)}, expected a positive integer`;
  if (!(payload instanceof Uint8Array)) return 'payload is not a Uint8Array';
  if (!isPayload(payload, count)) return `payload of ${payload.byteLength} bytes is not ${count} commands`;
  if (!isU32(payloadChecksum))
    return `payloadChecksum is ${shown(payloadChecksum)}, expected an unsigned 32-bit integer`;
  return problemOfRequest(input);
}

function isSent(sent: Extract<Input, { type: 'sendSnapshotRes' }>['sent']): boolean {
  return sent === null || (areCounts(sent?.index, sent?.logTimeMs) && typeof sent.transferId === 'string');
}

function problemOfChange(input: Extract<Input, { type: 'changeMembers' }>): string | undefined {
  const { changes, expectedIndex } = input;
  const problem = listProblem(changes, expectedIndex);
  if (problem !== undefined) return problem;
  for (const change of changes) {
    const one = problemOfMemberChange(change);
    if (one !== undefined) return one;
  }
  return undefined;
}

function problemOfMemberChange(change: MemberChange): string | undefined {
  if (change?.type !== 'add') return memberChangeProblem(change, isMemberUrlOrNone);
  const { id, storeId = '', url }: Partial<Member> = change.member ?? {}; // Here, store and role must be said.
  return memberChangeProblem({ type: 'add', id, storeId, url, role: change.role ?? '' }, isMemberUrlOrNone);
}

function problemOfRequest(input: { readonly id: number; readonly payload?: Uint8Array }): string | undefined {
  const isBytes = input.payload === undefined || input.payload instanceof Uint8Array;
  return problemOfId(input) ?? (isBytes ? undefined : 'payload is not a Uint8Array');
}

function problemOfId({ id }: { readonly id: number }): string | undefined {
  return Number.isSafeInteger(id) ? undefined : `id is ${shown(id)}, expected an integer`;
}

function isLogAnswer(batches: unknown): boolean {
  return batches === 'compacted' || areBatches(batches);
}
