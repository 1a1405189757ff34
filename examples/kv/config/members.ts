import type { MemberAddress } from 'rxraft/transport';
import * as v from 'valibot';

/** Reads `n1=ws://host:port,n2=…`; in a file also a list of `n1=ws://host:port`. */
export const membersSchema: v.GenericSchema<unknown, readonly MemberAddress[]> = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((given) => (typeof given === 'string' ? given.split(',') : given)),
  v.minLength(1),
  v.maxLength(64),
  v.everyItem((item) => memberPattern.test(item.trim())),
  v.transform((items) => items.map(memberOf)),
  v.check((members) => isDistinct(members.map(({ id }) => id)) && isDistinct(members.map(({ url }) => url))),
);

/** Members as {@link membersSchema} reads them. */
export function formatMembers(members: readonly MemberAddress[]): string {
  return members.map(({ id, url }) => `${id}=${url}`).join(',');
}

const memberPattern = /^[A-Za-z0-9._-]{1,64}=ws:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}\/?$/;

function memberOf(item: string): MemberAddress {
  const at = item.indexOf('=');
  return {
    id: item.slice(0, at).trim(),
    url: item
      .slice(at + 1)
      .trim()
      .replace(/\/$/, ''),
  };
}

function isDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}
