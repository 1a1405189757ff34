import { parseArgs } from 'node:util';
import { faultNames } from './faults/index.ts';

/** What a run is told. */
export interface ChaosOptions {
  readonly minutes: number;
  /** Sizes of clusters; the time is shared between them. */
  readonly sizes: readonly number[];
  readonly seed: number;
  /** `null`: all that can happen here. */
  readonly faults: readonly string[] | null;
  /** How long the faults of a round last. */
  readonly roundMs: number;
  readonly clientsPerNode: number;
  /** The longest pause of a client between two operations. */
  readonly thinkMsMax: number;
  readonly snapshotEntries: number;
  /** Takes the report; `null`: it is printed only. */
  readonly report: string | null;
  /** Takes what is left of a run that failed. */
  readonly evidence: string;
  readonly isVerbose: boolean;
}

/** Reads the arguments of `npm run chaos --`. Throws an error that says what is wrong with them. */
export function chaosOptions(args: readonly string[]): ChaosOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '10' },
      nodes: { type: 'string', default: '3,5' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      faults: { type: 'string' },
      'round-seconds': { type: 'string', default: '45' },
      clients: { type: 'string', default: '4' },
      'think-ms': { type: 'string', default: '25' },
      'snapshot-entries': { type: 'string', default: '300' },
      report: { type: 'string' },
      evidence: { type: 'string', default: 'chaos-evidence' },
      verbose: { type: 'boolean', default: false },
    },
  });
  const faults = values.faults?.split(',') ?? null;
  const strange = (faults ?? []).filter((name) => !faultNames.includes(name));
  if (strange.length > 0)
    throw new Error(`--faults ${strange.join(',')} is not known. Expected some of: ${faultNames.join(',')}`);
  return {
    minutes: positive('minutes', values.minutes),
    sizes: values.nodes.split(',').map((each) => positive('nodes', each)),
    seed: Number(values.seed),
    faults,
    roundMs: 1_000 * positive('round-seconds', values['round-seconds']),
    clientsPerNode: positive('clients', values.clients),
    thinkMsMax: positive('think-ms', values['think-ms']),
    snapshotEntries: positive('snapshot-entries', values['snapshot-entries']),
    report: values.report ?? null,
    evidence: values.evidence,
    isVerbose: values.verbose,
  };
}

/** The command of a run with these arguments. It ends with the seed, if that was drawn. */
export function commandOf(args: readonly string[], seed: number): string {
  const hasSeed = args.some((arg) => /^--seed(=|$)/.test(arg));
  const all = hasSeed ? args : [...args, '--seed', String(seed)];
  return ['npm run chaos --', ...all.map(quoted)].join(' ');
}

/** As a shell takes it for one word. */
function quoted(arg: string): string {
  return /^[\w.,:=/-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", "'\\''")}'`;
}

function positive(name: string, given: string): number {
  const number = Number(given);
  if (number > 0) return number;
  throw new Error(`--${name} is a number above 0, not ${JSON.stringify(given)}`);
}
