import type { ConfigurationAt } from '../core/index.ts';
import { askForClient, askForCompaction, askForMembers, askForTransfer } from './requests.ts';
import type { Storm } from './storm.ts';
import type { Strike } from './weather.ts';

/** In half of the cases it strikes a leader: there it hurts. */
const leaderPercent = 50;

/** What each strike does. */
export const strikes: Readonly<Record<Strike, (storm: Storm) => void>> = {
  client: askForClient,
  members: askForMembers,
  transfer: askForTransfer,
  compact: askForCompaction,
  crash,
  cut: (storm) =>
    storm.network.cut(storm.pickHost(leaderPercent).id, storm.now + storm.dice.between(50, 1200)),
  pause,
  slowDisk,
  hungDisk,
  failDisk: (storm) => {
    storm.pickHost(leaderPercent).isFailing = true;
  },
  clock,
  wipe,
};

/** One node dies, or more than half of them at once. Nothing unflushed survives, or some of it. */
function crash(storm: Storm): void {
  const { dice } = storm;
  const first = storm.pickHost(leaderPercent);
  const count = dice.chance(10) ? dice.between(2, storm.hosts.length) : 1;
  const from = dice.below(storm.hosts.length);
  const others = [...storm.hosts.slice(from), ...storm.hosts.slice(0, from)].filter((host) => host !== first);
  for (const host of [first, ...others].slice(0, count)) {
    const { unflushed } = storm.node(host);
    storm.crash(host, dice.chance(50) ? 0 : dice.between(0, unflushed.length));
  }
}

/** A process is stopped for a while: no clock, no messages, no work. */
function pause(storm: Storm): void {
  const host = storm.pickHost(leaderPercent);
  if (!storm.isRunning(host)) return;
  storm.counts.pauses += 1;
  host.pausedUntil = storm.now + storm.dice.between(20, 800);
}

function slowDisk(storm: Storm): void {
  const host = storm.pickHost(leaderPercent);
  host.slowUntil = storm.now + storm.dice.between(50, 1500);
  if (storm.node(host).isUp) storm.counts.slowDisks += 1;
}

function hungDisk(storm: Storm): void {
  const host = storm.pickHost(leaderPercent);
  host.hungUntil = storm.now + storm.dice.between(200, 1200);
  if (storm.node(host).isUp) storm.counts.hungDisks += 1;
}

/** A clock is set forward, by as much as several elections, or back. */
function clock(storm: Storm): void {
  const host = storm.pickHost(leaderPercent);
  host.clockOffsetMs += storm.dice.between(-400, 1200);
  if (storm.node(host).isUp) storm.counts.clockJumps += 1;
}

/**
 * A disk is lost for good, and its node comes back under its old name with an empty one. One of three voters or
 * more, one at a time, and not while the members change: more than a minority nobody survives.
 */
function wipe(storm: Storm): void {
  const host = storm.pickHost(leaderPercent);
  const latest = storm.hosts.map((each) => storm.node(each).state.configurations.at(-1));
  const isSettled = latest.every(
    (at) => at?.index === latest[0]?.index && at?.configuration.votersOutgoing.length === 0,
  );
  const { voters, learners } = (latest[0] as ConfigurationAt).configuration;
  const isWhole = [...voters, ...learners].every((member) => storm.isAlive(member));
  if (!isSettled || !isWhole || voters.length < 3 || !storm.node(host).isUp) return;
  storm.crash(host, 0);
  storm.perform({ type: 'wipe', at: host.id });
}
