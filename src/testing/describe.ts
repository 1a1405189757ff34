import type {
  AdminResult,
  AppendEntries,
  AppendEntriesReply,
  Configuration,
  EntryBatch,
  Input,
  LogIndex,
  MemberChange,
  Message,
  Output,
  Peer,
  PersistReq,
  ReadResult,
  Refusal,
  SnapshotMeta,
  State,
  WriteResult,
} from '../core/index.ts';
import { configurationOf, decodeConfiguration, lastOf } from '../core/index.ts';
import { commandsOf } from './entries.ts';

/** A batch in a few characters: `4@2 x` is command `x` at index 4 of term 2, `5-6@2 y z` are two. */
export function describeBatch(batch: EntryBatch): string {
  const { index, count, term, kind } = batch;
  const range = count === 1 ? `${index}` : `${index}-${lastOf(batch)}`;
  return [`${range}@${term}`, ...(kind === 'command' ? commandsOf(batch) : [contentOf(batch)])].join(' ');
}

function contentOf({ kind, payload }: EntryBatch): string {
  const configuration = kind === 'configuration' ? decodeConfiguration(payload) : undefined;
  return configuration === undefined ? kind : describeConfiguration(configuration);
}

/** Who votes and who learns: `n1,n2`, in a joint configuration `n1,n2 & n3`, with learners `n1 + n4`. */
export function describeConfiguration({ voters, votersOutgoing, learners }: Configuration): string {
  const names = (members: readonly Peer[]) => members.map(nameOf).join(',');
  const outgoing = votersOutgoing.length === 0 ? '' : ` & ${names(votersOutgoing)}`;
  return `{${names(voters)}${outgoing}${learners.length === 0 ? '' : ` + ${names(learners)}`}}`;
}

function describeSnapshot({ index, term, configuration }: SnapshotMeta): string {
  return `${index}@${term} ${describeConfiguration(configuration.configuration)}`;
}

/** A message in a line: its kind, its term, and what else it says. */
export function describeMessage(message: Message): string {
  const head = `${message.type} t${message.term}`;
  switch (message.type) {
    case 'preVote':
      return `${head} last ${message.lastLogIndex}@${message.lastLogTerm}`;
    case 'requestVote':
      return `${head} last ${message.lastLogIndex}@${message.lastLogTerm}${message.isTransfer ? ' transfer' : ''}`;
    case 'preVoteReply':
    case 'requestVoteReply':
      return `${head} ${message.voteGranted ? 'granted' : 'declined'}`;
    case 'appendEntries':
      return `${head} ${describeAppend(message)}`;
    case 'appendEntriesReply':
      return `${head} ${describeReply(message)}`;
    case 'timeoutNow':
      return head;
    case 'installSnapshot':
      return `${head} ${describeSnapshot(message.snapshot)}`;
  }
}

function describeAppend(request: AppendEntries): string {
  const { prevLogIndex, prevLogTerm, leaderCommit, batches, round, isReplyDue } = request;
  const entries = batches.length === 0 ? 'nothing' : `[${batches.map(describeBatch).join(', ')}]`;
  const inRound = round === 0 ? '' : ` round ${round}`;
  const reply = isReplyDue ? '' : ', no reply due';
  return `${entries} after ${prevLogIndex}@${prevLogTerm} commit ${leaderCommit}${inRound}${reply}`;
}

function describeReply(reply: AppendEntriesReply): string {
  const inRound = reply.round === 0 ? '' : ` round ${reply.round}`;
  if (reply.success) return `match ${reply.matchIndex}${inRound}`;
  if (reply.rejectedIndex === 0) return 'refused: older term';
  return `refused after ${reply.rejectedIndex}, try ${reply.hintIndex}@${reply.hintTerm}${inRound}`;
}

/** An output in a line. */
export function describeOutput(output: Output): string {
  switch (output.type) {
    case 'message':
      return `-> ${nameOf(output.to)} ${describeMessage(output.message)}`;
    case 'persistReq':
      return describePersist(output);
    case 'readLogReq':
      return `readLog #${output.seq} from ${output.from}`;
    case 'applyReq':
      return `apply through ${output.through}`;
    case 'readStateMachineReq':
      return `query ${output.id} at ${output.index}`;
    case 'takeSnapshotReq':
      return `takeSnapshot #${output.seq}`;
    case 'compactLogReq':
      return `compactLog #${output.seq} through ${output.through}@${output.throughTerm}`;
    case 'sendSnapshotReq':
      return `sendSnapshot #${output.seq} to ${nameOf(output.to)} from ${output.from}`;
    case 'installSnapshotReq':
      return `installSnapshot #${output.seq} ${describeSnapshot(output.snapshot)}${output.keepsSuffix ? ', keeps what follows' : ''}`;
    case 'fault':
      return `fault ${output.scope} ${output.kind} ${JSON.stringify(output.detail)}`;
    default:
      return `answer ${output.id}: ${describeResult(output.result)}`;
  }
}

