import type { EntryBatch } from './batch.ts';
import { type Configuration, type ConfigurationAt, membersOf } from './configuration.ts';
import { decodeConfiguration } from './configuration-codec.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import { newProgress, type Progress } from './progress.ts';
import { before, isSamePeer } from './types.ts';

/** A configuration takes effect when it is appended, committed or not (§6, rule 8). `undefined` if it is malformed. */
export function adopt(draft: Draft, batch: EntryBatch): Configuration | undefined {
  const configuration = decodeConfiguration(batch.payload);
  if (configuration === undefined) return undefined;
  draft.configurations = [...draft.configurations, { index: batch.index, configuration }];
  if (draft.role.type === 'leader') followMembers(draft, draft.role);
  return configuration;
}

/**
 * Keeps one progress for each other member. Who is being removed still hears of it: the members of the
 * configuration before stay until the new one is committed.
 */
export function followMembers(draft: Draft, leader: LeaderDraft): void {
  const isCommitted = (draft.configurations.at(-1) as ConfigurationAt).index <= draft.commitIndex;
  const inEffect = draft.configurations
    .slice(isCommitted ? -1 : -2)
    .flatMap((at) => membersOf(at.configuration));
  const lastIndex = before(draft.log.lastIndex); // The entry that brought the configuration is sent to them first.
  const peers: Progress[] = [];
  for (const member of inEffect.reverse()) {
    if (isSamePeer(member, draft.self) || peers.some((peer) => isSamePeer(peer, member))) continue;
    const known = leader.peers.find((peer) => isSamePeer(peer, member));
    peers.push(
      known ?? newProgress(member, { lastIndex, isConnected: !draft.downPeers.includes(member.id) }),
    );
  }
  leader.peers = peers.reverse();
}
