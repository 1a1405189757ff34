import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { BareCluster } from '../../../src/testing/bare-cluster.ts';
import { Replay, recorder, recordingFormat } from '../../../src/testing/index.ts';
import { decodeLine, encodeLine } from '../../../src/testing/recorded-line.ts';

const fixtureOf = (format: number): string =>
  fileURLToPath(new URL(`../../fixtures/recording-${format}.jsonl`, import.meta.url));

/** Two nodes: one is elected, writes, and is asked; the recorder misses a step; the other one starts again. */
function recordShortRun(): string {
  const lines: string[] = [];
  let canWrite = true;
  const onStep = recorder((line) => lines.push(line), {
    payloads: 'whole',
    seed: 1,
    canWrite: () => canWrite,
  });
  const cluster = new BareCluster({ nodes: ['n1', 'n2'], seed: 1, onStep });
  cluster.elect('n1');
  cluster.write('n1', ['one', 'two']);
  cluster.settle();
  canWrite = false;
  cluster.tick('n1');
  canWrite = true;
  cluster.crash('n2');
  cluster.restart('n2');
  cluster.read('n1');
  cluster.settle();
  return `${lines.join('\n')}\n`;
}

describe('the format of a recording', () => {
  // Should this fail, recordings would be written differently: `docs/formats.md` says what to do then.
  it('of this version is written as it always was', async () => {
    await expect(recordShortRun()).toMatchFileSnapshot(fixtureOf(recordingFormat));
  });

  it('of this version is read, and replayed without a difference', () => {
    const text = readFileSync(fixtureOf(recordingFormat), 'utf8');
    const lines = text.split('\n').slice(0, -1);

    const replay = new Replay();
    const differences = text.split('\n').map((line) => replay.take(line));

    expect(differences.filter((difference) => difference !== null)).toEqual([]);
    expect(replay.end()).toMatchObject({ nodes: 2, starts: 3, missing: 1, cutOff: 0 });
    expect(lines.map((line, at) => encodeLine(decodeLine(line, at + 1), 'whole'))).toEqual(lines);
  });
});
