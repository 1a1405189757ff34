import type { MemberAddress } from 'rxraft/transport';
import * as v from 'valibot';

/** A node's name, as the library takes it. */
export const nodeIdSchema = v.pipe(
  v.string(),
  v.regex(
    /^[A-Za-z0-9._-]{1,64}$/,
    'expected a name of 1 to 64 letters, digits, dots, underscores and hyphens',
  ),
);

/** The longest URL that a member can have. */
const urlCharactersMax = 512;
const anUrl = 'expected a URL such as ws://10.0.0.4:7101';

/** Reads where other nodes reach a node: `ws://host:port`. */
export const raftUrlSchema = v.pipe(
  v.string(),
  v.regex(/^ws:\/\/(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):\d{1,5}\/?$/, anUrl),
  v.maxLength(urlCharactersMax, `${anUrl}, of at most ${urlCharactersMax} characters`),
  v.check((url) => URL.canParse(url), anUrl), // Such as a port above 65535, or an address of five numbers.
  v.transform(withoutSlash),
);

/** Reads `n1=ws://host:port,n2=…`; in a file also a list of `n1=ws://host:port`. */
export const membersSchema: v.GenericSchema<unknown, readonly MemberAddress[]> = v.pipe(
  v.union([v.string(), v.array(v.string())]),
  v.transform((given) => (typeof given === 'string' ? given.split(',') : given)),
  v.minLength(1),
  v.maxLength(64),
  v.transform((items) => items.map(memberOf)),
  v.everyItem(({ id, url }) => v.is(nodeIdSchema, id) && v.is(raftUrlSchema, url)),
  v.check((members) => isDistinct(members.map(({ id }) => id)) && isDistinct(members.map(({ url }) => url))),
);

/** Members as {@link membersSchema} reads them. */
export function formatMembers(members: readonly MemberAddress[]): string {
  return members.map(({ id, url }) => `${id}=${url}`).join(',');
}

function memberOf(item: string): MemberAddress {
  const at = item.indexOf('=');
  return { id: item.slice(0, at).trim(), url: withoutSlash(item.slice(at + 1).trim()) };
}

function withoutSlash(url: string): string {
  return url.replace(/\/$/, '');
}

function isDistinct(names: readonly string[]): boolean {
  return new Set(names).size === names.length;
}
