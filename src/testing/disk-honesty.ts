import {
  type HardState,
  type Index,
  isSamePeer,
  type Message,
  type Peer,
  type State,
  type Term,
  termAt,
} from '../core/index.ts';
import { expectThat } from './violation.ts';

/** How to read a disk of some kind. */
export interface DiskReader<Disk> {
  hardStateOf(disk: Disk): HardState;
  /** Where its log begins. */
  startOf(disk: Disk): Index;
  /** The term of an entry in its log; `undefined` if it is not there. */
  termOn(disk: Disk, index: Index): Term | undefined;
}

/**
 * Looks behind what nodes say at what their disks hold (rules 1 and 2). Throws an `InvariantViolation` if a power cut
 * could make a liar of one.
 */
export class DiskHonesty<Disk> {
  readonly #reader: DiskReader<Disk>;

  constructor(reader: DiskReader<Disk>) {
    this.#reader = reader;
  }

  /** A vote is on disk before it is asked for or given, and entries before they are acknowledged. */
  checkSent(message: Message, to: Peer, from: { readonly state: State; readonly disk: Disk }): void {
    expectThat(
      this.#isOnDisk(message, to, from),
      () =>
        `${from.state.self.id} sends a ${message.type} of term ${message.term} that its disk does not bear out`,
    );
  }

  #isOnDisk(
    message: Message,
    to: Peer,
    { state, disk }: { readonly state: State; readonly disk: Disk },
  ): boolean {
    const { currentTerm, votedFor } = this.#reader.hardStateOf(disk);
    const isTermDurable = currentTerm === message.term;
    switch (message.type) {
      case 'requestVote':
        return isTermDurable && isSamePeer(votedFor, state.self);
      case 'requestVoteReply':
        return !message.voteGranted || (isTermDurable && isSamePeer(votedFor, to));
      case 'appendEntriesReply': {
        if (!message.success) return true;
        const { matchIndex } = message;
        return isTermDurable && this.#holds(disk, matchIndex, termAt(state.log, matchIndex));
      }
      default:
        return true; // Promises nothing.
    }
  }

  /** What was dropped from the start of a log was committed. */
  #holds(disk: Disk, index: Index, term: Term | undefined): boolean {
    return this.#reader.startOf(disk) >= index || this.#reader.termOn(disk, index) === term;
  }

  /** A leader has committed an entry: of its own term (§5.4.2), and on the disks of a majority. */
  checkMajority(state: State, diskOf: (peer: Peer) => Disk | undefined): void {
    const { self, commitIndex, currentTerm, log, configurations } = state;
    const term = termAt(log, commitIndex);
    expectThat(
      term === currentTerm,
      () => `${self.id} commits ${commitIndex}, an entry of term ${term}, by counting`,
    );
    const holds = (voter: Peer): boolean => {
      const disk = diskOf(voter);
      return disk !== undefined && this.#holds(disk, commitIndex, term);
    };
    const { voters = [], votersOutgoing = [] } = configurations.at(-1)?.configuration ?? {};
    for (const half of [voters, votersOutgoing]) {
      const votes = half.filter(holds).length;
      expectThat(
        half.length === 0 || votes * 2 > half.length,
        () => `${self.id} commits ${commitIndex}, which is on ${votes} disks of ${half.length}`,
      );
    }
  }
}