function describePersist({ seq, hardState, truncateFrom, batches }: PersistReq): string {
  const parts = [`persist #${seq}`];
  if (hardState !== undefined) parts.push(`t${hardState.currentTerm} vote ${nameOf(hardState.votedFor)}`);
  if (truncateFrom !== undefined) parts.push(`truncate ${truncateFrom}`);
  if (batches.length > 0) parts.push(`write [${batches.map(describeBatch).join(', ')}]`);
  return parts.join(' ');
}

function describeResult(result: WriteResult | ReadResult | AdminResult): string {
  switch (result.type) {
    case 'committed':
      return `committed ${result.index}@${result.term}`;
    case 'notCommitted':
    case 'refused':
      return `${result.type}, ${describeRefusal(result.reason)}`;
    case 'ok':
      return 'payload' in result && result.payload ? `ok ${new TextDecoder().decode(result.payload)}` : 'ok';
    default:
      return result.type;
  }
}

function describeRefusal(reason: Refusal): string {
  if (reason.type === 'notLeader')
    return reason.leaderId === null ? 'no leader known' : `ask ${reason.leaderId}`;
  if (reason.type === 'transferring') return `transferring to ${reason.to}`;
  return 'detail' in reason ? `${reason.type}: ${reason.detail}` : reason.type;
}

/** An input in a line. */
export function describeInput(input: Input): string {
  switch (input.type) {
    case 'tick':
      return `tick ${input.now}`;
    case 'write':
      return `write ${input.id} (${input.count})`;
    case 'message':
      return `<- ${input.from.id} ${describeMessage(input.message)}`;
    case 'persistRes':
      return `persisted #${input.seq}`;
    case 'readLogRes':
      return `log #${input.seq} ${input.batches === 'compacted' ? 'compacted' : input.batches.map(describeBatch)}`;
    case 'applyRes':
      return `applied through ${input.appliedIndex}`;
    case 'changeMembers':
      return `changeMembers ${input.id} ${input.changes.map(describeChange).join(', ')}`;
    case 'takeSnapshotRes':
      return `snapshot #${input.seq} taken through ${input.index}`;
    case 'compactLogRes':
      return `log compacted #${input.seq}`;
    case 'sendSnapshotRes':
      return `snapshot #${input.seq} ${input.sent === null ? 'not sent' : `sent through ${input.sent.index}`}`;
    case 'installSnapshotRes':
      return `snapshot #${input.seq} ${input.isInstalled ? 'installed' : 'not installed'}`;
    default:
      return `${input.type} ${input.id}`;
  }
}

function describeChange(change: MemberChange): string {
  return change.type === 'add' ? `add ${change.member.id} as ${change.role}` : `${change.type} ${change.id}`;
}

/** A node in a line: role, term, vote, and where its log and its disk are. */
export function describeState(state: State): string {
  const { role, currentTerm, votedFor, log, commitIndex, lastApplied, durableSeq, persistSeq } = state;
  const who = role.type === 'follower' ? `follower of ${nameOf(role.leader)}` : role.type;
  const disk = durableSeq === persistSeq ? '' : `, flushed #${durableSeq} of #${persistSeq}`;
  const at = `commit ${commitIndex}, applied ${lastApplied}`;
  const { index } = state.configurations.at(-1) ?? { index: 0 };
  const members = index === 0 ? '' : `, members ${describeConfiguration(configurationOf(state))} of ${index}`;
  return `${who}, t${currentTerm} vote ${nameOf(votedFor)}, log ${describeLog(log)}, ${at}${disk}${members}`;
}

/** Where the terms of a log begin and where it ends: `1@1 4@4 ..10`, compacted through 3 `[3@1] 4@4 ..10`. */
export function describeLog(log: LogIndex): string {
  const start = log.startIndex === 0 ? '' : `[${log.startIndex}@${log.startTerm}] `;
  if (log.terms.length === 0) return start === '' ? 'empty' : start.trimEnd();
  return `${start}${log.terms.map(({ index, term }) => `${index}@${term}`).join(' ')} ..${log.lastIndex}`;
}

/** A node by its name. In a bare cluster, one whose disk was wiped by that of its store: `n3'`. */
export function nameOf(peer: Peer | null): string {
  if (peer === null) return '-';
  return peer.storeId.startsWith(peer.id) ? peer.storeId : peer.id;
}
