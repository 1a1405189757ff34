import { type Observable, Subject } from 'rxjs';
import { index, index0, lastOf, type Message, type Peer, term } from '../../../src/core/index.ts';
import { memoryDisk } from '../../../src/storage/memory-disk.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type {
  ForwardFrame,
  ForwardReplyFrame,
  Hello,
  LinkStatus,
  PeerFrame,
  Transport,
  TransportEvent,
} from '../../../src/transport/transport.ts';

/** What a node has sent, and to whom. */
export interface Sent {
  readonly to: Peer;
  readonly frame: PeerFrame;
}

/** The run of every scripted peer. */
export const peerBoot = 7;

/** The network of one node under test, whose peers say what the test says. */
export class ScriptedPeers implements Transport {
  readonly sent: Sent[] = [];
  readonly hungUp: string[] = [];
  /** When set, every peer votes for the node and acknowledges what it sends. */
  isObedient = false;
  isClosed = false;
  /** Whether a frame is taken. */
  hasRoom: (frame: PeerFrame) => boolean = () => true;
  /** Makes `close` wait for ever. */
  isHanging = false;
  readonly #events = new Subject<TransportEvent>();

  get event$(): Observable<TransportEvent> {
    return this.#events;
  }

  async open(): Promise<void> {}

  setPeers(): void {}

  send(to: Peer, frame: PeerFrame): boolean {
    if (!this.hasRoom(frame)) return false;
    this.sent.push({ to, frame });
    if (this.isObedient && frame.type === 'raft') {
      const message = obey(frame.message);
      if (message !== null) queueMicrotask(() => this.say(to, { type: 'raft', group: 0, message }));
    }
    return true;
  }

  hangUp(id: string): void {
    this.hungUp.push(id);
  }

  links(): readonly LinkStatus[] {
    return [];
  }

  close(): Promise<void> {
    this.isClosed = true;
    this.#events.complete();
    return this.isHanging ? new Promise(() => {}) : Promise.resolve();
  }

  /** A frame arrives. */
  say(from: Peer, frame: PeerFrame, bootCounter = peerBoot): void {
    this.#events.next({ type: 'frame', from, bootCounter, frame });
  }

  /** Something else happens. */
  emit(event: TransportEvent): void {
    this.#events.next(event);
  }

  /** The transport itself breaks. */
  break(error: Error): void {
    this.#events.error(error);
  }

  /** The forwards sent so far. */
  get forwards(): readonly ForwardFrame[] {
    return this.sent.flatMap(({ frame }) => (frame.type === 'forward' ? [frame] : []));
  }

  /** The answers to forwards sent so far. */
  get replies(): readonly ForwardReplyFrame[] {
    return this.sent.flatMap(({ frame }) => (frame.type === 'forwardReply' ? [frame] : []));
  }
}

export const n1: Peer = { id: 'n1', storeId: 's1' };
export const n2: Peer = { id: 'n2', storeId: 's2' };
export const n3: Peer = { id: 'n3', storeId: 's3' };

/** A storage of n1 that belongs to a cluster of n1, n2 and n3. */
export async function foundedStorage(disk = memoryDisk({ storeId: n1.storeId })) {
  const storage = memoryStorage({ disk });
  await storage.open();
  const voters = [n1, n2, n3].map((peer) => ({ ...peer, url: `ws://${peer.id}.test:1` }));
  await storage.found({ clusterId: 'c', configuration: { voters, votersOutgoing: [], learners: [] } });
  await storage.close();
  return memoryStorage({ disk });
}

/** A heartbeat of a leader of term 1 with an empty log. */
export const heartbeat: PeerFrame = {
  type: 'raft',
  group: 0,
  message: {
    type: 'appendEntries',
    term: term(1),
    prevLogIndex: index0,
    prevLogTerm: term(0),
    leaderCommit: index0,
    batches: [],
    round: 1,
    isReplyDue: true,
  },
};

export const helloOf = ({ id, storeId }: Peer): Hello => ({
  protocolVersion: 1,
  clusterId: 'c',
  id,
  storeId,
  bootCounter: peerBoot,
  members: [],
});

function obey(message: Message): Message | null {
  switch (message.type) {
    case 'preVote':
      return { type: 'preVoteReply', term: message.term, voteGranted: true };
    case 'requestVote':
      return { type: 'requestVoteReply', term: message.term, voteGranted: true };
    case 'appendEntries': {
      const last = message.batches.at(-1);
      return {
        type: 'appendEntriesReply',
        term: message.term,
        success: true,
        matchIndex: last === undefined ? message.prevLogIndex : lastOf(last),
        round: message.round,
        rejectedIndex: index0,
        hintIndex: index0,
        hintTerm: term(0),
      };
    }
    default:
      return null;
  }
}

export { index };
