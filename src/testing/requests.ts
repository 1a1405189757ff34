import { configurationOf, type MemberChange, type NodeId, type RequestId } from '../core/index.ts';
import type { Host } from './host.ts';
import type { Storm } from './storm.ts';

/** Callers name their requests as they like: with few names to choose from they often choose alike. */
const requestIdMax = 40;
/** So many of the operator's requests go to any node, whether it leads or not. */
const strayPercent = 5;

/** A client writes or reads: usually at a node that leads. */
export function askForClient(storm: Storm): void {
  const { dice, weather } = storm;
  const asked = pickRunning(storm, storm.pickLeader(weather.strayPercent));
  if (asked === undefined) return;
  const { at, id } = asked;
  if (dice.chance(weather.readPercent)) storm.perform({ type: 'read', at, id });
  else storm.perform({ type: 'write', at, id, commands: newCommands(storm, dice.between(1, 3)) });
}

/** A client writes at a node that leads, if there is one. */
export function writeAtLeader(storm: Storm): void {
  const asked = pickRunning(storm, storm.pickLeader(0));
  if (asked !== undefined) storm.perform({ type: 'write', ...asked, commands: newCommands(storm, 1) });
}

/** The operator changes the members: one at a time, or several at once. Members whose disk is lost go first. */
export function askForMembers(storm: Storm): void {
  const { dice, hosts } = storm;
  const asked = pickRunning(storm, storm.pickLeader(strayPercent));
  if (asked === undefined) return;
  const { voters, learners } = configurationOf(storm.stage.node(asked.at).state);
  const lost = [...voters, ...learners].filter((member) => !storm.isAlive(member));
  const changes: MemberChange[] = lost.map(({ id }) => ({ type: 'remove', id }));
  const count = lost.length > 0 ? dice.below(2) : dice.pick([1, 1, 1, 2, 3]);
  for (let added = 0; added < count; added++) {
    const { id } = dice.pick(hosts);
    changes.push(lost.length > 0 ? addition(storm, id) : anyChange(storm, id));
  }
  storm.perform({ type: 'changeMembers', ...asked, changes });
}

export function askForTransfer(storm: Storm): void {
  const asked = pickRunning(storm, storm.pickLeader(strayPercent));
  if (asked === undefined) return;
  const to = storm.dice.chance(50) ? undefined : storm.dice.pick(storm.hosts).id;
  storm.perform({ type: 'transferLeadership', ...asked, to });
}

export function askForCompaction(storm: Storm): void {
  const asked = pickRunning(storm, storm.dice.pick(storm.hosts));
  if (asked !== undefined) storm.perform({ type: 'compact', ...asked, keepsPrevious: storm.dice.chance(30) });
}

/** Where to ask, and under which name; `undefined` if nobody would hear it. */
function pickRunning(storm: Storm, host: Host | undefined): { at: NodeId; id: RequestId } | undefined {
  if (host === undefined || !storm.isRunning(host)) return undefined;
  return { at: host.id, id: newRequestId(storm, host) };
}

/** Any name that nobody waits under at this node. */
function newRequestId({ dice, stage }: Storm, host: Host): RequestId {
  for (let max = requestIdMax; ; max *= 2) {
    const id = dice.between(1, max);
    if (stage.oracle.isFree(host.id, id)) return id;
  }
}

function newCommands(storm: Storm, count: number): readonly string[] {
  const commands: string[] = [];
  while (commands.length < count) commands.push(storm.newCommand());
  return commands;
}

function anyChange(storm: Storm, id: NodeId): MemberChange {
  switch (storm.dice.below(6)) {
    case 0:
      return { type: 'remove', id };
    case 1:
      return { type: 'promote', id };
    case 2:
      return { type: 'demote', id };
    case 3:
      return { type: 'move', id, url: `ws://${id}.test:${storm.now}` };
    default:
      return addition(storm, id);
  }
}

function addition(storm: Storm, id: NodeId): MemberChange {
  const role = storm.dice.chance(70) ? 'voter' : 'learner';
  return { type: 'add', member: storm.stage.cluster.member(id), role };
}
