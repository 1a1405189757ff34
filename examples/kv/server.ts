import { randomInt } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, raftNode, withSessions } from 'rxraft';
import { lmdbStorage } from 'rxraft/storage';
import { wsTransport } from 'rxraft/transport';
import { clientPath, kvClientEndpoint } from './client-port.ts';
import type { ServeConfig } from './config/serve-config.ts';
import { watchFounding } from './founding-watch.ts';
import type { KvLimits } from './http/context.ts';
import { type HttpServer, listenHttp } from './http/http-server.ts';
import { peerClock } from './http/peer-clock.ts';
import { joinCluster } from './join.ts';
import { type KvNode, kvMachine } from './kv-machine.ts';
import { type Recording, recordTo } from './recording-file.ts';
import { version } from './version.ts';

/** A node with its HTTP interface, running. */
export interface KvServer {
  readonly node: KvNode;
  /** Where clients reach it. */
  readonly url: string;
  /** Takes no more requests, answers those under way, flushes, and lets go of everything. */
  close(): Promise<void>;
}

/** Bytes of a command besides its key and its values: lengths, and the names of a session and of a request in it. */
const commandOverheadBytes = 64;

/** How long requests under way may take to be answered as usual, before the node closes and answers them. */
const drainMsMax = 1_000;

/** Milliseconds between looks at which peers are unreachable. */
const peerLookMs = 500;

/**
 * Starts a node and its HTTP interface. If anything can't be had, the rest is let go of again.
 *
 * HTTP comes first: it costs nothing to undo, whereas a node that has opened may already be in a cluster.
 */
export async function startServer(config: ServeConfig, logger: Logger): Promise<KvServer> {
  let node: KvNode | null = null;
  const closing = new AbortController();
  const clock = peerClock();
  const limits = limitsOf(config);
  const hosts = { boundHost: config.http.host, allowedHosts: config.allowedHosts };
  const http = await listenHttp(
    {
      node: () => node,
      peerClock: clock,
      limits,
      hosts,
      logger,
      version,
      closing: closing.signal,
    },
    config.http,
  );
  const seed = randomInt(2 ** 32);
  const recording = await openRecording(config, seed, logger).catch((error: unknown) => letGo(http, error));
  const onStep = recording?.onStep;
  const opened = await openNode(config, { logger, seed, onStep }).catch((error: unknown) =>
    letGo(http, error),
  );
  node = opened;
  const commandBytesMax = commandBytesMaxOf(config);
  const clients = kvClientEndpoint(opened, { limits, hosts, commandBytesMax, logger });
  clients.attach(http.server, clientPath);
  if (config.join !== null) {
    const { join: urls, advertise: url, isLearner } = config;
    void joinCluster(opened, { urls, url, isLearner, logger, signal: closing.signal });
  } else void watchFounding(opened, { config, logger, signal: closing.signal });
  const look = setInterval(() => clock.observe(opened.status().peers), peerLookMs);
  return {
    node: opened,
    url: http.url,
    async close() {
      closing.abort();
      clearInterval(look);
      const answered = Promise.all([http.close(), clients.close()]);
      await Promise.race([answered, pause(drainMsMax)]);
      await Promise.all([opened.close(), answered]).finally(() => recording?.close());
    },
  };
}

async function openRecording(
  { record }: ServeConfig,
  seed: number,
  logger: Logger,
): Promise<Recording | null> {
  return record === null ? null : recordTo(record, seed, logger);
}

function openNode(
  config: ServeConfig,
  how: { readonly logger: Logger; readonly seed: number; readonly onStep: Recording['onStep'] | undefined },
): Promise<KvNode> {
  const { logger, seed, onStep } = how;
  const { id, data, listen, members, electionMs, heartbeatMs, timeoutMs, isInsecure } = config;
  return raftNode({
    id,
    machine: withSessions(kvMachine()),
    storage: lmdbStorage({ path: data, nodeId: id }),
    transport: wsTransport({ listen, isInsecure }),
    members,
    electionMs,
    heartbeatMs,
    timeoutMs,
    snapshotEntries: config.snapshotEntries,
    snapshotBytes: config.snapshotBytes,
    commandBytesMax: commandBytesMaxOf(config),
    logger,
    seed,
    ...(onStep !== undefined && { onStep }),
  });
}

/** A compare-and-swap carries two values. */
function commandBytesMaxOf({ valueBytesMax, keyBytesMax }: ServeConfig): number {
  return 2 * valueBytesMax + keyBytesMax + commandOverheadBytes;
}

function limitsOf({ keyBytesMax, valueBytesMax, timeoutMs }: ServeConfig): KvLimits {
  return { keyBytesMax, valueBytesMax, timeoutMs, watchersMax: 1_000, heartbeatMs: 15_000 };
}

async function letGo(http: HttpServer, error: unknown): Promise<never> {
  await http.close();
  throw error;
}
