import { answerAdmin } from './admin.ts';
import { followMembers } from './adoption.ts';
import { type Configuration, type ConfigurationAt, isVoter, membersOf } from './configuration.ts';
import { encodeConfiguration } from './configuration-codec.ts';
import { crc32 } from './crc32.ts';
import type { Draft, LeaderDraft } from './draft.ts';
import type { ChangeMembers, MemberChange } from './input.ts';
import { changed, towards } from './member-change.ts';
import type { AdminResult } from './output.ts';
import { edit } from './peers.ts';
import type { Progress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import { probe, propose } from './replication.ts';
import { configurationOf } from './state.ts';
import { isSamePeer, type NodeId, type Peer } from './types.ts';
import type { Work } from './work.ts';

/** The operator changes the members (§6): one change at a time, and none before the leader knows what is committed. */
export function onChangeMembers(work: Work, leader: LeaderDraft, request: ChangeMembers): void {
  const { draft } = work;
  const refuse = (reason: Extract<AdminResult, { type: 'refused' }>['reason']) =>
    answerAdmin(work, request.id, { type: 'refused', reason });
  const obstacle = obstacleOf(draft, leader);
  if (obstacle !== undefined) return refuse({ type: 'busy', detail: obstacle });
  const current = draft.configurations.at(-1) as ConfigurationAt;
  const { expectedIndex } = request;
  if (expectedIndex !== undefined && expectedIndex !== current.index) {
    const detail = `the configuration in effect is that of index ${current.index}, not ${expectedIndex}`;
    return refuse({ type: 'conflict', detail });
  }
  const isReady = (learner: Peer) => isUpToDate(draft, leader, learner);
  const laggard = laggardOf(current.configuration, request.changes, isReady);
  if (laggard !== undefined)
    return refuse({ type: 'busy', detail: `${laggard} has not caught up with the log yet` });
  const change = changed(current.configuration, request.changes, { isCaughtUp: isReady });
  if (change.type === 'problem') return refuse({ type: 'invalid', detail: change.problem });
  const silent = silentMajorityOf(draft, leader, change.configuration);
  if (silent.length > 0) {
    const detail = `without ${silent.join(', ')}, silent at the moment, the voters that are to be would have no majority, and commit nothing`;
    return refuse({ type: 'busy', detail });
  }
  leader.changeId = request.id;
  proposeConfiguration(work, leader, towards(current.configuration, change.configuration));
}

/** A learner that is to be promoted and has not caught up: not a mistake, only too early (thesis §4.2.1). */
function laggardOf(
  { learners }: Configuration,
  changes: readonly MemberChange[],
  isReady: (learner: Peer) => boolean,
): NodeId | undefined {
  const promoted = changes.flatMap((change) => (change.type === 'promote' ? [change.id] : []));
  return promoted.find((id) => learners.some((learner) => learner.id === id && !isReady(learner)));
}

/** Why no change may begin now; `undefined` if one may (rule 8). */
function obstacleOf(draft: Draft, leader: LeaderDraft): string | undefined {
  if (draft.commitIndex < leader.readyIndex)
    return 'the leader has not committed an entry of its own term yet';
  if (leader.transfer !== null) return `leadership is being handed over to ${leader.transfer.to.id}`;
  const current = draft.configurations.at(-1) as ConfigurationAt;
  const isSettled = current.index <= draft.commitIndex && current.configuration.votersOutgoing.length === 0;
  return isSettled ? undefined : `the change of index ${current.index} is not complete yet`;
}

/** A learner that held, at the end of the last check, all that the log had at its beginning (thesis §4.2.1). */
function isUpToDate(draft: Draft, leader: LeaderDraft, learner: Peer): boolean {
  return leader.peers.some((peer) => isSamePeer(peer, learner) && isCaughtUp(draft, leader, peer));
}

/** Whether it has answered lately, and holds all that the log had when CheckQuorum last looked (thesis §4.2.1). */
export function isCaughtUp(draft: Draft, leader: LeaderDraft, peer: Progress): boolean {
  return (
    hasAnswered(draft, leader, peer) &&
    peer.state === 'replicate' &&
    leader.markIndex > 0 &&
    peer.matchIndex >= leader.markIndex
  );
}

/** Since CheckQuorum last looked or, until a heartbeat can have been answered since, before. */
function hasAnswered({ config }: Draft, { quorumElapsedMs }: LeaderDraft, peer: Progress): boolean {
  return peer.isActive || (peer.wasActive && quorumElapsedMs <= 2 * config.heartbeatIntervalMs);
}

/**
 * The voters that have not answered lately, if the others of a new configuration are no majority: nothing would be committed
 * any more, and nobody be elected, until they are back. Nobody if they are.
 */
function silentMajorityOf(
  draft: Draft,
  leader: LeaderDraft,
  configuration: Configuration,
): readonly NodeId[] {
  const isSilent = (voter: Peer): boolean =>
    !isSamePeer(voter, draft.self) &&
    !leader.peers.some((peer) => isSamePeer(peer, voter) && hasAnswered(draft, leader, peer));
  if (isQuorum(configuration, (voter) => !isSilent(voter))) return [];
  return configuration.voters.filter(isSilent).map(({ id }) => id);
}

function proposeConfiguration(work: Work, leader: LeaderDraft, configuration: Configuration): void {
  const payload = encodeConfiguration(configuration);
  const proposal = { kind: 'configuration', payload, payloadChecksum: crc32(payload), count: 1 } as const;
  propose(work, leader, proposal);
}

/**
 * A configuration may have become committed: a joint one is followed by the new one alone (§6); that one
 * completes the change. Gives whether this leader is not in it any more.
 */
export function onConfigurationCommitted(work: Work, leader: LeaderDraft): 'stays' | 'leaves' {
  const { draft } = work;
  const latest = draft.configurations.at(-1) as ConfigurationAt;
  if (latest.index > draft.commitIndex || draft.commitIndex < leader.readyIndex) return 'stays';
  if (latest.index === leader.settledIndex) return 'stays'; // Acted on already.
  leader.settledIndex = latest.index;
  if (latest.configuration.votersOutgoing.length > 0) {
    proposeConfiguration(work, leader, { ...latest.configuration, votersOutgoing: [] });
    return 'stays';
  }
  bidFarewell(work, leader, latest.configuration);
  followMembers(draft, leader);
  if (leader.changeId !== null) answerAdmin(work, leader.changeId, { type: 'ok' });
  leader.changeId = null;
  return isVoter(configurationOf(draft), draft.self) ? 'stays' : 'leaves';
}

/** Those who leave hear that it is so: nobody talks to them afterwards. */
function bidFarewell(work: Work, leader: LeaderDraft, configuration: Configuration): void {
  const members = membersOf(configuration);
  for (let place = 0; place < leader.peers.length; place++) {
    const isStaying = members.some((member) => isSamePeer(member, leader.peers[place] as Progress));
    if (!isStaying) probe(work, leader, edit(leader, place));
  }
}

/** Promotes the learners that are to vote and have caught up, if nothing else is under way. */
export function promoteLearners(work: Work, leader: LeaderDraft): void {
  const { draft } = work;
  const { configuration } = draft.configurations.at(-1) as ConfigurationAt;
  const ready = configuration.learners.filter(
    (learner) => learner.willVote === true && isUpToDate(draft, leader, learner),
  );
  if (ready.length === 0 || obstacleOf(draft, leader) !== undefined) return;
  const changes = ready.map(({ id }) => ({ type: 'promote', id }) as const);
  const change = changed(configuration, changes, { isCaughtUp: () => true });
  if (change.type === 'configuration')
    proposeConfiguration(work, leader, towards(configuration, change.configuration));
}
