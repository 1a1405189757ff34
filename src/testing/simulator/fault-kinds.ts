/** What can go wrong, or be done, in a simulation. */
export const faultKinds = [
  /** Messages take long. */
  'delay',
  /** Messages are lost. */
  'loss',
  /** Messages come twice. */
  'duplication',
  /** Messages are overtaken by later ones. */
  'reordering',
  /** The network falls apart into two groups. */
  'partition',
  /** What one node sends to another does not arrive. */
  'oneWay',
  /** The network falls apart, but for one node that reaches everybody. */
  'bridge',
  /** A process is killed; what it wrote stays. */
  'kill',
  /** A machine loses its power, and with it what was not flushed. */
  'powerLoss',
  /** A write fails; the node stops, and is started again. */
  'diskFailure',
  /** Writes take long. */
  'slowDisk',
  /** A write does not come back for longer than an election takes. */
  'hangingDisk',
  /** A clock goes too fast or too slow. */
  'clockSkew',
  /** A clock jumps ahead. */
  'clockJump',
  /** A process stands still, and goes on as if nothing had been. */
  'pause',
  /** A node comes back with an empty disk; it is removed, and added as a new one. */
  'wipe',
  /** Nodes join and leave, become voters and learners, and move to other addresses; also two at once. */
  'members',
  /** Leadership is handed over. */
  'transfer',
  /** A node takes a snapshot and compacts its log. */
  'snapshot',
] as const;

/** A kind of what can go wrong, or be done, in a simulation. */
export type FaultKind = (typeof faultKinds)[number];
