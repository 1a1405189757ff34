import { isVoter } from './configuration.ts';
import { lastTerm } from './log.ts';
import type { Progress } from './progress.ts';
import { isQuorum } from './quorum.ts';
import type { Leader } from './role-state.ts';
import { isSilent } from './silence.ts';
import { configurationOf, durableIndex, type State } from './state.ts';
import { isSamePeer, type Peer } from './types.ts';

/** Something that a person would ask about, in a sentence or two. */
export interface Explanation {
  /** What it is about; stable, for programs. */
  readonly topic: 'noLeader' | 'membership' | 'disk' | 'writes' | 'reads' | 'lag' | 'snapshot' | 'transfer';
  readonly text: string;
}

/**
 * A node in words: why there is no leader, why writes wait, who lags and why. Empty when there is nothing
 * to say. It tells what this node knows, which may be out of date unless it leads.
 */
export function explain(state: State): readonly Explanation[] {
  const { role } = state;
  const about = role.type === 'leader' ? explainLeader(state, role) : explainOther(state);
  return [...about, ...explainDisk(state), ...explainSnapshot(state)];
}

function say(topic: Explanation['topic'], text: string): Explanation {
  return { topic, text };
}

function explainOther(state: State): readonly Explanation[] {
  const { role, self } = state;
  const hasLeader = role.type === 'follower' && role.leader !== null;
  if (!isVoter(configurationOf(state), self) && !hasLeader) {
    return [
      say(
        'noLeader',
        `${self.id} is not a voter, hears from no leader, and can't stand for election itself.`,
      ),
    ];
  }
  switch (role.type) {
    case 'preCandidate':
      return [say('noLeader', askingText(state, role.votes))];
    case 'candidate':
      return [say('noLeader', standingText(state, role.votes))];
    case 'follower':
      return role.leader === null ? [say('noLeader', waitingText(state))] : followerText(state);
    default:
      return [];
  }
}

function askingText(state: State, votes: readonly Peer[]): string {
  return (
    `${state.self.id} asks whether it could win an election: ${votesText(state, votes, 'needed')} say yes. ` +
    'Those that do not may be down or cut off, hear from a leader, or hold more of the log.'
  );
}

function standingText(state: State, votes: readonly Peer[]): string {
  const { self, currentTerm, log } = state;
  return (
    `${self.id} stands for election in term ${currentTerm} with ${votesText(state, votes, 'votes')}` +
    `${votes.length === 0 ? ', its own not yet on disk' : ''}; its log ends at ${log.lastIndex} (term ${lastTerm(log)}).`
  );
}

/** So many of the votes that it takes; in a joint configuration, of those that each half takes (§6). */
function votesText(state: State, votes: readonly Peer[], noun: string): string {
  const { voters, votersOutgoing } = configurationOf(state);
  const among = (half: readonly Peer[]): string => {
    const given = half.filter((voter) => votes.some((vote) => isSamePeer(vote, voter)));
    return `${given.length} of ${Math.floor(half.length / 2) + 1} ${noun}`;
  };
  if (votersOutgoing.length === 0) return among(voters);
  return `${among(voters)} of the new voters and ${among(votersOutgoing)} of the old ones`;
}

function waitingText(state: State): string {
  const left = Math.max(0, state.electionTimeoutMs - state.electionElapsedMs);
  return `${state.self.id} knows no leader in term ${state.currentTerm}, and asks to become one in ${left} ms if none shows up.`;
}

function followerText(state: State): readonly Explanation[] {
  const { role, commitIndex, lastApplied } = state;
  if (role.type !== 'follower' || role.leader === null) return [];
  const { leader } = role;
  if (role.isLeaderDown) {
    return [
      say(
        'noLeader',
        `The connection to the leader ${leader.id} is down; ${state.self.id} is about to call an election.`,
      ),
    ];
  }
  if (state.electionElapsedMs > 2 * state.config.heartbeatIntervalMs) {
    const text = `${state.self.id} has not heard from the leader ${leader.id} for ${state.electionElapsedMs} ms; it waits until ${state.electionTimeoutMs} ms.`;
    return [say('noLeader', text)];
  }
  const behind = commitIndex - lastApplied;
  return behind > 0
    ? [say('lag', `The state machine of ${state.self.id} has ${behind} committed entries left to apply.`)]
    : [];
}

function explainLeader(state: State, leader: Leader): readonly Explanation[] {
  return [
    ...explainWrites(state, leader),
    ...explainReads(state, leader),
    ...explainMembership(state, leader),
    ...leader.peers.flatMap((peer) => explainPeer(state, { leader, peer })),
  ];
}

