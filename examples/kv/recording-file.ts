import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { Logger, Stepped } from 'rxraft';
import type { RecordConfig } from './config/serve-config.ts';

/** Text of a recording that waits for its disk; beyond it, steps are left out, and the recording says so. */
const unwrittenBytesMax = 16 * 1024 * 1024;

/** A recording under way. */
export interface Recording {
  readonly onStep: (stepped: Stepped) => void;
  /** Writes what waits, and lets go of the file. Resolves also if that can't be done. */
  close(): Promise<void>;
}

/**
 * Opens a file that each step of this process is added to, one line each. Rejects if the file can't be had; after that,
 * whatever becomes of it, the node goes on.
 */
export async function recordTo(config: RecordConfig, seed: number, logger: Logger): Promise<Recording> {
  const { path, payloads } = config;
  const { recorder } = await import('rxraft/testing'); // Only where it is wanted: a server starts without it.
  await endLastLine(path);
  const stream = createWriteStream(path, { flags: 'a' });
  await once(stream, 'open');
  const lines = new LineWriter(stream, { path, logger });
  const onStep = recorder((line) => lines.write(line), { payloads, seed, clock: () => performance.now() });
  return { onStep, close: () => lines.close() };
}

/** A process that was killed while it wrote leaves half a line; the next one must not go on in it. */
async function endLastLine(path: string): Promise<void> {
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    if (size === 0) return;
    const { buffer } = await file.read({ buffer: new Uint8Array(1), position: size - 1 });
    if (buffer[0] !== 0x0a) await file.appendFile('\n');
  } finally {
    await file.close();
  }
}

/** Lines on their way to a stream, bounded in bytes. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #bytesMax: number;
  #hasFailed = false;

  constructor(
    stream: Writable,
    {
      path,
      logger,
      bytesMax = unwrittenBytesMax,
    }: { readonly path: string; readonly logger: Logger; readonly bytesMax?: number },
  ) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    stream.on('error', (cause) => {
      this.#hasFailed = true;
      logger.error({ path, cause }, 'the recording ends here: its file can’t be written; the node goes on');
    });
  }

  /** Whether the line will be written: not if too much waits, nor once a write has failed. */
  write(line: string): boolean {
    if (this.#hasFailed || this.#stream.writableLength + line.length > this.#bytesMax) return false;
    this.#stream.write(`${line}\n`);
    return true;
  }

  /** Resolves when everything is written, or can't be. */
  close(): Promise<void> {
    if (this.#hasFailed) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stream.once('close', resolve);
      this.#stream.end();
    });
  }
}
