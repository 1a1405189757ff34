import type { MemberChange } from '../core/index.ts';
import { type Added, isMemberUrl, listProblem, memberChangeProblem } from '../core/member-rules.ts';

/** Whether this is a URL to dial: one that a member can have, and that can be parsed. */
export function isPeerUrl(url: unknown): boolean {
  return isMemberUrl(url) && URL.canParse(url as string);
}

/**
 * Why the members can't be changed so, in words; `undefined` if they can. A member is there to be dialed. What has no place
 * in a frame is refused by the node that is asked: the leader would hang up on it.
 */
export function changesProblem(
  changes: readonly (Exclude<MemberChange, { readonly type: 'add' }> | Added)[],
  expectedIndex: number | undefined,
): string | undefined {
  const problem = listProblem(changes, expectedIndex);
  if (problem !== undefined) return problem;
  for (const change of changes) {
    const one = memberChangeProblem(change, isPeerUrl);
    if (one !== undefined) return one;
  }
  return undefined;
}
