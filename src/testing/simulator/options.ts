import type { NodeId } from '../../core/index.ts';
import type { RaftNodeOptions } from '../../streams/raft-node.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import type { Stepped } from '../../streams/step-with.ts';
import type { Dice } from '../dice.ts';
import type { FaultKind } from './fault-kinds.ts';
import type { SimulatedCluster } from './simulated-cluster.ts';

/** What a simulated client asks for. */
export type Operation<Command, Query> =
  | { readonly type: 'write'; readonly command: Command }
  /** Linearizable unless it says otherwise. */
  | {
      readonly type: 'read';
      readonly query: Query;
      readonly consistency?: 'linearizable' | 'session' | 'stale';
    };

/** What {@link simulate} is told. */
export interface SimulateOptions<Command, Result, Query, Answer> {
  /** Decides everything: the same options give the same run, step by step. */
  readonly seed: number;
  /** Founding members, 1 to 9. Default 3. */
  readonly nodes?: number;
  /** Steps of all cores together until the faults stop. Default 5,000. */
  readonly steps?: number;
  /**
   * Makes the state machine of one start of one node; also that of the node `replay`, on which the committed log is
   * applied again in the end. Not for machines with a storage of their own. Default: lists of numbers, in memory or
   * in the store.
   */
  readonly machine?: (id: NodeId) => StateMachine<Command, Result, Query, Answer>;
  /** Draws what a client asks for next; `number` counts from 1. To be given with `machine`. */
  readonly workload?: (dice: Dice, number: number) => Operation<Command, Query>;
  /**
   * What goes wrong: kinds, or how often each comes beside the others, as integers. Default: every kind that so many
   * nodes, and a machine with or without `snapshot`, can have, equally often.
   */
  readonly faults?: readonly FaultKind[] | Partial<Record<FaultKind, number>>;
  /**
   * Whether the machine is wrapped in `withSessions`, and clients write through sessions. Default `false`; with the
   * built-in machine, drawn.
   */
  readonly sessions?: boolean;
  /** Also to hold in the end, when the cluster is at rest. What they throw fails the run. */
  readonly checks?: readonly SimulationCheck<Command, Result, Query, Answer>[];
  /** Options of every node, besides those that the simulation sees to. */
  readonly node?: Pick<
    Partial<RaftNodeOptions<Command, Result, Query, Answer>>,
    'electionMs' | 'heartbeatMs' | 'tickMs' | 'snapshotEntries' | 'snapshotBytes' | 'pendingMax'
  >;
  /** Told of every step of every node: a `recorder`, say. Not of those that look for a shorter story. */
  readonly onStep?: (stepped: Stepped) => void;
  /** Whether a run that fails is tried again with less and less in it, to tell the shortest story. Default `true`. */
  readonly shrink?: boolean;
}

/** A check of the user's own, of a cluster at rest. */
export type SimulationCheck<Command, Result, Query, Answer> = (
  cluster: SimulatedCluster<Command, Result, Query, Answer>,
) => void | Promise<void>;
