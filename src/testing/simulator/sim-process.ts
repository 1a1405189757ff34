import { Subscription } from 'rxjs';
import type { NodeId, State } from '../../core/index.ts';
import type { MemoryDisk } from '../../storage/memory-disk.ts';
import type { MachineStore } from '../../storage/storage.ts';
import type { RaftNode } from '../../streams/raft-node.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import type { NodeLoop } from './node-loop.ts';
import { ShownCommits } from './shown-commits.ts';
import type { Tagged } from './tagged.ts';

/** A node as clients of the simulation use it: every command carries the number of its request. */
export type TaggedNode<Command, Result, Query, Answer> = RaftNode<Tagged<Command>, Result, Query, Answer>;

/** One start of one node, until its process ends. */
export class SimProcess<Command, Result, Query, Answer> {
  readonly id: NodeId;
  readonly loop: NodeLoop;
  readonly disk: MemoryDisk;
  /** The user's machine, unwatched. */
  readonly machine: StateMachine<Command, Result, Query, Answer>;
  /** What this start listens to of itself. */
  readonly subscription = new Subscription();
  /** Where a machine in the store keeps its data. */
  readonly store: MachineStore;
  isAlive = true;
  readonly commits: ShownCommits;
  /** `null` while it opens its disk. */
  node: TaggedNode<Command, Result, Query, Answer> | null = null;
  /** `null` before it belongs to a cluster. */
  state: State | null = null;

  constructor(parts: {
    readonly id: NodeId;
    readonly loop: NodeLoop;
    readonly disk: MemoryDisk;
    readonly machine: StateMachine<Command, Result, Query, Answer>;
    readonly store: MachineStore;
  }) {
    this.id = parts.id;
    this.commits = new ShownCommits(parts.id);
    this.loop = parts.loop;
    this.disk = parts.disk;
    this.machine = parts.machine;
    this.store = parts.store;
  }
}
