import type { AnswerCounts } from './client-oracle.ts';

/** What happened in a simulation: to tell whether it exercised anything. */
export interface SimulationCounts extends AnswerCounts {
  steps: number;
  elections: number;
  entries: number;
  /** Followers that threw away entries of their own. */
  truncations: number;
  /** Requests to append a configuration that a node truncated again. */
  configurationsTruncated: number;
  crashes: number;
  /** Disk requests that a crash lost. */
  lostWrites: number;
  messagesLost: number;
  /** Lost since nothing gets from the one to the other. */
  messagesCut: number;
  messagesDoubled: number;
  /** Messages that came as late as several elections. */
  messagesLate: number;
  /** Messages that came to another store under their receiver's name. */
  messagesMisdelivered: number;
  cuts: number;
  /** Those of them in one direction only. */
  oneWayCuts: number;
  /** Cuts in which one node sees both sides, and they do not see each other. */
  bridges: number;
  pauses: number;
  slowDisks: number;
  hungDisks: number;
  /** Nodes that stopped because their disk refused a write. */
  failedDisks: number;
  disksWiped: number;
  /** Ticks of clocks that run too fast or too slow. */
  skewedTicks: number;
  /** Clocks that were set forward or back. */
  clockJumps: number;
  /** Requests to nodes that did not lead. */
  strayRequests: number;
  memberChangesAsked: number;
  transfersAsked: number;
  compactionsAsked: number;
  logReads: number;
  snapshotsSent: number;
  snapshotsLost: number;
  snapshotsInstalled: number;
  /** Snapshots whose chunks were not there any more when they were to be installed. */
  snapshotsNotInstalled: number;
  logsCompacted: number;
}

/** Nothing has happened yet. */
export function noCounts(): SimulationCounts {
  return {
    steps: 0,
    elections: 0,
    entries: 0,
    truncations: 0,
    configurationsTruncated: 0,
    crashes: 0,
    lostWrites: 0,
    messagesLost: 0,
    messagesCut: 0,
    messagesDoubled: 0,
    messagesLate: 0,
    messagesMisdelivered: 0,
    cuts: 0,
    oneWayCuts: 0,
    bridges: 0,
    pauses: 0,
    slowDisks: 0,
    hungDisks: 0,
    failedDisks: 0,
    disksWiped: 0,
    skewedTicks: 0,
    clockJumps: 0,
    strayRequests: 0,
    memberChangesAsked: 0,
    transfersAsked: 0,
    compactionsAsked: 0,
    logReads: 0,
    snapshotsSent: 0,
    snapshotsLost: 0,
    snapshotsInstalled: 0,
    snapshotsNotInstalled: 0,
    logsCompacted: 0,
    committed: 0,
    notCommitted: 0,
    unknown: 0,
    reads: 0,
    refused: 0,
    lost: 0,
    membersChanged: 0,
    transfers: 0,
    compactions: 0,
    adminRefused: 0,
    adminUnknown: 0,
  };
}

/** Adds what happened in another simulation. */
export function addCounts(sum: SimulationCounts, counts: SimulationCounts): void {
  for (const name of Object.keys(counts) as (keyof SimulationCounts)[]) sum[name] += counts[name];
}
