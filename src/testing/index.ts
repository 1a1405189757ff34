export type { AnswerCounts } from './client-oracle.ts';
export { Dice } from './dice.ts';
export * from './linearizability/index.ts';
export type { PayloadForm } from './recorded-bytes.ts';
export { RecordingError, recordingFormat, stateText } from './recorded-line.ts';
export { type RecorderOptions, recorder } from './recorder.ts';
export { Replay, type ReplayDifference, type ReplayOptions, type ReplaySummary } from './replay.ts';
export {
  type CoreSeedsOptions,
  type CoreSimulationOptions,
  type CoreSimulationReport,
  type FailureDetails,
  SimulationFailure,
  simulateCore,
  simulateCoreSeeds,
} from './simulate-core.ts';
export type { SimulationCounts } from './simulation-counts.ts';
export * from './simulator/index.ts';
export * from './storage-conformance.ts';
export * from './transport-conformance.ts';
export { InvariantViolation, NotExercised } from './violation.ts';
