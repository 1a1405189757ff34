import {
  type AppendEntries,
  type AppendEntriesReply,
  configurationOf,
  type EntryBatch,
  type Input,
  index,
  type Leader,
  lastTerm,
  type Message,
  membersOf,
  type Peer,
  type Progress,
  type State,
  term,
  termAt,
} from '../../../src/core/index.ts';
import type { Dice } from '../../../src/testing/dice.ts';
import { ack, appendEntries, batchOf, from, preVote, preVoteRequest, vote, voteRequest } from './builders.ts';
import { configurationBatch } from './builders-membership.ts';

type Make = () => Input;

/** Messages that this node would act on, from members that may send them. */
export function fittingMessages(state: State, dice: Dice): readonly Make[] {
  const others = membersOf(configurationOf(state)).filter(({ id }) => id !== state.self.id);
  if (others.length === 0) return [() => ({ type: 'tick', now: state.now + 50 })];
  const { id, storeId } = dice.pick(others);
  const other: Peer = { id, storeId };
  const { role } = state;
  const anyRole: readonly Make[] = [
    () => from(other, preVoteRequest(state.currentTerm + 1, lastOfLog(state))),
    () =>
      from(other, { ...voteRequest(state.currentTerm + 1, lastOfLog(state)), isTransfer: true } as Message),
  ];
  switch (role.type) {
    case 'follower': {
      const leader = role.leader ?? other;
      const fromLeader = messagesOfLeader(state, dice, leader);
      return [...fromLeader, ...fromLeader, ...anyRole];
    }
    case 'preCandidate':
      return [
        () => from(other, preVote(state.currentTerm + 1)),
        () => from(other, preVote(state.currentTerm + 1)),
        () => from(other, preVote(state.currentTerm + dice.between(1, 2), false)),
        dice.pick(messagesOfLeader(state, dice, other)),
        dice.pick(anyRole),
      ];
    case 'candidate':
      return [
        () => from(other, vote(state.currentTerm)),
        () => from(other, vote(state.currentTerm)),
        () => from(other, vote(state.currentTerm)),
        () => from(other, vote(state.currentTerm + dice.between(0, 1), false)),
        dice.pick(messagesOfLeader(state, dice, other)),
      ];
    case 'leader':
      return answersTo(state, role, dice);
  }
}

function lastOfLog({ log }: State): readonly [number, number] {
  return [log.lastIndex, lastTerm(log)];
}

/** What a leader says to a node that follows it, or has reason to. */
function messagesOfLeader(state: State, dice: Dice, leader: Peer): readonly Make[] {
  const { role, currentTerm } = state;
  const isFollowing = role.type === 'follower' && role.leader !== null;
  const inTerm = Math.max(1, currentTerm + (isFollowing ? 0 : dice.below(2)));
  const append = () => from(leader, fittingAppend(state, dice, inTerm));
  const install = () => from(leader, fittingSnapshot(state, dice, inTerm));
  const makes = [append, append, append, install];
  return isFollowing ? [...makes, () => from(leader, { type: 'timeoutNow', term: currentTerm })] : makes;
}

/** Entries after a place where the logs agree; or, now and then, after one where they do not. */
function fittingAppend(state: State, dice: Dice, inTerm: number): AppendEntries {
  const { role, log, commitIndex } = state;
  const isNew = role.type !== 'follower' || role.leader === null || inTerm > state.currentTerm;
  const at = dice.between(isNew ? commitIndex : role.verifiedIndex, log.lastIndex);
  const prevTerm = termAt(log, index(at)) ?? 0;
  const isBeyond = dice.chance(12);
  const prev = [isBeyond ? log.lastIndex + dice.between(1, 3) : at, isBeyond ? inTerm : prevTerm] as const;
  const batches = batchesAfter(state, dice, { at: prev[0], inTerm, low: Math.max(1, prev[1]) });
  const commit = prev[0] + dice.below(3);
  const round = role.type === 'follower' ? role.round + dice.below(2) : 0;
  return appendEntries({ term: inTerm, prev, batches, commit, round });
}

function batchesAfter(
  state: State,
  dice: Dice,
  { at, inTerm, low }: { at: number; inTerm: number; low: number },
): readonly EntryBatch[] {
  const first = dice.between(low, inTerm);
  const batches = Array.from({ length: dice.below(4) }, (_, place) => batchOf(at + 1 + place, first));
  const { votersOutgoing, ...rest } = configurationOf(state);
  if (!dice.chance(25) || votersOutgoing.length > 0) return batches;
  const moved = { ...rest, learners: rest.learners.map((member) => ({ ...member, url: 'ws://moved' })) };
  return [...batches, configurationBatch(at + 1 + batches.length, inTerm, { ...moved, votersOutgoing })];
}

/** A snapshot above what is committed, of the configuration that is committed. */
function fittingSnapshot(state: State, dice: Dice, inTerm: number): Message {
  const { log, commitIndex, configurations } = state;
  const at = index(dice.between(commitIndex + 1, log.lastIndex + 3));
  const held = termAt(log, at) ?? inTerm;
  const snapshot = {
    index: at,
    term: term(dice.chance(33) ? inTerm : Math.min(held, inTerm)),
    logTimeMs: 0,
    configuration: configurations.filter((known) => known.index <= at).at(-1) as (typeof configurations)[0],
  };
  return { type: 'installSnapshot', term: term(inTerm), transferId: `t${at}`, snapshot };
}

/** What followers answer. */
function answersTo(state: State, leader: Leader, dice: Dice): readonly Make[] {
  const { currentTerm } = state;
  if (leader.peers.length === 0) return [() => ({ type: 'tick', now: state.now + 50 })];
  const peer = dice.pick(leader.peers);
  const reply = (message: Message) => () => from({ id: peer.id, storeId: peer.storeId }, message);
  const round = dice.between(peer.round, leader.round);
  const matchIndex = dice.between(peer.matchIndex, Math.max(peer.matchIndex, peer.nextIndex - 1));
  const accepted = reply(ack(currentTerm, matchIndex, round));
  const all = reply(ack(currentTerm, Math.max(peer.matchIndex, peer.nextIndex - 1), leader.round));
  const makes = [accepted, all, all, reply(refusedBy(state, peer, dice))];
  return dice.chance(4)
    ? [...makes, reply(ack(currentTerm + 1, 0)), reply(vote(currentTerm + 1, false))]
    : makes;
}

function refusedBy(state: State, peer: Progress, dice: Dice): AppendEntriesReply {
  const rejectedIndex = peer.arrivedSnapshot?.snapshot.index ?? index(peer.nextIndex - 1);
  const hintIndex = index(dice.between(0, Math.max(0, rejectedIndex - 1)));
  const hintTerm = termAt(state.log, hintIndex) ?? term(0);
  const reply = ack(state.currentTerm, 0, peer.round) as AppendEntriesReply;
  return { ...reply, success: false, rejectedIndex, hintIndex, hintTerm };
}
