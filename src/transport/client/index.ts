/**
 * A client of a cluster, over WebSockets. It runs in browsers and in Node.
 *
 * @module
 */
export type { BackoffLimits } from '../backoff.ts';
export type { Codec } from '../codec.ts';
export type { QueueLimits } from './call-queue.ts';
export type { ClientCommitted, ClientReadAnswer } from './calls.ts';
export { ClientError } from './errors.ts';
export type { ClientConnection, LinkLimits } from './links.ts';
export type { ClientLimits, RaftClientOptions } from './options.ts';
export type { Consistency } from './protocol.ts';
export {
  type ClientReadOptions,
  type ClientRequestOptions,
  type RaftClient,
  raftClient,
} from './raft-client.ts';
export type { ClientSocket, ClientSocketConstructor } from './web-socket.ts';
export { type WriteWithOptions, writeWith } from './write-with.ts';
