import type { Index, NodeId, Term } from '../../core/index.ts';
import type { NodeStatus } from '../../streams/raft-node.ts';
import type { StateMachine } from '../../streams/state-machine.ts';

/** A committed command, in the log's order. */
export interface CommittedCommand<Command, Result> {
  readonly index: Index;
  readonly term: Term;
  readonly logTimeMs: number;
  readonly command: Command;
  /** What every node that applied it answered. */
  readonly result: Result;
}

/** A node of a simulated cluster at rest. */
export interface SimulatedNode<Command, Result, Query, Answer> {
  readonly id: NodeId;
  readonly status: NodeStatus;
  /** Its machine, as the factory made it for the last start. */
  readonly machine: StateMachine<Command, Result, Query, Answer>;
}

/** A simulated cluster at rest: no fault, no request, and every member has applied the same. */
export interface SimulatedCluster<Command, Result, Query, Answer> {
  /** The members, in the order of their names. */
  readonly nodes: readonly SimulatedNode<Command, Result, Query, Answer>[];
  readonly committed: readonly CommittedCommand<Command, Result>[];
}
