import type { NodeId } from '../core/index.ts';
import type { MemberAddress } from './transport.ts';

/** What is wrong with a list of declared members, in words for the operator; `null` if nothing. */
export function declaredProblem(self: NodeId, declared: readonly MemberAddress[]): string | null {
  const ids = declared.map((member) => member.id);
  if (new Set(ids).size < ids.length)
    return `the members ${listed(declared)} name a node twice; give each its own name`;
  if (declared.length > 0 && !ids.includes(self)) {
    return `the members ${listed(declared)} do not name this node, ${self}; add it, or correct its name`;
  }
  return null;
}

/** Whether two lists declare the same members, in whatever order. */
export function isSameList(a: readonly MemberAddress[], b: readonly MemberAddress[]): boolean {
  return listed(a) === listed(b);
}

/** Members as the command line takes them, in the order of their names. */
export function listed(members: readonly MemberAddress[]): string {
  return (
    sorted(members)
      .map(({ id, url }) => `${id}=${url}`)
      .join(',') || '(none)'
  );
}

/** In the order of their names, the same on every machine. */
export function sorted<M extends MemberAddress>(members: readonly M[]): readonly M[] {
  return members.toSorted((a, b) => order(a.id, b.id) || order(a.url, b.url));
}

function order(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
