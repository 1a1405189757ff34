import { setTimeout as pause } from 'node:timers/promises';
import type { Logger, NodeStatus } from 'rxraft';
import { formatAddress } from './config/addresses.ts';
import type { ServeConfig } from './config/serve-config.ts';
import type { KvNode } from './kv-machine.ts';

/** What the watch works with. */
export interface FoundingWatch {
  /** How this node was started; its members are those declared, this node included. */
  readonly config: WatchedConfig;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Milliseconds until it is said again who is missing; they double. Default 3,000, and 60,000 at most. */
  readonly againMs?: number;
}

/** What of a configuration the advice has to name. */
export type WatchedConfig = Pick<
  ServeConfig,
  'id' | 'data' | 'listen' | 'http' | 'members' | 'advertise' | 'isInsecure'
>;

const againMsMax = 60_000;

/** Milliseconds between looks at whether somebody has refused this node. */
const lookMs = 250;

/** Says, ever less often, why a cluster is not founded yet: whom it waits for, or who does not let this node in, and why. */
export async function watchFounding(node: KvNode, watch: FoundingWatch): Promise<void> {
  const { config, logger, signal } = watch;
  let againMs = watch.againMs ?? 3_000;
  let saidAtMs = performance.now();
  let saidToBeRefused = false;
  for (;;) {
    await pause(Math.min(lookMs, againMs), undefined, { signal, ref: false }).catch(() => undefined);
    const status = node.status();
    if (signal.aborted || status.clusterId !== null) return;
    const refused = whyKeptOut(status, config) ?? whyRefused(status);
    const isNew = refused !== null && !saidToBeRefused;
    if (!isNew && performance.now() - saidAtMs < againMs) continue;
    if (refused !== null) logger.error({}, refused);
    else sayWhoIsMissing(status, watch);
    if (!isNew) againMs = Math.min(2 * againMs, againMsMax);
    saidAtMs = performance.now();
    saidToBeRefused = refused !== null;
  }
}

function sayWhoIsMissing({ id, links }: NodeStatus, { config, logger }: FoundingWatch): void {
  const reached = new Set(links.filter((link) => link.isOutgoingOpen).map((link) => link.id));
  const missing = config.members.filter((member) => member.id !== id && !reached.has(member.id));
  const who = missing.map((member) => `${member.id} at ${member.url}`).join(', ');
  const what =
    missing.length === 0 ? 'every member is reached, but they have not answered' : `no connection to ${who}`;
  logger.warn({ missing: missing.map((member) => member.id) }, `this node is in no cluster yet: ${what}`);
}

/** That there is a cluster which this node can't be in as it was started, with the commands to run; `null` if nobody says so. */
function whyKeptOut({ id, refusals }: NodeStatus, config: WatchedConfig): string | null {
  const refusal = refusals.findLast(isOfCluster);
  if (refusal === undefined) return null;
  const isWiped = refusal.code === 'wipedStore';
  const what = isWiped
    ? `${config.data} holds no data of it, and ${refusal.id} knows ${id} by the store it had`
    : `${refusal.id} says that ${id} is not a member, and ${config.data} holds no data of it`;
  const remove = isWiped
    ? `If they are lost, run npx rxraft remove ${id} --urls http://HOST:PORT, stop this process, and `
    : 'To take it in, stop this process, and ';
  return (
    `${id} is kept out of the cluster: ${what}. Nothing was changed, and the others go on without it while they are a majority. ` +
    `If its data are in another folder, start it with that. ${remove}start it with ` +
    `npx rxraft ${joining(config)}. http://HOST:PORT is where a member such as ${refusal.id} answers clients (its --http). The reason given: ${refusal.reason}`
  );
}

/** A cluster is there already, and knows this node by another store, or does not know it. */
function isOfCluster({ by, code }: NodeStatus['refusals'][number]): boolean {
  return code === 'wipedStore' || (code === 'notAMember' && by === 'peer');
}

/** That a node does not let this one in, be there a cluster or not: for its name or its list of members. */
function whyRefused({ id, refusals }: NodeStatus): string | null {
  const refusal = refusals.findLast(
    ({ by, code }) => by === 'peer' && (code === 'nameInUse' || code === 'otherMembers'),
  );
  return refusal === undefined
    ? null
    : `${id} is in no cluster: ${refusal.id} does not let it in: ${refusal.reason}`;
}

/** The command that starts this node as one that joins. */
function joining({ id, data, listen, http, members, advertise, isInsecure }: WatchedConfig): string {
  const url = members.find((member) => member.id === id)?.url ?? advertise;
  const isElsewhere = url !== `ws://${formatAddress(listen)}`;
  return [
    `serve --id ${id} --data ${data} --listen ${formatAddress(listen)} --http ${formatAddress(http)}`,
    ...(isElsewhere ? [`--advertise ${url}`] : []),
    ...(isInsecure ? ['--insecure'] : []),
    '--join http://HOST:PORT',
  ].join(' ');
}
