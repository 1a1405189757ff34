import type { StateMachine } from '../../streams/state-machine.ts';

/** A machine that tells of each command that it is given. */
export function tellingMachine<Command, Result, Query, Answer>(
  machine: StateMachine<Command, Result, Query, Answer>,
  onExecute: () => void,
): StateMachine<Command, Result, Query, Answer> {
  const { snapshot, restore, isSnapshotEntry } = machine;
  return {
    keeps: machine.keeps,
    command: machine.command,
    result: machine.result,
    open: (store) => machine.open(store),
    apply(commands, at) {
      for (const _ of commands) onExecute();
      return machine.apply(commands, at);
    },
    query: (query) => machine.query(query),
    ...(isSnapshotEntry && { isSnapshotEntry: isSnapshotEntry.bind(machine) }),
    ...(snapshot && { snapshot: () => snapshot.call(machine) }),
    ...(restore && { restore: (pieces, index) => restore.call(machine, pieces, index) }),
  };
}
