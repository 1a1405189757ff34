import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { linesOf } from '../../../examples/kv/cli/lines.ts';
import { LineWriter, recordTo } from '../../../examples/kv/recording-file.ts';
import { step } from '../../../src/core/index.ts';
import { node } from '../core/builders.ts';
import { temporaryFolder } from './temporary-folder.ts';

const before = node();
const input = { type: 'tick', now: 5 } as const;
const stepped = { before, input, ...step(before, input) };

const silent = { debug() {}, info() {}, warn() {}, error() {} };

async function linesIn(pieces: readonly string[], charsMax?: number): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const line of linesOf(Readable.from(pieces), charsMax)) lines.push(line);
  return lines;
}

describe('lines on their way to a disk', () => {
  it('are not taken beyond a limit, while the disk takes nothing', () => {
    const stuck = new Writable({ write: () => undefined });
    const lines = new LineWriter(stuck, { path: 'f', logger: silent, bytesMax: 1_000 });

    const taken = Array.from({ length: 1_000 }, () => lines.write('x'.repeat(99))).filter(Boolean);

    expect(taken).toHaveLength(10);
    expect(stuck.writableLength).toBe(1_000);
  });

  it('end with the first that can’t be written, which is logged', async () => {
    const errors: string[] = [];
    const logger = { ...silent, error: (_: object, text: string) => void errors.push(text) };
    const full = new Writable({ write: (_chunk, _encoding, done) => done(new Error('ENOSPC')) });
    const lines = new LineWriter(full, { path: 'f', logger });

    lines.write('one');
    await new Promise((resolve) => full.once('close', resolve));

    expect(lines.write('two')).toBe(false);
    expect(errors).toEqual([expect.stringContaining('the node goes on')]);
    await lines.close();
  });

  it('begin anew after half a line that a killed process left', async () => {
    const path = join(temporaryFolder(), 'steps');
    writeFileSync(path, 'whole\nhal');

    const recording = await recordTo({ path, payloads: 'checksums' }, 1, silent);
    expect(readFileSync(path, 'utf8')).toBe('whole\nhal'); // A process that is killed now has ended no line.
    recording.onStep(stepped);
    await recording.close();

    expect(readFileSync(path, 'utf8')).toMatch(/^whole\nhal\n\{"type":"start",.*\n\{"type":"step",.*\n$/);
  });

  it('are not asked for again before there is room for several', async () => {
    const written: (() => void)[] = [];
    const slow = new Writable({ write: (_chunk, _encoding, done) => void written.push(done) });
    const lines = new LineWriter(slow, { path: 'f', logger: silent, bytesMax: 1_000 });
    const line = 'x'.repeat(99);
    while (lines.write(line));

    const asked: boolean[] = [lines.canWrite];
    for (let at = 0; at < 5; at++) {
      written.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
      asked.push(lines.canWrite);
    }

    expect(asked).toEqual([false, false, false, false, false, true]);
  });

  it('are not even made once the file has failed', async () => {
    const recording = await recordTo({ path: '/dev/full', payloads: 'checksums' }, 1, silent);
    recording.onStep(stepped);
    await recording.close();
    const untouchable = new Proxy(stepped, { get: () => expect.unreachable('a step was looked at') });

    recording.onStep(untouchable);
  });

  it('have no file if it can’t be had', async () => {
    const recording = recordTo(
      { path: join(temporaryFolder(), 'no', 'such', 'folder'), payloads: 'whole' },
      1,
      silent,
    );

    await expect(recording).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('lines of a file', () => {
  it('end at a line feed and nowhere else, whatever the pieces', async () => {
    const text = 'one\ntwo\u2028\r\n\nlast';

    for (const size of [1, 2, 5, 100]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      expect(await linesIn(pieces)).toEqual(['one', 'two\u2028\r', '', 'last']);
    }
    expect(await linesIn(['one\n'])).toEqual(['one', '']);
  });

  it('have a limit', async () => {
    await expect(linesIn(['one\ntwo\n', 'x'.repeat(60), 'x'.repeat(60)], 100)).rejects.toMatchObject({
      code: 'RAFT_RECORDING_DAMAGED',
      message: expect.stringMatching(/^Line 3 has more than 100 characters/),
    });
  });
});
