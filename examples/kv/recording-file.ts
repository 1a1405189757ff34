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
  const isMidLine = await endsMidLine(path);
  const stream = createWriteStream(path, { flags: 'a' });
  await once(stream, 'open');
  const lines = new LineWriter(stream, { path, logger, isMidLine });
  const record = recorder((line) => lines.write(line), {
    payloads,
    seed,
    clock: () => performance.now(),
    canWrite: () => lines.canWrite,
  });
  const onStep = (stepped: Stepped) => {
    if (!lines.hasFailed) record(stepped);
  };
  return { onStep, close: () => lines.close() };
}

/** A process that was killed while it wrote leaves half a line; the next one must not go on in it. */
async function endsMidLine(path: string): Promise<boolean> {
  const file = await open(path, 'a+');
  try {
    const { size } = await file.stat();
    if (size === 0) return false;
    const { buffer } = await file.read({ buffer: new Uint8Array(1), position: size - 1 });
    return buffer[0] !== 0x0a;
  } finally {
    await file.close();
  }
}

/** How lines get to a stream. */
interface LineWriterOptions {
  readonly path: string;
  readonly logger: Logger;
  readonly bytesMax?: number;
  /** Whether what is there ends in half a line: the first line ends it, so that nothing else looks as if it were whole. */
  readonly isMidLine?: boolean;
}

/** Lines on their way to a stream, bounded in bytes. */
export class LineWriter {
  readonly #stream: Writable;
  readonly #bytesMax: number;
  #isMidLine: boolean;
  #hasFailed = false;
  #isFull = false;

  constructor(
    stream: Writable,
    { path, logger, bytesMax = unwrittenBytesMax, isMidLine = false }: LineWriterOptions,
  ) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    this.#isMidLine = isMidLine;
    stream.on('error', (cause) => {
      this.#hasFailed = true;
      logger.error({ path, cause }, 'the recording ends here: its file can’t be written; the node goes on');
    });
  }

  /** Whether a write has failed: no line will be written any more. */
  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether to come with a line: once one was refused, not before half of what may wait is written. */
  get canWrite(): boolean {
    if (this.#isFull) this.#isFull = this.#stream.writableLength > this.#bytesMax / 2;
    return !this.#hasFailed && !this.#isFull;
  }

  /** Whether the line will be written: not if too much waits, nor once a write has failed. */
  write(line: string): boolean {
    if (this.#stream.writableLength + line.length > this.#bytesMax) this.#isFull = true;
    else if (!this.#hasFailed) {
      this.#stream.write(this.#isMidLine ? `\n${line}\n` : `${line}\n`);
      this.#isMidLine = false;
      return true;
    }
    return false;
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
