export type { ChangeCount, ChangeCounts, ChangeKind } from './change-counts.ts';
export type { FaultCounts, RunCounts } from './counts.ts';
export { type FaultKind, faultKinds } from './fault-kinds.ts';
export type { Operation, SimulateOptions, SimulationCheck } from './options.ts';
export { type SimulationReport, simulate } from './simulate.ts';
export { type SeedsReport, type SimulateSeedsOptions, simulateSeeds } from './simulate-seeds.ts';
export type { CommittedCommand, SimulatedCluster, SimulatedNode } from './simulated-cluster.ts';
