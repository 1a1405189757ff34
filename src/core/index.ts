export * from './batch.ts';
export * from './big-endian.ts';
export * from './codec.ts';
export * from './config.ts';
export * from './configuration.ts';
export { decodeConfiguration, encodeConfiguration } from './configuration-codec.ts';
export * from './crc32.ts';
export * from './errors.ts';
export { type Explanation, explain } from './explain.ts';
export * from './input.ts';
export { checkState } from './invariants.ts';
export { append, emptyLog, type LogIndex, lastTerm, type TermStart, termAt, truncateFrom } from './log.ts';
export * from './message.ts';
export { OutcomeError } from './outcome-error.ts';
export * from './output.ts';
export type { Inflight, Progress } from './progress.ts';
export { type PeerLike, Raft, type RaftConfig } from './raft.ts';
export type { RandomState } from './random.ts';
export type { Candidate, Follower, Leader, PendingRead, PreCandidate, Role, Transfer } from './role-state.ts';
export { isSilent } from './silence.ts';
export { initialState, type Start } from './start.ts';
export {
  type Compacting,
  configurationOf,
  durableIndex,
  type Held,
  type Installing,
  type PendingWrite,
  type State,
  type Unflushed,
} from './state.ts';
export { type Step, step } from './step.ts';
export { checkTransition } from './transition-invariants.ts';
export * from './types.ts';
