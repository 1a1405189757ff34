import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { destination, type Logger as PinoLogger, pino } from 'pino';
import { isLoopback } from '../config/addresses.ts';
import type { ServeConfig } from '../config/serve-config.ts';
import { type KvServer, startServer } from '../server.ts';
import { version } from '../version.ts';
import { noteMembership } from './membership-note.ts';
import type { Output } from './output.ts';
import { refuse } from './refusal.ts';
import { endOnSignal } from './shutdown.ts';

/** How long a node may take to close: requests answered, disk flushed. */
const closeMsMax = 10_000;

/** Log lines that wait for a disk to take them; beyond it, they are dropped. */
const unwrittenLogBytesMax = 1024 * 1024;

/** `rxraft serve`: runs one node until it is told to end, or has to. */
export async function serve(config: ServeConfig, output: Output): Promise<void> {
  const logger = loggerOf(config);
  endOnAccident(logger);
  warnOfExposure(config, output);
  const server = await start(config, logger, output);
  if (server === null) return;
  const pidFile = join(config.data, 'pid');
  await writePid(pidFile, logger);
  noteMembership(server.node, config, logger);
  logger.info(
    { version, url: server.url, listen: config.listen, data: config.data, pid: process.pid },
    'listening',
  );
  output.json({ id: config.id, url: server.url, pid: process.pid });
  output.text(`${config.id}: ${server.url} (pid ${process.pid})`);
  output.next(`rxraft status --url ${server.url}; Ctrl-C stops this node`);

  const close = async (): Promise<void> => {
    await server.close();
    await removePid(pidFile);
    logger.info({}, 'closed');
  };
  endOnSignal({ close, closeMsMax, say: (line) => logger.info({}, line) });
  server.node.closed.catch(async (error: unknown) => {
    logger.fatal({ err: error }, 'the node had to stop, and this process with it');
    output.fail(`${config.id} had to stop: ${textOf(error)}`);
    await Promise.race([
      close().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, closeMsMax)),
    ]);
    process.exit(1);
  });
}

/** Logs to stderr. Lines that can't be written, for a full disk say, are lost, and end no node. */
function loggerOf({ id, logLevel: level }: ServeConfig): PinoLogger {
  const stderr = destination({ dest: 2, sync: true, maxLength: unwrittenLogBytesMax });
  stderr.on('error', () => undefined);
  const serializers = { err: pino.stdSerializers.errWithCause };
  return pino({ level, base: { node: id }, serializers }, stderr);
}

async function start(config: ServeConfig, logger: PinoLogger, output: Output): Promise<KvServer | null> {
  try {
    return await startServer(config, logger);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'NOT_STARTED';
    refuse(output, { code, message: `${config.id} was not started. ${textOf(error)}` });
    return null;
  }
}

function warnOfExposure({ isInsecure, listen, http }: ServeConfig, output: Output): void {
  const open = [listen, http].filter(({ host }) => !isLoopback(host));
  if (!isInsecure || open.length === 0) return;
  const where = open.map(({ host, port }) => `${host}:${port}`).join(' and ');
  output.say(
    `WARNING: --insecure: whoever reaches ${where} can read and change everything. Nothing is encrypted.`,
  );
}

/** After an error that nobody caught the process is in no known state; its data are safe on disk. */
function endOnAccident(logger: PinoLogger): void {
  process.on('uncaughtException', (error, origin) => {
    logger.fatal({ err: error, origin }, 'an error that nobody caught: ending');
    process.exit(1);
  });
}

/** For people and scripts; no reason to end a node that may have acknowledged writes already. */
async function writePid(path: string, logger: PinoLogger): Promise<void> {
  await writeFile(path, `${process.pid}\n`).catch((error: unknown) => {
    logger.warn({}, `${path} could not be written, and the node works without it: ${textOf(error)}`);
  });
}

/** Takes the file away, unless another process has put its own there. */
async function removePid(path: string): Promise<void> {
  const content = await readFile(path, 'utf8').catch(() => '');
  if (content.trim() === String(process.pid)) await rm(path, { force: true });
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'code' in error ? `${error.message} (${String(error.code)})` : error.message;
}
