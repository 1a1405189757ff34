import type { Logger } from 'rxraft';
import { isLoopback } from '../config/addresses.ts';
import { formatMembers } from '../config/members.ts';
import type { ServeConfig } from '../config/serve-config.ts';
import type { KvNode } from '../kv-machine.ts';

/** After the first start it is the store that says who is in the cluster; a list that was given and differs has no effect. */
export function noteMembership(node: Pick<KvNode, 'status'>, config: ServeConfig, logger: Logger): void {
  const { id, members, join, areMembersGiven } = config;
  const { clusterId, members: stored } = node.status();
  if (clusterId === null) {
    const facts = { members: formatMembers(members), join };
    const what =
      join === null ? 'the cluster is founded once every declared member is up' : 'it asks to join';
    logger.info(facts, `the store is new: ${what}`);
    warnOfMisfit(config, logger);
    return;
  }
  if (join !== null) {
    const facts = { stored: formatMembers(stored), clusterId };
    const isListed = stored.some((member) => member.id === id);
    if (isListed) logger.info(facts, 'this node has joined already: the members are those in the store');
    else
      logger.warn(facts, `this node has been removed from its cluster; rxraft add ${id} URL brings it back`);
    return;
  }
  const declared = areMembersGiven ? { declared: formatMembers(members) } : {};
  const facts = { stored: formatMembers(stored), ...declared, clusterId };
  const isSame = !areMembersGiven || sorted(stored) === sorted(members);
  if (isSame) logger.info(facts, 'the members are those in the store');
  else logger.warn(facts, 'the members in the store win; --members differs from them and has no effect');
}

/** On one machine, nobody reaches a node at another port than the one it listens on, or seldom. */
function warnOfMisfit({ id, members, listen }: ServeConfig, logger: Logger): void {
  const own = members.find((member) => member.id === id);
  if (own === undefined) return;
  const { hostname, port } = new URL(own.url);
  if (!isLoopback(hostname) || Number(port) === listen.port) return;
  const what = `the others will dial this node at ${own.url}, and it listens on port ${listen.port}`;
  logger.warn({}, `${what}: correct --members or --listen, unless something passes connections on`);
}

function sorted(members: ServeConfig['members']): string {
  return formatMembers([...members].sort((a, b) => (a.id < b.id ? -1 : 1)));
}
