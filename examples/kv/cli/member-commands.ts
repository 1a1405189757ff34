import type { MemberBody, StatusBody } from '../http/status-body.ts';
import { administer, type WaitOptions } from './admin-commands.ts';
import { askStatus, failSilent, silence } from './ask-status.ts';
import type { ErrorText } from './client.ts';
import type { Cluster } from './cluster.ts';
import { latest } from './status-rows.ts';

/** How a change of members waits, and on what condition. */
export interface MemberOptions extends WaitOptions {
  /** Only if the configuration in effect is the one of this index. */
  readonly expectedIndex?: string;
}

/** What the server says after a change of members. */
export interface Membership {
  readonly configurationIndex: number | null;
  readonly leaderId: string | null;
  readonly members: readonly MemberBody[];
}

/** `rxraft members`: who is in the cluster, as the node says that knows most. Fails if none answers. */
export async function members({ urls, flags, output }: Cluster): Promise<void> {
  const replies = await askStatus(urls, output);
  const informed = latest(replies.flatMap(({ status }) => status ?? []));
  if (informed === undefined) {
    output.json(silence(replies));
    return failSilent(replies, output);
  }
  const membership = membershipOf(informed);
  output.json(membership);
  for (const line of membersTable(membership)) output.text(line);
  output.next(`rxraft add ID URL${flags} takes in another node, which was started with serve --join`);
}

/** `rxraft add ID URL`: takes in a node that was started to join. */
export async function add(
  cluster: Cluster,
  id: string,
  url: string,
  options: MemberOptions & { readonly learner?: boolean },
): Promise<void> {
  const { urls, flags, output } = cluster;
  const member = { id, url, ...(options.learner === true ? { learner: true } : {}) };
  const start = `serve --id ${id} --data DIR --listen HOST:PORT --http HOST:PORT --join ${urls[0]}`;
  const elsewhere = `move ${id} ${url}${flags} if ${id} is reached there now, or rxraft `;
  const again = `remove ${id}${flags} if ${id} has lost its data and is to come again`;
  const after = await change(cluster, { add: member }, options, ({ code, memberUrl }) => {
    if (code === 'RAFT_TIMEOUT') return `${start} starts such a node, which then asks by itself`;
    if (typeof memberUrl !== 'string') return undefined; // Something else than the name is the matter.
    return memberUrl === url.replace(/\/$/, '') ? again : elsewhere + again;
  });
  if (after === null) return;
  output.text(`${id} is ${roleOf(after.members.find((each) => each.id === id))}`);
  output.next(`rxraft status${flags} shows how far it is`);
}

/** `rxraft remove ID` */
export async function removeMember(cluster: Cluster, id: string, options: MemberOptions): Promise<void> {
  const after = await change(cluster, { remove: id }, options);
  if (after === null) return;
  cluster.output.text(`${id} is no member any more; ${after.members.length} are left`);
  cluster.output.next(`stop the process of ${id}: nobody talks to it now`);
}

/** `rxraft promote ID` */
export async function promote(cluster: Cluster, id: string, options: MemberOptions): Promise<void> {
  const after = await change(cluster, { promote: id }, options, ({ code }) =>
    code === 'RAFT_BUSY' ? `status${cluster.flags} shows how far ${id} is` : undefined,
  );
  if (after === null) return;
  cluster.output.text(`${id} is a voter`);
  cluster.output.next(`rxraft status${cluster.flags}`);
}

/** `rxraft demote ID` */
export async function demote(cluster: Cluster, id: string, options: MemberOptions): Promise<void> {
  const after = await change(cluster, { demote: id }, options);
  if (after === null) return;
  cluster.output.text(`${id} is a learner: it receives the log and does not vote`);
  cluster.output.next(`rxraft promote ${id}${cluster.flags} lets it vote again`);
}

/** `rxraft move ID URL`: its peers reach the member there from now on. */
export async function move(cluster: Cluster, id: string, url: string, options: MemberOptions): Promise<void> {
  const after = await change(cluster, { move: { id, url } }, options);
  if (after === null) return;
  cluster.output.text(`${id} is to be reached at ${url}`);
  cluster.output.next(`rxraft status${cluster.flags} shows whether it is`);
}

/** The members in columns, with the leader marked. */
export function membersTable({ leaderId, members }: Membership): readonly string[] {
  const width = Math.max(0, ...members.map(({ id }) => id.length));
  return members.map((member) => {
    const { id, url, role, willVote } = member;
    const marks = [
      id === leaderId ? '  ★ leads' : '',
      willVote === true ? '  votes once it has caught up' : '',
    ];
    return `${id.padEnd(width)}  ${role.padEnd('learner'.length)}  ${url}${marks.join('')}`;
  });
}

/** Asks for a change. `special` gives the command that helps against an error where no general one does. */
async function change(
  cluster: Cluster,
  what: object,
  { expectedIndex, ...options }: MemberOptions,
  special: (error: ErrorText) => string | undefined = () => undefined,
): Promise<Membership | null> {
  const { flags } = cluster;
  const [command = ''] = Object.keys(what); // They have the same names.
  const remedy = (_: number, error: ErrorText): string =>
    error.outcome === 'unknown'
      ? `members${flags} shows what has come of it`
      : (special(error) ?? generalRemedy(error.code, { command, flags }));
  const body = { ...what, ...(expectedIndex === undefined ? {} : { expectedIndex: Number(expectedIndex) }) };
  const after = await administer<Membership>(cluster, { path: '/admin/members', body, options, remedy });
  if (after !== null) cluster.output.json(after);
  return after;
}

/** The command that helps where nothing was changed, whatever the change was to be. */
function generalRemedy(
  code: string,
  { command, flags }: { readonly command: string; readonly flags: string },
): string {
  switch (code) {
    case 'RAFT_BAD_REQUEST':
      return `members${flags} shows who is in the cluster`;
    case 'RAFT_CONFLICT':
      return `members --json${flags} gives the index of the configuration in effect`;
    case 'KV_MALFORMED':
      return `${command} --help shows how to write it`;
    default:
      return `status${flags} shows how the nodes are; ask again once the reason is gone`;
  }
}

function membershipOf({ configuration, leaderId, members }: StatusBody): Membership {
  return { configurationIndex: configuration?.index ?? null, leaderId, members };
}

function roleOf(member: MemberBody | undefined): string {
  if (member?.role === 'voter') return 'a voter';
  return member?.willVote === true ? 'a learner, and votes once it has caught up' : 'a learner';
}
