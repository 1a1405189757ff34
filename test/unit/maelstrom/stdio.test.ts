import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { stdio } from '../../../examples/maelstrom/stdio.ts';

const logger = { debug() {}, info() {}, warn: vi.fn(), error() {} };

/** An output that takes nothing until it is told to. */
function slowOutput() {
  const taken: string[] = [];
  let isOpen = false;
  let waiting: (() => void) | null = null;
  const output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      taken.push(chunk.toString('latin1', 0, 1));
      if (isOpen) done();
      else waiting = done;
    },
  });
  const open = () => {
    isOpen = true;
    waiting?.();
  };
  return { output, taken, open };
}

const megabytes = (count: number, letter: string) => letter.repeat(count * 1024 * 1024);

describe('output that nobody reads', () => {
  it('drops messages to peers first, then stops reading, and goes on when it is read again', async () => {
    const input = new PassThrough();
    const { output, taken, open } = slowOutput();
    const { write, read } = stdio({ input, output, logger });
    const lines: string[] = [];
    void read((line) => lines.push(line));

    write(megabytes(9, 'a'), { isLossy: false });
    write('p', { isLossy: true });
    expect(input.isPaused()).toBe(false);
    write(megabytes(9, 'b'), { isLossy: false });
    expect(input.isPaused()).toBe(true);
    input.write('late\n');
    open();

    await vi.waitFor(() => expect(lines).toEqual(['late']), 30_000);
    expect(taken).toEqual(['a', 'b']);
    write('q', { isLossy: true });
    expect(taken).toEqual(['a', 'b', 'q']);
  });
});

describe('input', () => {
  it('ends after its last line, and tells of a line that is too long', async () => {
    const input = new PassThrough();
    const { read } = stdio({ input, output: new PassThrough(), logger });
    const lines: string[] = [];
    const ended = read((line) => lines.push(line));

    input.write(`${megabytes(9, 'x')}\n`);
    input.end('one\ntwo\nhalf a line');
    await ended;

    expect(lines).toEqual(['one', 'two']);
    expect(logger.warn).toHaveBeenCalledOnce();
  });
});
