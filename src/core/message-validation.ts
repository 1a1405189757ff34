import type { EntryBatch } from './batch.ts';
import { hasNoTwins, type Member } from './configuration.ts';
import { isEncodable } from './configuration-codec.ts';
import { isContiguous } from './log.ts';
import type { Message } from './message.ts';
import { after, type Term, term0 } from './types.ts';
import { areBatches, areCounts, isCount, isEach, isMember } from './well-formed.ts';

/** What is wrong with a message, in words; `undefined` if nothing is. */
export function problemOfMessage(message: Message): string | undefined {
  switch (message?.type) {
    case 'timeoutNow':
      return isCount(message.term) ? undefined : 'not a whole number';
    case 'installSnapshot':
      return isCount(message.term) && isSnapshot(message) ? undefined : 'malformed snapshot';
    case 'requestVote':
      if (typeof message.isTransfer !== 'boolean') return 'isTransfer is not a boolean';
      return areCounts(message.term, message.lastLogIndex, message.lastLogTerm)
        ? undefined
        : 'not whole numbers';
    case 'preVote':
      return areCounts(message.term, message.lastLogIndex, message.lastLogTerm)
        ? undefined
        : 'not whole numbers';
    case 'preVoteReply':
    case 'requestVoteReply':
      return areCounts(message.term) && typeof message.voteGranted === 'boolean'
        ? undefined
        : 'malformed vote';
    case 'appendEntries':
      return problemOfAppend(message);
    case 'appendEntriesReply':
      return problemOfAppendReply(message);
    default:
      return 'no known type of message';
  }
}

/**
 * A node follows a message into a term less far ahead: with an election each half second, 136 years of them. One bit that
 * is wrong in a term is out of reach, or leads half as far at most: who has not met it can follow those that have.
 */
const termLeapMax = 2 ** 33;
/**
 * The same in term 0, of a node that may join a cluster of any age: half of all terms that there are. What a wrong bit leads it to may be
 * out of reach of the others, and then it has to join once more, with a new store.
 */
const firstLeapMax = 2 ** 51;

/**
 * Whether the elections of other nodes can have led to the term of a message. Newer terms are taken over from anybody (§5.1):
 * one message of a broken peer would bring all nodes to the last term that there is, and none could be elected any more.
 */
export function isWithinReach(term: Term, currentTerm: Term): boolean {
  return term - currentTerm < (currentTerm === term0 ? firstLeapMax : termLeapMax);
}

function isSnapshot({ transferId, snapshot, term }: Extract<Message, { type: 'installSnapshot' }>): boolean {
  if (typeof transferId !== 'string' || !areCounts(snapshot?.index, snapshot?.term, snapshot?.logTimeMs))
    return false;
  const at = snapshot.configuration;
  const lists = [at?.configuration?.voters, at?.configuration?.votersOutgoing, at?.configuration?.learners];
  const isConfiguration = lists.every(
    (list) =>
      Array.isArray(list) && isEach<Member>(list, (member) => isMember(member) && isEncodable(member)),
  );
  return (
    isConfiguration &&
    at.configuration.voters.length > 0 &&
    hasNoTwins(at.configuration) &&
    isCount(at.index) &&
    at.index <= snapshot.index &&
    snapshot.index >= 1 &&
    snapshot.term <= term
  );
}

/** Contiguity is checked on both sides, in production too (rule 14). */
function problemOfAppend(message: Extract<Message, { type: 'appendEntries' }>): string | undefined {
  const { term, prevLogIndex, prevLogTerm, leaderCommit, round, batches, isReplyDue } = message;
  const isPlaced = isCount(term) && isCount(prevLogIndex) && isCount(prevLogTerm);
  if (!isPlaced || !isCount(leaderCommit) || !isCount(round)) return 'not whole numbers';
  if (typeof isReplyDue !== 'boolean') return 'isReplyDue is not a boolean';
  if (!areBatches(batches)) return 'malformed batches';
  if (prevLogTerm > term) return 'an entry is newer than its leader';
  for (let at = 0; at < batches.length; at++)
    if ((batches[at] as EntryBatch).term > term) return 'an entry is newer than its leader';
  const isSound = isContiguous(batches, { first: after(prevLogIndex), prevTerm: prevLogTerm });
  return isSound ? undefined : 'batches do not follow each other';
}

function problemOfAppendReply(message: Extract<Message, { type: 'appendEntriesReply' }>): string | undefined {
  const { term, matchIndex, round, rejectedIndex, hintIndex, hintTerm, success } = message;
  const isSound = isCount(term) && isCount(matchIndex) && isCount(round) && isCount(rejectedIndex);
  const isHintSound = isCount(hintIndex) && isCount(hintTerm);
  return isSound && isHintSound && typeof success === 'boolean' ? undefined : 'malformed reply';
}
