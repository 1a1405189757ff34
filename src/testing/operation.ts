import {
  crc32,
  encodePayload,
  type Input,
  type MemberChange,
  type NodeId,
  type RequestId,
} from '../core/index.ts';
import type { Envelope } from './bare-cluster.ts';
import { encodeText } from './text.ts';

/**
 * One thing that happens to a bare cluster. A run is a list of them: carried out again in the same order it goes the
 * same way, and with some of them left out it is another run that may have happened.
 */
export type Operation =
  /** The node's clock advances by so much in one tick; it may also go back. */
  | { readonly type: 'tick'; readonly at: NodeId; readonly ms: number }
  /** This message, or one that says the same, arrives at `at`: at whoever has that name. */
  | { readonly type: 'deliver'; readonly at: NodeId; readonly envelope: Envelope }
  /** The disk gets on; `sync` without telling the core, which `hear` does later. */
  | { readonly type: 'sync' | 'flush' | 'apply'; readonly at: NodeId; readonly count: number }
  | { readonly type: 'hear' | 'log' | 'keep'; readonly at: NodeId }
  | { readonly type: 'restart'; readonly at: NodeId }
  | { readonly type: 'wipe'; readonly at: NodeId }
  | { readonly type: 'ship'; readonly at: NodeId; readonly isLost: boolean }
  | { readonly type: 'crash'; readonly at: NodeId; readonly keep: number }
  | { readonly type: 'up' | 'down'; readonly at: NodeId; readonly about: NodeId }
  | Request;

/** A client, or the operator, asks. The names of requests are the caller's, and only unique among those that wait at a node. */
export type Request =
  | {
      readonly type: 'write';
      readonly at: NodeId;
      readonly id: RequestId;
      readonly commands: readonly string[];
    }
  | { readonly type: 'read'; readonly at: NodeId; readonly id: RequestId }
  | {
      readonly type: 'changeMembers';
      readonly at: NodeId;
      readonly id: RequestId;
      readonly changes: readonly MemberChange[];
    }
  | {
      readonly type: 'transferLeadership';
      readonly at: NodeId;
      readonly id: RequestId;
      readonly to: NodeId | undefined;
    }
  | {
      readonly type: 'compact';
      readonly at: NodeId;
      readonly id: RequestId;
      readonly keepsPrevious: boolean;
    };

/** What the node that is asked gets to see of a request. */
export function inputOf(request: Request): Input {
  const { type, id } = request;
  switch (type) {
    case 'write': {
      const payload = encodePayload(request.commands.map(encodeText));
      return { type, id, payload, payloadChecksum: crc32(payload), count: request.commands.length };
    }
    case 'read':
      return { type, id };
    case 'changeMembers':
      return { type, id, changes: request.changes };
    case 'transferLeadership':
      return { type, id, ...(request.to !== undefined && { to: request.to }) };
    case 'compact':
      return { type, id, keepsPrevious: request.keepsPrevious };
  }
}
