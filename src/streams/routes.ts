import type { Input, NodeId } from '../core/index.ts';
import type { ForwardFrame } from '../transport/transport.ts';

/** Where requests go from here. */
export interface Routes {
  /** Who takes requests now: this node's core, another node, or nobody that is known. */
  target(): 'self' | NodeId | null;
  /** Whether this node belongs to a cluster. */
  isFounded(): boolean;
  /** What our own core appends now waits for its disk, which writes something else. */
  isDiskBusy(): boolean;
  /** Hands an input to the core. */
  input(input: Input): void;
  /** Passes a request on, once. `false`: it did not leave. */
  forward(to: NodeId, frame: Omit<ForwardFrame, 'group'>): boolean;
  /** The node's clock, in milliseconds. */
  now(): number;
  /** A number that no other request of this run has. */
  nextId(): number;
}
