import { OrderedProcess } from '../harness/ordered-process.ts';
import type { LoadOrders } from './closed-loop.ts';

/** The clients that a load may have. Each is a file beside this one. */
export type ClientKind = 'rxraft' | 'prototype' | 'etcd' | 'etcd-http' | 'rxraft-http' | 'nats';

/** How a process of clients is put together: the first message that it gets. */
export interface LoadOptions {
  readonly kind: ClientKind;
  /** Where the nodes are reached; the leader first, where that matters. */
  readonly urls: readonly string[];
  readonly bytes: number;
}

/** Clients in a process of their own. */
export class LoadProcess extends OrderedProcess<LoadOrders, LoadOptions> {
  static async start(kind: ClientKind, urls: readonly string[], bytes: number): Promise<LoadProcess> {
    const script = new URL('load-main.js', import.meta.url);
    const process = new LoadProcess(`clients of ${kind}`, script, { kind, urls, bytes });
    await process.start();
    return process;
  }
}
