import {
  type AppendEntries,
  append,
  type Configuration,
  defaultConfig,
  type EntryBatch,
  emptyLog,
  type Input,
  index,
  index0,
  initialState,
  type LogIndex,
  type Message,
  type Output,
  type Peer,
  type Start,
  type State,
  step,
  term,
  votersOnly,
  type Write,
} from '../../../src/core/index.ts';
import type { Disk } from '../../../src/testing/disk.ts';
import { commandBatch, entriesOf } from '../../../src/testing/entries.ts';

export const [n1, n2, n3, n4, n5] = ['n1', 'n2', 'n3', 'n4', 'n5'].map((id) => ({ id, storeId: id })) as [
  Peer,
  Peer,
  Peer,
  Peer,
  Peer,
];

/** A configuration of these voters. */
export function votersOf(...peers: readonly Peer[]): Configuration {
  return votersOnly(peers.map((peer) => ({ ...peer, url: '' })));
}

export const threeNodes: Configuration = votersOf(n1, n2, n3);
export const fiveNodes: Configuration = votersOf(n1, n2, n3, n4, n5);

/** A batch of commands, by default one. */
export function batchOf(at: number, inTerm: number, ...commands: readonly string[]): EntryBatch {
  return commandBatch({ index: at, term: inTerm }, ...(commands.length === 0 ? ['x'] : commands));
}

/** Batches of one entry each, with these terms, from index 1 on. */
export const batchesOf = entriesOf;

/** A log whose entries have these terms, each in a batch of its own. */
export function logOf(...terms: readonly number[]): LogIndex {
  return batchesOf(...terms).reduce(append, emptyLog);
}

/** A disk with such a log. */
export function diskOf({ terms = [], currentTerm = terms.at(-1) ?? 0, votedFor = null }: DiskLike): Disk {
  return {
    hardState: { currentTerm: term(currentTerm), votedFor },
    batches: batchesOf(...terms),
    appliedIndex: index0,
  };
}

interface DiskLike {
  readonly terms?: readonly number[];
  readonly currentTerm?: number;
  readonly votedFor?: Peer | null;
}

interface NodeLike {
  readonly self?: Peer;
  readonly configuration?: Configuration;
  readonly terms?: readonly number[];
  readonly currentTerm?: number;
  readonly votedFor?: Peer | null;
  readonly config?: Partial<Start['config']>;
  readonly seed?: number;
}

/** A node that has just started: by default n1 of three, with an empty log, in term 0. */
export function node(like: NodeLike = {}): State {
  const { terms = [], configuration = threeNodes } = like;
  return initialState({
    self: like.self ?? n1,
    group: 0,
    config: like.config ? { ...defaultConfig, ...like.config } : defaultConfig,
    seed: like.seed ?? 1,
    hardState: { currentTerm: term(like.currentTerm ?? terms.at(-1) ?? 0), votedFor: like.votedFor ?? null },
    log: logOf(...terms),
    configurations: [{ index: index0, configuration }],
    appliedIndex: index0,
  });
}

/** A node after several inputs, and all that it asked for. */
export function run(state: State, ...inputs: readonly Input[]): { state: State; outputs: readonly Output[] } {
  const outputs: Output[] = [];
  let current = state;
  for (const input of inputs) {
    const after = step(current, input);
    current = after.state;
    outputs.push(...after.outputs);
  }
  return { state: current, outputs };
}

/** A message from a peer, as an input. */
export function from(peer: Peer, message: Message): Input {
  return { type: 'message', from: peer, message };
}

/** Everything asked of the disk so far is flushed. */
export function flushed(state: State): Input {
  return { type: 'persistRes', seq: state.persistSeq };
}

/** The node after its disk got on with everything. */
export function flush(state: State): { state: State; outputs: readonly Output[] } {
  return run(state, flushed(state));
}

