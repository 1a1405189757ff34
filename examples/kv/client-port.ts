import type { IncomingMessage } from 'node:http';
import type { Codec, Logger, SessionCommand } from 'rxraft';
import { withSessions } from 'rxraft';
import { type ClientEndpoint, clientEndpoint, type UpgradeRefusal } from 'rxraft/transport';
import type { KvLimits } from './http/context.ts';
import { type HostRules, hostProblem } from './http/host-check.ts';
import { opProblem } from './http/replicate.ts';
import { batchOpsMax, rangeLimitMax } from './http/routes-keys.ts';
import type { KvCommand, KvOp } from './kv-command.ts';
import { type KvNode, type KvQuery, kvMachine } from './kv-machine.ts';
import { kvAnswerCodec, kvQueryCodec } from './kv-query.ts';

/** Where clients of `rxraft/client` connect. */
export const clientPath = '/client';

/** What {@link kvClientEndpoint} needs to know. */
export interface ClientPortOptions {
  readonly limits: KvLimits;
  readonly hosts: HostRules;
  readonly commandBytesMax: number;
  readonly logger: Logger;
}

/**
 * A WebSocket endpoint that takes what the HTTP interface takes, within the same limits.
 *
 * It tells clients who leads, and not where (`clientUrlOf`): members are listed with the address for other nodes, and no
 * node knows the HTTP port of another. A client finds the leader among its own URLs.
 */
export function kvClientEndpoint(node: KvNode, options: ClientPortOptions): ClientEndpoint {
  const { limits, hosts, commandBytesMax, logger } = options;
  const { command, result } = withSessions(kvMachine());
  return clientEndpoint({
    node,
    command,
    result,
    query: limitedQueryCodec,
    answer: kvAnswerCodec,
    hasSessions: true,
    commandBytesMax,
    check: (given) => problemOf(given, limits),
    admit: (request) => refusalOf(request, hosts),
    logger,
  });
}

/** Of an untold number of entries, with short values, the machine would do nothing else until the last was read. */
const limitedQueryCodec: Codec<KvQuery> = {
  encode: kvQueryCodec.encode,
  decode(bytes) {
    const query = kvQueryCodec.decode(bytes);
    if (query.type === 'range' && (query.limit < 1 || query.limit > rangeLimitMax))
      throw new RangeError(`limit is a whole number from 1 to ${rangeLimitMax}, not ${query.limit}`);
    return query;
  },
};

function refusalOf({ headers: { host, origin } }: IncomingMessage, hosts: HostRules): UpgradeRefusal | null {
  const reason = hostProblem({ host: host ?? '', origin }, hosts);
  return reason === null ? null : { status: 403, reason };
}

function problemOf(given: SessionCommand<KvCommand>, limits: KvLimits): string | null {
  if (given.type === 'open') return null;
  const { command } = given;
  switch (command.type) {
    case 'unreadable':
      return `${command.bytes.byteLength} bytes that are no command`;
    case 'batch':
      if (command.ops.length > batchOpsMax)
        return `a batch may have ${batchOpsMax} operations, and this one has ${command.ops.length}`;
      return command.ops.map((op) => problemOfOp(op, limits)).find((problem) => problem !== null) ?? null;
    default:
      return problemOfOp(command, limits);
  }
}

function problemOfOp(op: KvOp, limits: KvLimits): string | null {
  const isLimitRaised = op.type === 'append' && op.valueBytesMax > limits.valueBytesMax;
  if (isLimitRaised)
    return `an append may let a value grow to ${limits.valueBytesMax} bytes, not ${op.valueBytesMax}`;
  return opProblem(op, limits)?.message ?? null;
}
