import { crc32 } from 'node:zlib';
import type { NodeId } from 'rxraft';
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
  type TransportEvent,
  type TransportIdentity,
} from 'rxraft/transport';
import type { LinkBody } from './link-body.ts';

/** Bounds of the links of one node. */
export interface LinkLimits {
  /** The largest message that a link carries, in bytes before base64. Default 4 MiB. */
  readonly frameBytesMax: number;
  /** Bytes that may wait for one peer's acknowledgement; AppendEntries beyond are dropped. Default 4 MiB. */
  readonly unackedBytesMax: number;
  /** Bytes more for everything else: votes, heartbeats, answers, forwards. Default 1 MiB. */
  readonly headroomBytes: number;
  /** While fewer bytes than this wait for a peer, a piece of a snapshot is taken. Default 512 KiB. */
  readonly snapshotBytesMax: number;
  /** Messages that may wait for one peer's acknowledgement, and for those before them. Default 512. */
  readonly windowMax: number;
  /** Milliseconds between looks at what is due. Default 20. */
  readonly pulseMs: number;
  /** Milliseconds after which a hello is said again. Default 150. */
  readonly helloMs: number;
  /** Milliseconds after which an attempt to connect is given up. Default 2,000. */
  readonly handshakeMsMax: number;
  /** Milliseconds between questions whether the peer is there. Default 200. */
  readonly pingMs: number;
  /** Milliseconds of silence after which a link counts as cut. Default 1,500. */
  readonly silenceMsMax: number;
  /** The shortest and the longest time in milliseconds until a message is sent again. Default 50 and 400. */
  readonly resendMsMin: number;
  readonly resendMsMax: number;
  /** The shortest and the longest wait in milliseconds before a peer is dialed again. Default 50 and 1,000. */
  readonly backoffMsMin: number;
  readonly backoffMsMax: number;
  /** Handshakes that wait for their end; beyond it, the oldest goes. Default 64. */
  readonly pendingMax: number;
}

/** The limits that suit a cluster on one machine behind a network that is up to mischief. */
export const defaultLimits: LinkLimits = {
  frameBytesMax: 4 * 1024 * 1024,
  unackedBytesMax: 4 * 1024 * 1024,
  headroomBytes: 1024 * 1024,
  snapshotBytesMax: 512 * 1024,
  windowMax: 512,
  pulseMs: 20,
  helloMs: 150,
  handshakeMsMax: 2_000,
  pingMs: 200,
  silenceMsMax: 1_500,
  resendMsMin: 50,
  resendMsMax: 400,
  backoffMsMin: 50,
  backoffMsMax: 1_000,
  pendingMax: 64,
};

/** What the transport offers to its links. */
export interface LinkHost {
  readonly limits: LinkLimits;
  readonly identity: TransportIdentity;
  now(): number;
  /** Sends a message to a node of that name, and forgets it. */
  post(to: string, body: LinkBody): void;
  emit(event: TransportEvent): void;
  /** Says `down` if no link with this node is open. */
  emitIfDown(id: NodeId): void;
  /** A peer broke the protocol: says so, and closes all links with it. */
  onViolation(id: NodeId, detail: string): void;
  /** Whether the node was hung up on a moment ago. */
  isPaused(id: NodeId): boolean;
  /** Something of this link is to leave at the end of the turn. */
  flushSoon(link: { flush(): void }): void;
}

/** A message of the library as text. */
export function toText(message: PeerMessage): string {
  const bytes = encodePeerMessage(message);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** The message that a text stands for, or what is wrong with it. */
export function fromText(data: string): ReturnType<typeof decodePeerMessage> {
  return decodePeerMessage(Buffer.from(data, 'base64'), checksum);
}

const checksum = (bytes: Uint8Array): number => crc32(bytes);
