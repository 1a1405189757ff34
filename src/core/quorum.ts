import type { Configuration, Member } from './configuration.ts';
import type { Peer } from './types.ts';

/**
 * The highest value that a majority of the voters has reached; in a joint configuration, that a majority
 * of each half has (§6). `reachedBy` gives 0 for a voter that is not known to have reached anything.
 */
export function quorumValue(configuration: Configuration, reachedBy: (voter: Peer) => number): number {
  const incoming = majorityValue(configuration.voters, reachedBy);
  if (configuration.votersOutgoing.length === 0) return incoming;
  return Math.min(incoming, majorityValue(configuration.votersOutgoing, reachedBy));
}

/** The plain sort: with the values in descending order, a majority has reached the one in the middle. */
function majorityValue(voters: readonly Member[], reachedBy: (voter: Peer) => number): number {
  const values = voters.map(reachedBy);
  sortDescending(values);
  return values[Math.floor(voters.length / 2)] ?? 0; // Without voters nothing is ever agreed.
}

/** By insertion: of so few values, that takes a sixth of the time of `sort`. */
function sortDescending(values: number[]): void {
  for (let place = 1; place < values.length; place++) {
    const value = values[place] as number;
    let at = place;
    for (; at > 0 && (values[at - 1] as number) < value; at--) values[at] = values[at - 1] as number;
    values[at] = value;
  }
}

/** Whether those for whom `holds` is true are a quorum. */
export function isQuorum(configuration: Configuration, holds: (voter: Peer) => boolean): boolean {
  return quorumValue(configuration, (voter) => (holds(voter) ? 1 : 0)) === 1;
}
