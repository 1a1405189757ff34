import { basename, dirname, join } from 'node:path';
import { destination, pino } from 'pino';
import { MaelstromNode } from '../../maelstrom/maelstrom-node.ts';
import { stdio } from '../../maelstrom/stdio.ts';
import { onOrphaned } from './orphan-watch.ts';
import type { Output } from './output.ts';
import { endOnSignal } from './shutdown.ts';

/** How long a node may take to close: answers given, disk flushed. */
const closeMsMax = 5_000;

/** Log lines that wait for somebody to read them; beyond it, they are dropped. */
const unwrittenLogBytesMax = 1024 * 1024;

/** `rxraft maelstrom`: one node for Maelstrom, over stdin and stdout, until its input ends. */
export async function maelstrom(
  options: {
    readonly data?: string;
    readonly electionMs: string;
    readonly heartbeatMs: string;
    readonly timeoutMs: string;
    readonly logLevel: string;
  },
  output: Output,
): Promise<void> {
  const numbers = {
    electionMs: Number(options.electionMs),
    heartbeatMs: Number(options.heartbeatMs),
    timeoutMs: Number(options.timeoutMs),
  };
  const wrong = Object.entries(numbers).filter(([, value]) => !Number.isSafeInteger(value) || value < 1);
  if (wrong.length > 0) {
    const names = wrong.map(([name]) => name).join(', ');
    return output.fail(`${names}: expected a positive number of milliseconds, such as 500`);
  }
  if (!(options.logLevel in pino.levels.values) && options.logLevel !== 'silent')
    return output.fail(`--log-level ${options.logLevel}: expected one such as info, warn or silent`);
  const stderr = destination({ dest: 2, sync: true, maxLength: unwrittenLogBytesMax });
  stderr.on('error', () => undefined);
  const logger = pino({ level: options.logLevel, base: { pid: process.pid } }, stderr);
  const { write, read } = stdio({ input: process.stdin, output: process.stdout, logger });
  const folder = options.data ?? folderOf(process.env, process.cwd());
  const node = new MaelstromNode({
    ...numbers,
    write,
    folder,
    logger,
    onStopped: (error) => {
      logger.fatal({ err: error }, 'the node had to stop, and this process with it');
      setTimeout(() => process.exit(1), 100); // What was said still has to leave.
    },
  });
  logger.info({ folder }, 'waiting for init');
  endOnSignal({
    close: () => node.close({ handsOver: true }),
    closeMsMax,
    say: (line) => logger.info({}, line),
  });
  onOrphaned(() => {
    logger.warn({}, 'whoever started this process has gone: ending at once');
    process.exit(1); // As if killed: the next process of this node waits for the store.
  });
  await read((line) => node.onLine(line));
  logger.info({}, 'the input has ended: closing');
  setTimeout(() => process.exit(1), closeMsMax).unref();
  await node.close({ handsOver: false }); // Nobody passes messages on any more.
  process.exit(0);
}

/** Where the state is kept: where the environment says, else in a folder beside the one the process works in. */
export function folderOf(env: NodeJS.ProcessEnv, workingFolder: string): string {
  const given = env['MINI_MAELSTROM_DIR'];
  if (given !== undefined && given !== '') return given;
  return join(dirname(workingFolder), `${basename(workingFolder) || 'root'}.maelstrom`);
}
