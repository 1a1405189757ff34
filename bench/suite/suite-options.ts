import { parseArgs } from 'node:util';
import { positive } from '../harness/options.ts';

/** What the command line says. */
export interface SuiteOptions {
  /** Cases, by name; empty: all that `npm run bench` runs by itself. */
  readonly cases: readonly string[];
  /** Samples of which the median is taken. */
  readonly samples: number;
  readonly sampleMs: number;
  /** How long each load runs before the first sample. */
  readonly warmUpMs: number;
  /** Smaller sizes, to try it. */
  readonly isQuick: boolean;
  /** Outstanding requests and sizes of commands that are measured; `null`: as the case has it. */
  readonly outstanding: readonly number[] | null;
  readonly bytes: readonly number[] | null;
  /** Systems and drivers by name; `null`: all. */
  readonly systems: readonly string[] | null;
  readonly drivers: readonly string[] | null;
  readonly operations: readonly string[] | null;
  /** By how much `step` has to surpass etcd's core. */
  readonly timesEtcd: number;
  /** How long `resources` runs. */
  readonly minutes: number;
  readonly json: string | null;
  readonly report: string | null;
}

/** Reads the command line. Throws what a person can act on. */
export function suiteOptions(args: readonly string[]): SuiteOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      samples: { type: 'string' },
      'sample-ms': { type: 'string' },
      'warm-up-ms': { type: 'string' },
      quick: { type: 'boolean', default: false },
      outstanding: { type: 'string' },
      bytes: { type: 'string' },
      systems: { type: 'string' },
      drivers: { type: 'string' },
      operations: { type: 'string' },
      'times-etcd': { type: 'string', default: '2.5' },
      minutes: { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
    },
  });
  const isQuick = values.quick;
  return {
    cases: positionals,
    samples: positive('samples', values.samples ?? (isQuick ? '3' : '5')),
    sampleMs: positive('sample-ms', values['sample-ms'] ?? (isQuick ? '400' : '1000')),
    warmUpMs: positive('warm-up-ms', values['warm-up-ms'] ?? (isQuick ? '300' : '1500')),
    isQuick,
    outstanding: numbers('outstanding', values.outstanding),
    bytes: numbers('bytes', values.bytes),
    systems: values.systems?.split(',') ?? null,
    drivers: values.drivers?.split(',') ?? null,
    operations: values.operations?.split(',') ?? null,
    timesEtcd: positive('times-etcd', values['times-etcd']),
    minutes: positive('minutes', values.minutes ?? (isQuick ? '0.05' : '1')),
    json: values.json ?? null,
    report: values.report ?? null,
  };
}

function numbers(name: string, text: string | undefined): readonly number[] | null {
  return text?.split(',').map((each) => positive(name, each)) ?? null;
}
