import type { MemberAddress } from 'rxraft/transport';
import { type Address, formatAddress, isLoopback } from './addresses.ts';
import { formatMembers } from './members.ts';
import { serveSettings } from './serve-settings.ts';
import {
  type Problem,
  type Reading,
  readSettings,
  type Source,
  unknownNames,
  type Values,
} from './settings.ts';

/** Where the steps of a node are recorded, and how. */
export interface RecordConfig {
  readonly path: string;
  readonly payloads: 'checksums' | 'whole';
}

/** How one node is run. */
export interface ServeConfig {
  readonly id: string;
  readonly data: string;
  readonly listen: Address;
  readonly http: Address;
  /** Who founds the cluster; nobody where this node joins one. */
  readonly members: readonly MemberAddress[];
  /** Whether anybody has said so; else it is this node alone. */
  readonly areMembersGiven: boolean;
  /** Servers of the cluster to join; `null` where this node founds one. */
  readonly join: readonly string[] | null;
  readonly isLearner: boolean;
  /** Where other nodes reach this one. */
  readonly advertise: string;
  readonly electionMs: number;
  readonly heartbeatMs: number;
  readonly timeoutMs: number;
  readonly snapshotEntries: number;
  readonly snapshotBytes: number;
  readonly valueBytesMax: number;
  readonly keyBytesMax: number;
  readonly allowedHosts: readonly string[];
  readonly record: RecordConfig | null;
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly isInsecure: boolean;
}

/**
 * The configuration that these places give, the first to say something winning, or all that is wrong.
 *
 * What does not fit together is looked for among the values that can be read, so that one typing error
 * does not hide another problem.
 */
export function serveConfig(
  sources: readonly Source[],
): { readonly config: ServeConfig } | { readonly problems: readonly Problem[] } {
  const reading = readSettings(serveSettings, sources);
  const config = withDefaults(reading.values);
  const problems = [
    ...reading.problems,
    ...unknownNames(serveSettings, sources),
    ...misfits(reading, config),
  ];
  return problems.length > 0 ? { problems } : { config };
}

function withDefaults(values: Values<typeof serveSettings>): ServeConfig {
  const id = values.id ?? '';
  const listen = values.listen ?? { host: '127.0.0.1', port: 7101 };
  const advertise = values.advertise ?? `ws://${formatAddress(listen)}`;
  const founding = values.join === undefined ? [{ id, url: advertise }] : [];
  return {
    id,
    data: values.data ?? '',
    listen,
    http: values.http ?? { host: '127.0.0.1', port: 8101 },
    members: values.members ?? founding,
    areMembersGiven: values.members !== undefined,
    join: values.join ?? null,
    isLearner: values.learner ?? false,
    advertise,
    electionMs: values['election-ms'] ?? 500,
    heartbeatMs: values['heartbeat-ms'] ?? 100,
    timeoutMs: values['timeout-ms'] ?? 5_000,
    snapshotEntries: values['snapshot-entries'] ?? 100_000,
    snapshotBytes: values['snapshot-bytes'] ?? 64 * 1024 * 1024,
    valueBytesMax: values['value-bytes-max'] ?? 1024 * 1024,
    keyBytesMax: values['key-bytes-max'] ?? 1_024,
    allowedHosts: values['allowed-hosts'] ?? [],
    record: recordOf(values),
    logLevel: values['log-level'] ?? 'info',
    isInsecure: values.insecure ?? false,
  };
}

function recordOf({
  record: path,
  'record-payloads': isWhole,
}: Values<typeof serveSettings>): RecordConfig | null {
  return path === undefined ? null : { path, payloads: isWhole === true ? 'whole' : 'checksums' };
}

