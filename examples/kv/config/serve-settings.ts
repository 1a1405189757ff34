import * as v from 'valibot';
import { keyBytesCeiling } from '../kv-command.ts';
import { addressSchema, httpUrlsSchema } from './addresses.ts';
import { membersSchema, nodeIdSchema, raftUrlSchema } from './members.ts';
import { integer, onOff } from './settings.ts';

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Everything that `rxraft serve` can be told. */
export const serveSettings = {
  id: {
    value: 'NAME',
    description: "this node's name, unique in the cluster",
    expected: 'a name of 1 to 64 letters, digits, dots, underscores and hyphens',
    example: '--id n1',
    schema: nodeIdSchema,
    isRequired: true,
  },
  data: {
    value: 'DIR',
    description: 'the folder that holds its data',
    expected: 'a folder',
    example: '--data ./data/n1',
    schema: v.pipe(v.string(), v.nonEmpty()),
    isRequired: true,
  },
  listen: {
    value: 'HOST:PORT',
    description: 'where other nodes reach it (default 127.0.0.1:7101)',
    expected: 'an address with a port from 1 to 65535',
    example: '--listen 127.0.0.1:7101',
    schema: v.pipe(
      addressSchema,
      v.check(({ port }) => port > 0),
    ),
  },
  http: {
    value: 'HOST:PORT',
    description: 'where clients reach it (default 127.0.0.1:8101)',
    expected: 'an address with a port from 0 to 65535, 0 for any that is free',
    example: '--http 127.0.0.1:8101',
    schema: addressSchema,
  },
  members: {
    value: 'LIST',
    description: 'who founds the cluster, the same on every node (default: this node alone)',
    expected: 'names and ws:// URLs, each once, separated by commas',
    example: '--members n1=ws://127.0.0.1:7101,n2=ws://127.0.0.1:7102,n3=ws://127.0.0.1:7103',
    schema: membersSchema,
  },
  join: {
    value: 'URLS',
    description: 'servers of a running cluster that is asked to admit this node, instead of --members',
    expected: 'http:// URLs, separated by commas',
    example: '--join http://127.0.0.1:8101,http://127.0.0.1:8102',
    schema: httpUrlsSchema,
  },
  learner: {
    description: 'with --join: receive the log and do not vote (default: vote once caught up)',
    expected: 'true or false',
    example: '--learner',
    schema: onOff,
  },
  advertise: {
    value: 'URL',
    description: 'where other nodes are told to reach this one (default ws:// and --listen)',
    expected: 'a ws:// URL',
    example: '--advertise ws://10.0.0.4:7101',
    schema: raftUrlSchema,
  },
  'election-ms': {
    value: 'MS',
    description: 'the shortest time without a leader before an election (default 500)',
    expected: 'a whole number from 50 to 60000',
    example: '--election-ms 500',
    schema: integer(50, 60_000),
  },
  'heartbeat-ms': {
    value: 'MS',
    description: "the time between a leader's heartbeats (default 100)",
    expected: 'a whole number from 10 to 30000',
    example: '--heartbeat-ms 100',
    schema: integer(10, 30_000),
  },
  'timeout-ms': {
    value: 'MS',
    description: 'how long a request waits unless it says otherwise (default 5000)',
    expected: 'a whole number from 1 to 600000',
    example: '--timeout-ms 5000',
    schema: integer(1, 600_000),
  },
  'snapshot-entries': {
    value: 'N',
    description: 'entries after which a snapshot is taken and the log compacted (default 100000)',
    expected: 'a whole number from 1 to 1000000000',
    example: '--snapshot-entries 100000',
    schema: integer(1, 1_000_000_000),
  },
  'snapshot-bytes': {
    value: 'BYTES',
    description: 'bytes of log after which that happens too (default 67108864)',
    expected: 'a whole number from 1 to 1099511627776',
    example: '--snapshot-bytes 67108864',
    schema: integer(1, 2 ** 40),
  },
  'value-bytes-max': {
    value: 'BYTES',
    description: 'the longest value that is taken (default 1048576)',
    expected: 'a whole number from 1 to 3145728',
    example: '--value-bytes-max 1048576',
    schema: integer(1, 3 * 1024 * 1024),
  },
  'key-bytes-max': {
    value: 'BYTES',
    description: 'the longest key that is taken (default 1024)',
    expected: 'a whole number from 1 to 1898',
    example: '--key-bytes-max 1024',
    schema: integer(1, keyBytesCeiling),
  },
  'allowed-hosts': {
    value: 'NAMES',
    description: 'further names that a writing request may call this server by',
    expected: 'host names without ports, separated by commas',
    example: '--allowed-hosts kv.example.org,n1.internal',
    schema: v.pipe(
      v.string(),
      v.regex(/^[A-Za-z0-9._-]+(?:,[A-Za-z0-9._-]+)*$/),
      v.transform((names) => names.toLowerCase().split(',')),
    ),
  },
  record: {
    value: 'FILE',
    description: 'add every step of this node to a file, which rxraft inspect replay does again',
    expected: 'a file',
    example: '--record n1.recording.jsonl',
    schema: v.pipe(v.string(), v.nonEmpty()),
  },
  'record-payloads': {
    description: 'with --record: write keys and values too (default: their length and checksum)',
    expected: 'true or false',
    example: '--record-payloads',
    schema: onOff,
  },
  'log-level': {
    value: 'LEVEL',
    description: 'how much is logged to stderr (default info)',
    expected: `one of ${logLevels.join(', ')}`,
    example: '--log-level info',
    schema: v.picklist(logLevels),
  },
  insecure: {
    description:
      'listen on other addresses than loopback, although anyone who reaches them can read and write',
    expected: 'true or false',
    example: '--insecure',
    schema: onOff,
  },
} as const;