/** Why entries are not committed: who is missing from the quorum. */
function explainWrites(state: State, leader: Leader): readonly Explanation[] {
  const waiting = state.log.lastIndex - state.commitIndex;
  if (waiting === 0) return [];
  const next = state.commitIndex + 1;
  const holds = (voter: { readonly id: string; readonly storeId: string }) =>
    isSamePeer(voter, state.self)
      ? durableIndex(state) >= next
      : leader.peers.some((peer) => isSamePeer(peer, voter) && peer.matchIndex >= next);
  const { voters, votersOutgoing } = configurationOf(state);
  const missing = [
    ...new Set([...voters, ...votersOutgoing].filter((voter) => !holds(voter)).map(({ id }) => id)),
  ];
  const isAgreed = isQuorum(configurationOf(state), holds);
  const why = isAgreed
    ? `A majority holds ${next}, but not yet an entry of this leader's own term ${state.currentTerm} (§5.4.2).`
    : `${next} waits for a majority; ${missing.join(', ')} ${missing.length === 1 ? 'has' : 'have'} not got it on disk.`;
  return [say('writes', `${waiting} entries are not committed. ${why}`)];
}

function explainReads(state: State, leader: Leader): readonly Explanation[] {
  if (leader.reads.length === 0) return [];
  const why =
    state.commitIndex < leader.readyIndex
      ? `the leader has not committed entry ${leader.readyIndex} of its own term yet`
      : 'a majority has not confirmed yet that the leader still leads';
  return [say('reads', `${leader.reads.length} reads wait: ${why}.`)];
}

function explainMembership(state: State, leader: Leader): readonly Explanation[] {
  const { votersOutgoing, learners } = configurationOf(state);
  const said: Explanation[] = [];
  if (votersOutgoing.length > 0) {
    said.push(
      say('membership', 'A change of members is under way: both the old and the new majority have to agree.'),
    );
  }
  const joining = learners.filter((learner) => learner.willVote === true).map(({ id }) => id);
  if (joining.length > 0) said.push(say('membership', `${joining.join(', ')} will vote once caught up.`));
  if (leader.transfer !== null) {
    said.push(
      say('transfer', `Leadership is being handed over to ${leader.transfer.to.id}; writes wait meanwhile.`),
    );
  }
  return said;
}

function explainPeer(
  state: State,
  { leader, peer }: { readonly leader: Leader; readonly peer: Progress },
): readonly Explanation[] {
  const isLate = !peer.isActive && leader.quorumElapsedMs > 2 * state.config.heartbeatIntervalMs;
  const lag = state.log.lastIndex - peer.matchIndex;
  const lacks = peer.matchIndex === 0 ? 'what it lacks is not known yet' : `it lacks ${lag} entries`;
  if (!peer.isConnected) return [say('lag', `${peer.id} is not connected; ${lacks}.`)];
  if (isLate || isSilent(leader, peer))
    return [say('lag', `${peer.id} is connected but has not answered lately; ${lacks}.`)];
  if (peer.state === 'snapshot') {
    return [
      say(
        'snapshot',
        `${peer.id} is getting a snapshot: it needs entries from ${peer.matchIndex + 1}, the log begins after ${state.log.startIndex}.`,
      ),
    ];
  }
  if (peer.state === 'probe')
    return [say('lag', `${peer.id}: looking for the place where its log agrees, at ${peer.nextIndex - 1}.`)];
  const isFull = peer.inflightBytes >= state.config.inflightBytesMax;
  if (isFull)
    return [
      say(
        'lag',
        `${peer.id} lags by ${lag} entries: ${peer.inflightBytes} bytes are sent and not acknowledged, the limit.`,
      ),
    ];
  return [];
}

function explainDisk(state: State): readonly Explanation[] {
  if (state.flushElapsedMs < state.config.heartbeatIntervalMs) return [];
  return [
    say('disk', `The disk of ${state.self.id} has not finished a flush for ${state.flushElapsedMs} ms.`),
  ];
}

function explainSnapshot({ compacting, installing, self }: State): readonly Explanation[] {
  const said: Explanation[] = [];
  if (compacting !== null) said.push(say('snapshot', `${self.id} is taking a snapshot.`));
  if (installing !== null)
    said.push(say('snapshot', `${self.id} is installing the snapshot of ${installing.snapshot.index}.`));
  return said;
}
