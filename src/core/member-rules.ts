import type { Member } from './configuration.ts';
import type { MemberChange } from './input.ts';
import { isCount, shown } from './well-formed.ts';

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

/** Members of a cluster: what a joint configuration of two of these lists still fits into every frame. */
const membersMax = 50;

/** The most changes of members in one request. */
export const memberChangesMax = 256;

/** Of what is no name, as much is said. */
const shownCharactersMax = 80;

/** Whether this is a member's URL: `ws:` or `wss:`, printable ASCII, no fragment, at most {@link urlBytesMax} bytes. */
export function isMemberUrl(url: unknown): boolean {
  return typeof url === 'string' && url.length <= urlBytesMax && !url.includes('#') && urlPattern.test(url);
}

/** Whether this is a member's URL, or empty: who drives cores without addresses has none. */
export function isMemberUrlOrNone(url: unknown): boolean {
  return url === '' || isMemberUrl(url);
}

/** What is wrong with a list of changes and with the index beside it, but for the changes themselves; `undefined` if nothing is. */
export function listProblem(changes: unknown, expectedIndex: unknown): string | undefined {
  if (expectedIndex !== undefined && !isCount(expectedIndex as number))
    return `expectedIndex is ${shown(expectedIndex)}, expected the index of a configuration`;
  if (!Array.isArray(changes)) return `changes is ${shown(changes)}, expected a list`;
  if (changes.length === 0) return 'there is no change in the list of changes';
  if (changes.length <= memberChangesMax) return undefined;
  return `${changes.length} changes are more than the ${memberChangesMax} that one request may have`;
}

/** Why a cluster can't have so many members; `undefined` if it can. */
export function countProblem(count: number): string | undefined {
  return count > membersMax ? `${count} members are more than ${membersMax}` : undefined;
}

/**
 * Every problem of the members that a cluster is to be founded with, in words; none if it can be. For a configuration that
 * is new: one that is stored was accepted by the rules of its time, and its data are not to be locked up by those of today.
 */
export function foundingProblems(
  members: readonly Member[],
  isUrl: (url: unknown) => boolean,
): readonly string[] {
  const names = new Set<string>();
  const problems = [countProblem(members.length)];
  for (const { id, storeId, url } of members) {
    if (names.has(id))
      problems.push(`the node name ${quoted(id)} is listed twice, expected every member once`);
    names.add(id);
    const store = storeId === id ? undefined : storeProblem(storeId); // A name alone stands for both.
    const wrong = store ?? urlProblem(url, isUrl);
    problems.push(nameProblem(id), wrong && `of ${quoted(id)}, ${wrong}`);
  }
  return problems.filter((problem) => problem !== undefined);
}

/** A new member, before its store is known or after; nobody has looked at it yet. */
export interface Added {
  readonly type: 'add';
  readonly id?: unknown;
  readonly url?: unknown;
  readonly storeId?: unknown;
  /** Without it, who asks has one by default. */
  readonly role?: unknown;
}

/**
 * Why the members can't be changed so, in words; `undefined` if they can. A name, a store or a URL that no handshake has a
 * place for would be in the configuration of every node, and keep them from speaking with each other.
 *
 * `isUrl` says what a URL is: who dials asks for more than the core.
 */
export function memberChangeProblem(
  change: Exclude<MemberChange, { readonly type: 'add' }> | Added,
  isUrl: (url: unknown) => boolean,
): string | undefined {
  switch (change?.type) {
    case 'add':
      return addedProblem(change) ?? urlProblem(change.url, isUrl);
    case 'move':
      return knownNameProblem(change.id) ?? urlProblem(change.url, isUrl);
    case 'remove':
    case 'promote':
    case 'demote':
      return knownNameProblem(change.id);
    default:
      return `a change is ${quoted((change as Added | undefined)?.type)}, expected one of add, remove, promote, demote, move`;
  }
}

function addedProblem({ id, storeId, role }: Added): string | undefined {
  if (role !== undefined && role !== 'voter' && role !== 'learner')
    return `role is ${quoted(role)}, expected voter or learner`;
  return nameProblem(id) ?? (storeId === undefined ? undefined : storeProblem(storeId));
}

/** Why no new node can be called so. */
export function nameProblem(id: unknown): string | undefined {
  if (typeof id === 'string' && nodeIdPattern.test(id)) return undefined;
  return `the node name ${quoted(id)} is not 1 to 64 of A-Z a-z 0-9 . _ -, such as n4`;
}

/** Why nobody can be called so. A member that got its name before there was a rule can still be moved and removed. */
export function knownNameProblem(id: unknown): string | undefined {
  if (typeof id === 'string' && memberIdPattern.test(id)) return undefined;
  return `no member is called ${quoted(id)}, expected a name such as n4`;
}

/** Why this can't be the id of a store. */
export function storeProblem(storeId: unknown): string | undefined {
  if (typeof storeId === 'string' && opaqueIdPattern.test(storeId)) return undefined;
  return `storeId is ${quoted(storeId)}, expected 1 to 128 printable ASCII characters`;
}

/** Why this can't be the URL of a member. */
export function urlProblem(url: unknown, isUrl: (url: unknown) => boolean): string | undefined {
  if (isUrl(url)) return undefined;
  return `url is ${quoted(url)}, expected one such as ws://10.0.0.4:7101, without a # and of at most ${urlBytesMax} characters`;
}

/** A text in quotes, cut off where it is long; of anything else what can be said of it. */
function quoted(value: unknown): string {
  if (typeof value !== 'string') return shown(value);
  const isLong = value.length > shownCharactersMax;
  return JSON.stringify(isLong ? `${value.slice(0, shownCharactersMax)}…` : value);
}
