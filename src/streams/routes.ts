import type { Input, NodeId } from '../core/index.ts';
import type { ForwardFrame } from '../transport/transport.ts';

/** Where requests go from here. */
export interface Routes {
  /** Who takes requests now: this node's core, another node, or nobody that is known. */
  target(): 'self' | NodeId | null;
  /** Why this node is in no cluster yet, in words; `null` if it is in one. */
  whyOutside(): string | null;
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
