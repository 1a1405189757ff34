import type { MemberChange, NodeId } from '../core/index.ts';
import { memberChangesMax } from './transport.ts';

/** The name of a node. */
export const nodeIdPattern = /^[A-Za-z0-9._-]{1,64}$/;
export const nodeIdBytesMax = 64;
/** The id of a store, or a cluster. */
export const opaqueIdPattern = /^[\x21-\x7e]{1,128}$/;
export const opaqueIdBytesMax = 128;
/** What a configuration of the core can have as a name. */
export const memberIdPattern = /^[\x21-\x7e]{1,512}$/;
export const memberIdBytesMax = 512;
/** The longest URL of a member, in bytes. */
export const urlBytesMax = 512;

/** A URL as every handshake and every client has a place for it. */
export const urlPattern = /^wss?:\/\/[\x21-\x7e]+$/;

/** Whether this is a URL to dial: `ws:` or `wss:`, printable ASCII, no fragment, at most {@link urlBytesMax} bytes. */
export function isPeerUrl(url: unknown): boolean {
  if (typeof url !== 'string' || url.length > urlBytesMax || url.includes('#')) return false;
  return urlPattern.test(url) && URL.canParse(url);
}

/** A member that is to be added, before its store is known or after. */
interface Added {
  readonly id: NodeId;
  readonly url: string;
  readonly storeId?: string;
  readonly role?: 'voter' | 'learner';
}

type AskedChange = Exclude<MemberChange, { readonly type: 'add' }> | ({ readonly type: 'add' } & Added);

/**
 * Why the members can't be changed so, in words; `null` if they can. A name, a store or a URL that no handshake has a
 * place for would be in the configuration of every node, and keep them from speaking with each other. What has no place
 * in a frame is refused by the node that is asked: the leader would hang up on it.
 */
export function changesProblem(
  changes: readonly AskedChange[],
  expectedIndex: number | null | undefined,
): string | null {
  if (!Array.isArray(changes)) return `the changes are ${JSON.stringify(changes)}, expected a list`;
  if (changes.length === 0) return 'there is no change in the list of changes';
  if (changes.length > memberChangesMax)
    return `${changes.length} changes are too many, expected at most ${memberChangesMax} at once`;
  for (const change of changes) {
    const problem = changeProblem(change);
    if (problem !== null) return problem;
  }
  return indexProblem(expectedIndex);
}

function changeProblem(change: AskedChange): string | null {
  switch (change?.type) {
    case 'add':
      return (
        nameProblem(change.id) ??
        storeProblem(change.storeId) ??
        urlProblem(change.url) ??
        roleProblem(change.role)
      );
    case 'move':
      return knownNameProblem(change.id) ?? urlProblem(change.url);
    case 'remove':
    case 'promote':
    case 'demote':
      return knownNameProblem(change.id);
    default:
      return `a change is ${JSON.stringify(change)}, expected one of type add, remove, promote, demote or move`;
  }
}

/** Why leadership can't be handed over to whoever has this name, in words; `null` if it may be possible. */
export function successorProblem(id: unknown): string | null {
  if (typeof id === 'string' && nodeIdPattern.test(id)) return null;
  return `no voter that could take over is called ${JSON.stringify(id)}, expected a name such as n2`;
}

function nameProblem(id: unknown): string | null {
  if (typeof id === 'string' && nodeIdPattern.test(id)) return null;
  return `the node name ${JSON.stringify(id)} is not 1 to 64 of A-Z a-z 0-9 . _ -, such as n4`;
}

/** A member that got its name before there was a rule can still be moved and removed. */
function knownNameProblem(id: unknown): string | null {
  if (typeof id === 'string' && memberIdPattern.test(id)) return null;
  return `no member is called ${JSON.stringify(id)}, expected a name such as n4`;
}

function storeProblem(storeId: unknown): string | null {
  if (storeId === undefined || (typeof storeId === 'string' && opaqueIdPattern.test(storeId))) return null;
  return `storeId is ${JSON.stringify(storeId)}, expected 1 to 128 printable ASCII characters`;
}

function roleProblem(role: unknown): string | null {
  if (role === undefined || role === 'voter' || role === 'learner') return null;
  return `role is ${JSON.stringify(role)}, expected voter or learner`;
}

function indexProblem(expectedIndex: number | null | undefined): string | null {
  if (expectedIndex === undefined || expectedIndex === null) return null;
  if (Number.isSafeInteger(expectedIndex) && expectedIndex >= 0) return null;
  return `expectedIndex is ${expectedIndex}, expected the index of a configuration`;
}

function urlProblem(url: unknown): string | null {
  if (isPeerUrl(url)) return null;
  return `url is ${JSON.stringify(url)}, expected one such as ws://10.0.0.4:7101, without a # and of at most ${urlBytesMax} characters`;
}
