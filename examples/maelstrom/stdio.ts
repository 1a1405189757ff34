import type { Readable, Writable } from 'node:stream';
import type { Logger } from 'rxraft';
import { LineReader } from './line-reader.ts';

/** The longest line that is read, in bytes: the largest frame in base64, and room around it. */
export const lineBytesMax = 8 * 1024 * 1024;

/** Unwritten bytes beyond which messages to peers are dropped; they are sent again. */
const lossyBytesMax = 8 * 1024 * 1024;

/** Unwritten bytes beyond which nothing more is read, until all are written. */
const pauseBytesMax = 16 * 1024 * 1024;

/** Lines in and lines out, in bounded memory however slowly the other side reads. */
export interface Stdio {
  write(line: string, how: { readonly isLossy: boolean }): void;
  /** Hands on each line that comes; resolves when there will be no more. */
  read(onLine: (line: string) => void): Promise<void>;
}

/** A process's own input and output. */
export function stdio({
  input,
  output,
  logger,
}: {
  readonly input: Readable;
  readonly output: Writable;
  readonly logger: Logger;
}): Stdio {
  const pauseIfBehind = (): void => {
    if (output.writableLength <= pauseBytesMax || input.isPaused()) return;
    input.pause();
    output.once('drain', () => input.resume());
  };
  return {
    write(line, { isLossy }) {
      if (isLossy && output.writableLength > lossyBytesMax) return;
      output.write(`${line}\n`);
      pauseIfBehind();
    },
    read(onLine) {
      const onTooLong = (bytes: number) =>
        logger.warn({ bytes, lineBytesMax }, 'a line is too long, and is left out');
      const reader = new LineReader({ lineBytesMax, onLine, onTooLong });
      input.on('data', (chunk: Uint8Array) => reader.push(chunk));
      return new Promise((resolve) => {
        input.once('end', resolve);
        input.once('error', () => resolve());
      });
    },
  };
}
