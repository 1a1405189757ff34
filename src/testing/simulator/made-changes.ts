import type { Configuration, ConfigurationAt } from '../../core/index.ts';
import type { MembershipChange } from '../../streams/raft-node.ts';
import { expectThat } from '../violation.ts';
import { shown } from '../words-of.ts';

/**
 * What an operator was told is true: since it asked, a configuration with all of these changes was committed, the last
 * that was known then included. Throws an `InvariantViolation` if none was.
 */
export function checkMade(changes: readonly MembershipChange[], committed: readonly ConfigurationAt[]): void {
  expectThat(
    committed.some(({ configuration }) => changes.every((change) => isMade(configuration, change, changes))),
    () =>
      `the change ${shown(changes)} was answered as committed, and committed is ${shown(committed.at(-1))}`,
  );
}

function isMade(
  configuration: Configuration,
  change: MembershipChange,
  changes: readonly MembershipChange[],
): boolean {
  const { voters, votersOutgoing, learners } = configuration;
  const { id } = change;
  const voter = voters.find((member) => member.id === id);
  const learner = learners.find((member) => member.id === id);
  const member = voter ?? learner;
  if (votersOutgoing.length > 0) return false;
  switch (change.type) {
    case 'add':
      return member?.storeId === change.storeId && member?.url === change.url;
    case 'remove':
      return member === undefined || changes.some((other) => other.type === 'add' && other.id === id);
    case 'promote':
      return voter !== undefined;
    case 'demote':
      return learner !== undefined && learner.willVote !== true;
    case 'move':
      return member?.url === change.url;
  }
}
