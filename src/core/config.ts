/** What a core can be told. Every node of a cluster should be told the same. */
export interface Config {
  /** The shortest election timeout in milliseconds; also how long a follower sticks to its leader. Default 500. */
  readonly electionTimeoutMsMin: number;
  /** The longest election timeout in milliseconds; each is drawn anew between the two (§5.2). Default 1,000. */
  readonly electionTimeoutMsMax: number;
  /** Milliseconds between a leader's heartbeats. Default 100. */
  readonly heartbeatIntervalMs: number;
  /** Milliseconds between ticks; a gap of more than two counts as two. Default 25. */
  readonly tickIntervalMs: number;
  /** The longest wait before a pre-vote when the connection to the leader broke, in milliseconds. Default 40. */
  readonly failoverDelayMsMax: number;
  /** Payload bytes that one `readLogReq` asks for. Default 128 KiB. */
  readonly appendBytesMax: number;
  /** Bytes sent to one follower and not acknowledged; beyond it, the leader waits. Default 2 MiB. */
  readonly inflightBytesMax: number;
  /** Payload bytes of writes that are not committed and applied; beyond it, writes are refused. Default 64 MiB. */
  readonly uncommittedBytesMax: number;
  /** Writes waiting for their answer; beyond it, they are refused. Default 4,096. */
  readonly pendingWritesMax: number;
  /** Reads waiting for their confirmation; beyond it, they are refused. Default 4,096. */
  readonly pendingReadsMax: number;
}

/** The defaults of {@link Config}. */
export const defaultConfig: Config = {
  electionTimeoutMsMin: 500,
  electionTimeoutMsMax: 1000,
  heartbeatIntervalMs: 100,
  tickIntervalMs: 25,
  failoverDelayMsMax: 40,
  appendBytesMax: 128 * 1024,
  inflightBytesMax: 2 * 1024 * 1024,
  uncommittedBytesMax: 64 * 1024 * 1024,
  pendingWritesMax: 4096,
  pendingReadsMax: 4096,
};

/** Every problem of a configuration, in words; empty if it can be used. */
export function configProblems(config: Config): readonly string[] {
  const problems: string[] = [];
  for (const [name, value] of Object.entries(config)) {
    const isDelay = name === 'failoverDelayMsMax';
    if (!Number.isSafeInteger(value) || value < (isDelay ? 0 : 1)) {
      problems.push(`${name} is ${value}, expected a positive integer such as ${exampleOf(name)}`);
    }
  }
  if (!(config.electionTimeoutMsMin < config.electionTimeoutMsMax)) {
    problems.push(
      `electionTimeoutMsMin is ${config.electionTimeoutMsMin} and electionTimeoutMsMax ${config.electionTimeoutMsMax}, ` +
        'expected a range, so that nodes draw different timeouts, such as 500 and 1000',
    );
  }
  if (!(config.heartbeatIntervalMs * 2 <= config.electionTimeoutMsMin)) {
    problems.push(
      `heartbeatIntervalMs is ${config.heartbeatIntervalMs} and electionTimeoutMsMin ${config.electionTimeoutMsMin}, ` +
        'expected at least two heartbeats in the shortest timeout, such as 100 and 500',
    );
  }
  if (!(config.tickIntervalMs <= config.heartbeatIntervalMs)) {
    problems.push(
      `tickIntervalMs is ${config.tickIntervalMs} and heartbeatIntervalMs ${config.heartbeatIntervalMs}, ` +
        'expected ticks at least as often as heartbeats, such as 25 and 100',
    );
  }
  return problems;
}

function exampleOf(name: string): number | string {
  return defaultConfig[name as keyof Config] ?? 'none: there is no such option';
}