/** Time passes, tick by tick. */
export function wait(state: State, ms: number): { state: State; outputs: readonly Output[] } {
  const { tickIntervalMs } = state.config;
  const ticks: Input[] = [];
  for (let passed = tickIntervalMs; passed <= ms; passed += tickIntervalMs) {
    ticks.push({ type: 'tick', now: state.now + passed });
  }
  return run(state, ...ticks);
}

/** An AppendEntries; what is not said is empty. */
export function appendEntries(like: {
  readonly term: number;
  readonly prev?: readonly [index: number, term: number];
  readonly commit?: number;
  readonly batches?: readonly EntryBatch[];
  readonly round?: number;
  readonly isReplyDue?: boolean;
}): AppendEntries {
  const { prev = [0, 0], commit = 0, batches = [], round = 0, isReplyDue = true } = like;
  return {
    type: 'appendEntries',
    term: term(like.term),
    prevLogIndex: index(prev[0]),
    prevLogTerm: term(prev[1]),
    leaderCommit: index(commit),
    batches,
    round,
    isReplyDue,
  };
}

/** A successful answer to an AppendEntries. */
export function ack(inTerm: number, matchIndex: number, round = 0): Message {
  return {
    type: 'appendEntriesReply',
    term: term(inTerm),
    success: true,
    matchIndex: index(matchIndex),
    round,
    rejectedIndex: index0,
    hintIndex: index0,
    hintTerm: term(0),
  };
}

/** A vote that was granted, or declined. */
export function vote(inTerm: number, voteGranted = true): Message {
  return { type: 'requestVoteReply', term: term(inTerm), voteGranted };
}

/** A pre-vote that was granted for a term, or declined in one. */
export function preVote(inTerm: number, voteGranted = true): Message {
  return { type: 'preVoteReply', term: term(inTerm), voteGranted };
}

/** A candidate's request; `last` is its last entry. */
export function voteRequest(inTerm: number, last: readonly [index: number, term: number] = [0, 0]): Message {
  return {
    type: 'requestVote',
    term: term(inTerm),
    isTransfer: false,
    lastLogIndex: index(last[0]),
    lastLogTerm: term(last[1]),
  };
}

/** A request for a pre-vote in a term. */
export function preVoteRequest(
  inTerm: number,
  last: readonly [index: number, term: number] = [0, 0],
): Message {
  return { type: 'preVote', term: term(inTerm), lastLogIndex: index(last[0]), lastLogTerm: term(last[1]) };
}

/** A client's write. */
export function write(id: number, ...commands: readonly string[]): Write {
  const { payload, payloadChecksum, count } = batchOf(1, 1, ...commands);
  return { type: 'write', id, payload, payloadChecksum, count };
}

/** A node that has won the pre-votes, and waits for its disk: a candidate in the next term. */
export function candidate(like: NodeLike = {}): State {
  const idle = node(like);
  const asking = run(idle, { type: 'campaign', id: 0 }).state;
  return run(asking, from(n2, preVote(idle.currentTerm + 1)), from(n3, preVote(idle.currentTerm + 1))).state;
}

/** A leader whose empty first entry is not flushed and not acknowledged yet. */
export function leader(like: NodeLike = {}): State {
  const { state } = flush(candidate(like));
  return run(state, from(n2, vote(state.currentTerm)), from(n3, vote(state.currentTerm))).state;
}

/** A leader whose own disk and n2 hold everything, so that it has committed in its term. */
export function establishedLeader(like: NodeLike = {}): State {
  const { state } = flush(leader(like));
  return run(state, from(n2, ack(state.currentTerm, state.log.lastIndex))).state;
}

/** The messages among outputs, with their receivers. */
export function messagesOf(outputs: readonly Output[]): readonly { to: string; message: Message }[] {
  return outputs.flatMap((output) =>
    output.type === 'message' ? [{ to: output.to.id, message: output.message }] : [],
  );
}

/** The outputs of one type. */
export function only<Type extends Output['type']>(
  outputs: readonly Output[],
  type: Type,
): readonly Extract<Output, { type: Type }>[] {
  return outputs.filter((output): output is Extract<Output, { type: Type }> => output.type === type);
}
