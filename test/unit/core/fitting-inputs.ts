import {
  type Completion,
  configurationOf,
  type EntryBatch,
  type Index,
  type Input,
  index,
  lastOf,
  type MemberChange,
  membersOf,
  type NodeId,
  type Progress,
  type State,
  termAt,
} from '../../../src/core/index.ts';
import type { Dice } from '../../../src/testing/dice.ts';
import { batchOf, n4, n5, write } from './builders.ts';
import { adding, change } from './builders-membership.ts';
import { fittingMessages } from './fitting-messages.ts';

type Make = () => Input;

/**
 * An input that this state accepts: terms, indexes, sequences, members and completions are what the node waits for, or
 * are next to it.
 */
export function fittingInput(state: State, dice: Dice): Input {
  const completions = pending(state, dice);
  const kinds: readonly (readonly Make[])[] = [
    fittingMessages(state, dice),
    fittingMessages(state, dice),
    state.role.type === 'leader' ? leaderRequests(state, dice) : localRequests(state, dice),
    completions.length > 0 ? completions : fittingMessages(state, dice),
    timeAndNetwork(state, dice),
  ];
  return dice.pick(dice.pick(kinds))();
}

/** What any node can be asked. */
function localRequests({ compacting }: State, dice: Dice): readonly Make[] {
  const id = dice.below(1000);
  const campaign: Make = () => ({ type: 'campaign', id });
  return compacting === null
    ? [campaign, () => ({ type: 'compact', id, keepsPrevious: dice.chance(50) })]
    : [campaign];
}

/** What only a leader carries out. */
function leaderRequests(state: State, dice: Dice): readonly Make[] {
  const id = dice.below(1000);
  const words = Array.from({ length: dice.between(1, 3) }, (_, at) => `word ${at}`);
  return [
    () => write(id, ...words),
    () => write(id, ...words),
    () => ({ type: 'read', id }),
    () => ({ type: 'read', id, payload: Uint8Array.of(id % 256) }),
    () => change(id, fittingChange(state, dice)),
    () => ({
      ...(change(id, fittingChange(state, dice)) as Extract<Input, { type: 'changeMembers' }>),
      expectedIndex: state.configurations.at(-1)?.index ?? index(0),
    }),
    () => transfer(state, dice, id),
    ...localRequests(state, dice).slice(1),
  ];
}

function transfer(state: State, dice: Dice, id: number): Input {
  const others = configurationOf(state).voters.filter((voter) => voter.id !== state.self.id);
  return dice.chance(33) || others.length === 0
    ? { type: 'transferLeadership', id }
    : { type: 'transferLeadership', id, to: dice.pick(others).id };
}

/** A change that the configuration in effect allows, as far as a leader that is not busy is concerned. */
function fittingChange(state: State, dice: Dice): MemberChange {
  const configuration = configurationOf(state);
  const ids = membersOf(configuration).map(({ id }) => id);
  const absent = [n4, n5].filter(({ id }) => !ids.includes(id));
  const voters = configuration.voters.map(({ id }) => id);
  const learners = configuration.learners.map(({ id }) => id);
  const changes: MemberChange[] = [{ type: 'move', id: dice.pick(ids), url: `ws://moved:${dice.below(9)}` }];
  if (absent.length > 0) changes.push(adding(dice.pick(absent), dice.pick(['voter', 'learner'])));
  if (voters.length > 1) changes.push({ type: dice.pick(['remove', 'demote']), id: dice.pick(voters) });
  if (learners.length > 0) changes.push({ type: dice.pick(['promote', 'remove']), id: dice.pick(learners) });
  return dice.pick(changes);
}

/** The completions that this node waits for. */
function pending(state: State, dice: Dice): readonly (() => Completion)[] {
  const makes: (() => Completion)[] = [];
  const { persistSeq, durableSeq, commitIndex, lastApplied, queries } = state;
  if (durableSeq < persistSeq) {
    makes.push(() => ({ type: 'persistRes', seq: dice.between(durableSeq + 1, persistSeq) }));
  }
  if (lastApplied < commitIndex) {
    const appliedIndex = () => index(dice.between(lastApplied + 1, commitIndex));
    makes.push(() => ({
      type: 'applyRes',
      seq: state.applySeq,
      appliedIndex: appliedIndex(),
      durableIndex: index(0),
    }));
  }
  for (const id of queries.slice(0, 1)) {
    makes.push(() => ({
      type: 'readStateMachineRes',
      id,
      ...(dice.chance(50) && { payload: Uint8Array.of(1) }),
    }));
  }
  if (state.role.type === 'leader')
    makes.push(...state.role.peers.flatMap((peer) => served(state, dice, peer)));
  return [...makes, ...snapshotsOf(state, dice)];
}

/** What is under way for a follower: reading the log, or sending a snapshot. */
function served(state: State, dice: Dice, peer: Progress): readonly (() => Completion)[] {
  const makes: (() => Completion)[] = [];
  const { readSeq, nextIndex, snapshotSeq, snapshotFrom, arrivedSnapshot } = peer;
  if (readSeq > 0) {
    const count = dice.between(1, 4);
    makes.push(() => ({
      type: 'readLogRes',
      seq: readSeq,
      batches: heldFrom(state, { from: nextIndex, count }),
    }));
  }
  if (snapshotSeq > 0 && arrivedSnapshot === null) {
    const at = index(dice.between(snapshotFrom, state.lastApplied));
    const sent = dice.chance(25) ? null : { transferId: `t${snapshotSeq}`, index: at, logTimeMs: 0 };
    makes.push(() => ({ type: 'sendSnapshotRes', seq: snapshotSeq, sent }));
  }
  return makes;
}

/** A snapshot of its own, and one that it is switching to. */
function snapshotsOf(state: State, dice: Dice): readonly (() => Completion)[] {
  const { compacting, installing, snapshotIndex, lastApplied } = state;
  const makes: (() => Completion)[] = [];
  if (compacting?.isSnapshotTaken === false) {
    const at = index(dice.between(snapshotIndex, lastApplied));
    makes.push(() => ({ type: 'takeSnapshotRes', seq: compacting.seq, index: at }));
  }
  if (compacting?.isSnapshotTaken === true)
    makes.push(() => ({ type: 'compactLogRes', seq: compacting.seq }));
  if (installing !== null) {
    makes.push(() => ({ type: 'installSnapshotRes', seq: installing.seq, isInstalled: !dice.chance(25) }));
  }
  return makes;
}

/** Batches of one entry each, as this node's log holds them. */
function heldFrom(state: State, { from, count }: { from: Index; count: number }): readonly EntryBatch[] {
  const batches: EntryBatch[] = [];
  for (let at = from; at <= state.log.lastIndex && batches.length < count; at = index(at + 1)) {
    const term = termAt(state.log, at);
    if (term !== undefined) batches.push(batchOf(at, term));
  }
  return batches.length > 0 && lastOf(batches[0] as EntryBatch) >= from ? batches : [];
}

function timeAndNetwork(state: State, dice: Dice): readonly Make[] {
  const id: NodeId = dice.pick(membersOf(configurationOf(state))).id;
  return [
    () => ({ type: 'tick', now: state.now + dice.between(1, 60) }),
    () => ({ type: 'tick', now: state.now + 50 }),
    () => ({ type: 'tick', now: state.now + 50 }),
    () => (state.downPeers.includes(id) ? { type: 'peerUp', id } : { type: 'peerDown', id }),
  ];
}