function misfits({ values, unreadable }: Reading<typeof serveSettings>, config: ServeConfig): Problem[] {
  const { id, listen, http, members, electionMs, heartbeatMs } = config;
  const problems: Problem[] = [];
  const isListed = members.some((member) => member.id === id);
  if (values.id !== undefined && values.members !== undefined && !isListed) {
    problems.push({
      given: `--members ${formatMembers(members)}`,
      expected: `a list that names this node, ${id}, too`,
      example: `--members ${id}=ws://${formatAddress(listen)},${formatMembers(members)}`,
    });
  }
  const areTimesReadable = !unreadable.has('election-ms') && !unreadable.has('heartbeat-ms');
  if (areTimesReadable && electionMs < 2 * heartbeatMs) {
    problems.push({
      given: `--election-ms ${electionMs} with --heartbeat-ms ${heartbeatMs}`,
      expected: 'an election time of at least two heartbeats, so that one that is late starts no election',
      example: `--election-ms ${5 * heartbeatMs} --heartbeat-ms ${heartbeatMs}`,
    });
  }
  if (formatAddress(http) === formatAddress(listen)) {
    problems.push({
      given: `--http ${formatAddress(http)} and --listen ${formatAddress(listen)}`,
      expected: 'two addresses, one for clients and one for nodes',
      example: '--http 127.0.0.1:8101 --listen 127.0.0.1:7101',
    });
  }
  if (values.record === undefined && values['record-payloads'] === true) {
    problems.push({
      given: '--record-payloads without --record',
      expected: 'both: --record says where to',
      example: `${serveSettings.record.example} --record-payloads`,
    });
  }
  return [
    ...problems,
    ...joiningMisfits(values, config),
    ...exposed('listen', config),
    ...exposed('http', config),
  ];
}

function joiningMisfits(values: Values<typeof serveSettings>, { listen, advertise }: ServeConfig): Problem[] {
  const problems: Problem[] = [];
  if (values.join !== undefined && values.members !== undefined) {
    problems.push({
      given: '--join with --members',
      expected: 'one of them: --members founds a cluster, --join enters one that runs',
      example: serveSettings.join.example,
    });
  }
  if (values.join === undefined && values.learner === true) {
    problems.push({
      given: '--learner without --join',
      expected: 'both: who founds a cluster votes',
      example: `${serveSettings.join.example} --learner`,
    });
  }
  const isEverywhere = listen.host === '0.0.0.0' || listen.host === '::';
  if (values.join !== undefined && values.advertise === undefined && isEverywhere) {
    problems.push({
      given: `--join with --listen ${formatAddress(listen)}`,
      expected: `an --advertise as well: ${advertise} is where no other node can reach this one`,
      example: `--advertise ws://10.0.0.4:${listen.port}`,
    });
  }
  return problems;
}

/** An address that others than this machine can reach, unless that is wanted. */
function exposed(name: 'listen' | 'http', config: ServeConfig): Problem[] {
  const address = config[name];
  if (isLoopback(address.host) || config.isInsecure) return [];
  const expected =
    'a loopback address, or --insecure: there is no encryption and no password on this connection';
  return [
    {
      given: `--${name} ${formatAddress(address)}`,
      expected,
      example: `--${name} 127.0.0.1:${address.port}`,
    },
  ];
}

/** The configuration by the names of its settings, in a form that `--config` reads again. */
export function printableConfig(config: ServeConfig): Record<string, unknown> {
  return {
    id: config.id,
    data: config.data,
    listen: formatAddress(config.listen),
    http: formatAddress(config.http),
    ...(config.join === null
      ? { members: formatMembers(config.members) }
      : { join: config.join.join(','), learner: config.isLearner }),
    advertise: config.advertise,
    'election-ms': config.electionMs,
    'heartbeat-ms': config.heartbeatMs,
    'timeout-ms': config.timeoutMs,
    'snapshot-entries': config.snapshotEntries,
    'snapshot-bytes': config.snapshotBytes,
    'value-bytes-max': config.valueBytesMax,
    'key-bytes-max': config.keyBytesMax,
    ...(config.allowedHosts.length === 0 ? {} : { 'allowed-hosts': config.allowedHosts.join(',') }),
    ...(config.record === null
      ? {}
      : { record: config.record.path, 'record-payloads': config.record.payloads === 'whole' }),
    'log-level': config.logLevel,
    insecure: config.isInsecure,
  };
}
