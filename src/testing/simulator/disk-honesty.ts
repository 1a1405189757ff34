import { type Index, isSamePeer, type Message, type Peer, type State, termAt } from '../../core/index.ts';
import type { DiskImage } from '../../storage/memory-disk.ts';
import { expectThat } from '../violation.ts';

/**
 * Holds what a node says against what its disk holds: a vote before it is asked for or given, entries before they are
 * acknowledged (rules 1 and 2). Throws an `InvariantViolation` if a power cut could make a liar of it.
 */
export function checkSent(message: Message, to: Peer, from: { state: State; image: DiskImage }): void {
  const { self } = from.state;
  expectThat(
    isOnDisk(message, to, from),
    () =>
      `${self.id} sends ${to.id} a ${message.type} of term ${message.term} that its disk does not bear out`,
  );
}

function isOnDisk(
  message: Message,
  to: Peer,
  { state, image }: { readonly state: State; readonly image: DiskImage },
): boolean {
  const { currentTerm, votedFor } = image.hardState;
  const isTermDurable = currentTerm === message.term;
  switch (message.type) {
    case 'requestVote':
      return isTermDurable && isSamePeer(votedFor, state.self);
    case 'requestVoteReply':
      return !message.voteGranted || (isTermDurable && isSamePeer(votedFor, to));
    case 'appendEntriesReply':
      return !message.success || (isTermDurable && isHeld(message.matchIndex, { state, image }));
    default:
      return true; // Promises nothing.
  }
}

function isHeld(
  through: Index,
  { state, image }: { readonly state: State; readonly image: DiskImage },
): boolean {
  const { log } = image;
  return through <= log.startIndex || termAt(log, through) === termAt(state.log, through);
}

/** A leader has committed an entry: of its own term (§5.4.2), and on the disks of a majority. */
export function checkMajority(state: State, imageOf: (peer: Peer) => DiskImage | undefined): void {
  const { self, commitIndex, currentTerm, log, configurations } = state;
  const term = termAt(log, commitIndex);
  expectThat(
    term === currentTerm,
    () => `${self.id} commits ${commitIndex}, an entry of term ${term}, by counting`,
  );
  const holds = (voter: Peer) => {
    const held = imageOf(voter)?.log;
    return held !== undefined && (held.startIndex >= commitIndex || termAt(held, commitIndex) === term);
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
