import { configurationOf, type Member, type State } from '../core/index.ts';
import type { BareNode } from './bare-node.ts';
import { writeAtLeader } from './requests.ts';
import type { Storm } from './storm.ts';
import { expectThat } from './violation.ts';
import { cleared } from './weather.ts';

/**
 * The weather clears: everything that was broken is mended. Within `withinMs` a leader must be there, commit a write,
 * and bring every member to the same point; and whoever waits for an answer must have it.
 */
export function recover(storm: Storm, withinMs: number): void {
  clearUp(storm);
  const deadline = storm.now + withinMs;
  const { counts } = storm;
  const committedBefore = counts.committed;
  let nextWriteAt = storm.now;
  while (!isWell(storm, committedBefore)) {
    expectThat(storm.now < deadline, () => `the cluster has not recovered ${withinMs} ms after the storm`);
    if (storm.now >= nextWriteAt && counts.committed === committedBefore) {
      nextWriteAt = storm.now + 200;
      writeAtLeader(storm);
    }
    storm.advance();
  }
  checkMachinesAreSame(storm);
}

function clearUp(storm: Storm): void {
  storm.isOver = true;
  storm.weather = cleared(storm.weather);
  storm.network.heal();
  for (const host of storm.hosts) {
    host.slowUntil = 0;
    host.hungUntil = 0;
    host.isFailing = false;
    storm.restart(host);
  }
}

/** Every member whose disk is there is at the same point; everybody has got the answers due. */
function isWell(storm: Storm, committedBefore: number): boolean {
  if (storm.counts.committed === committedBefore) return false;
  const nodes = [...storm.stage.cluster.nodes.values()];
  const leader = nodes.find(({ state }) => state.role.type === 'leader' && isAtRest(state));
  if (leader === undefined || !nodes.every(isIdle)) return false;
  const { votersOutgoing, learners } = configurationOf(leader.state);
  const isJoining = learners.some((learner) => learner.willVote === true && storm.isAlive(learner));
  if (votersOutgoing.length > 0 || isJoining) return false;
  return livingMembers(storm, leader).every(({ id }) => isAbreast(storm.stage.node(id), leader));
}

function livingMembers(storm: Storm, leader: BareNode): readonly Member[] {
  const { voters, learners } = configurationOf(leader.state);
  return [...voters, ...learners].filter((member) => storm.isAlive(member));
}

function isAbreast({ state, appliedIndex }: BareNode, leader: BareNode): boolean {
  const isCommitted = state.commitIndex === state.log.lastIndex && appliedIndex === state.commitIndex;
  return (
    isCommitted &&
    state.log.lastIndex === leader.state.log.lastIndex &&
    state.currentTerm === leader.state.currentTerm &&
    state.configurations.at(-1)?.index === leader.state.configurations.at(-1)?.index
  );
}

/** The members' state machines hold the same commands, at the same indexes. */
function checkMachinesAreSame(storm: Storm): void {
  const leader = [...storm.stage.cluster.nodes.values()].find(({ state }) => state.role.type === 'leader');
  if (leader === undefined) return;
  const textOf = ({ applied }: BareNode) => applied.map(({ index, command }) => `${index} ${command}`).join();
  const right = textOf(leader);
  for (const { id } of livingMembers(storm, leader)) {
    expectThat(
      textOf(storm.stage.node(id)) === right,
      () => `the machines of ${id} and ${leader.self.id} differ after the storm`,
    );
  }
}

/** A leader with nobody waiting, and nothing under way. */
function isAtRest({ writes, queries, role }: State): boolean {
  if (role.type !== 'leader' || writes.length > 0 || queries.length > 0) return false;
  return role.reads.length === 0 && role.changeId === null && role.transfer === null;
}

/** A node whose disk and machine have nothing to do. */
function isIdle({ state, laneLength, logReads, views, unheard }: BareNode): boolean {
  const hasNobodyWaiting = state.writes.length === 0 && state.queries.length === 0;
  return (
    laneLength === 0 &&
    unheard === 0 &&
    logReads === 0 &&
    views === 0 &&
    state.compacting === null &&
    hasNobodyWaiting
  );
}
