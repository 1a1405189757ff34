import type { Context } from 'hono';
import type { Logger } from 'rxraft';
import type { KvNode } from '../kv-machine.ts';
import { KvError } from './errors.ts';
import type { HostRules } from './host-check.ts';
import type { PeerClock } from './peer-clock.ts';
import { type Bindings, Query, targetOf } from './target.ts';

/** What the routes work with. */
export interface KvServices {
  /** `null` while the node is being opened. */
  readonly node: () => KvNode | null;
  readonly peerClock: PeerClock;
  readonly limits: KvLimits;
  readonly hosts: HostRules;
  readonly logger: Logger;
  readonly version: string;
  /** Aborted when the server begins to close. */
  readonly closing: AbortSignal;
}

/** Sizes and counts that the server keeps to. */
export interface KvLimits {
  readonly keyBytesMax: number;
  readonly valueBytesMax: number;
  /** How long a request may wait unless it says otherwise, in milliseconds. */
  readonly timeoutMs: number;
  /** Open requests for `/watch`. */
  readonly watchersMax: number;
  /** Milliseconds between the comments that keep a silent `/watch` open. */
  readonly heartbeatMs: number;
}

/** The context of a handler. */
export type KvContext = Context<{ Bindings: Bindings }>;

/** The node, or a 503 before there is one, and once the server closes. */
export function nodeOf(services: KvServices): KvNode {
  if (services.closing.aborted) throw new KvError(503, 'RAFT_CLOSED', 'this node is closing');
  const node = services.node();
  if (node === null) throw new KvError(503, 'KV_STARTING', 'this node is still opening its store');
  return node;
}

/** The query string of a request. */
export function queryOf(c: KvContext): Query {
  return new Query(targetOf(c.req.raw, c.env).query);
}
