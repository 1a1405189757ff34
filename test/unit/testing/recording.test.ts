import fc from 'fast-check';
import { raftNode } from 'rxraft';
import { describe, expect, it } from 'vitest';
import { configurationOf, type Input, type State, step } from '../../../src/core/index.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { Stepped } from '../../../src/streams/step-with.ts';
import { Dice } from '../../../src/testing/dice.ts';
import {
  type RecorderOptions,
  Replay,
  type ReplayDifference,
  recorder,
  simulate,
} from '../../../src/testing/index.ts';
import { decodeLine, encodeLine } from '../../../src/testing/recorded-line.ts';
import { simulateCore } from '../../../src/testing/simulate-core.ts';
import { establishedLeader, node } from '../core/builders.ts';
import { fittingInput } from '../core/fitting-inputs.ts';
import { wordsMachine } from '../streams/words.ts';

/** What three nodes go through in bad weather, in one recording. */
function recordSimulation(seed: number, options: RecorderOptions = {}): string[] {
  const lines: string[] = [];
  const onStep = recorder((line) => lines.push(line), { seed, ...options });
  simulateCore({ seed, nodes: 3, steps: 2_000, onStep });
  return lines;
}

function replayed(lines: readonly string[]): { difference: ReplayDifference | null; replay: Replay } {
  const replay = new Replay();
  for (const line of lines) {
    const difference = replay.take(line);
    if (difference !== null) return { difference, replay };
  }
  return { difference: null, replay };
}

/** The number of the first line, counted from 1, that has this in it. */
function lineWith(lines: readonly string[], text: string): number {
  return lines.findIndex((line) => line.includes(text)) + 1;
}

/** A node that is given whatever fits. */
function stepsOf(start: State, seed: number, count: number): readonly Stepped[] {
  const dice = new Dice(seed);
  const steps: Stepped[] = [];
  let before = start;
  for (let at = 0; at < count; at++) {
    const input = fittingInput(before, dice);
    const result = step(before, input);
    steps.push({ before, input, ...result });
    before = result.state;
  }
  return steps;
}

describe('a recording of a simulated cluster', () => {
  it.each(['checksums', 'whole'] as const)(
    'is replayed without a difference, with payloads: %s',
    (payloads) => {
      const counts = { steps: 0, starts: 0 };
      for (let seed = 0; seed < 5; seed++) {
        const lines = recordSimulation(seed, { payloads });

        const { difference, replay } = replayed(lines);

        expect(difference).toBeNull();
        const summary = replay.end();
        expect(summary).toMatchObject({ missing: 0, cutOff: 0 });
        expect(summary.steps + summary.starts).toBe(lines.length);
        counts.steps += summary.steps;
        counts.starts += summary.starts;
      }
      expect(counts.steps).toBeGreaterThan(10_000);
      expect(counts.starts).toBeGreaterThan(20); // Crashes and restarts are in it.
    },
  );

  it('holds no payload unless it is told to, but for configurations', () => {
    const seeds = [0, 1, 2, 3, 4];
    const elided = seeds.map((seed) => recordSimulation(seed).join('\n')).join('\n');
    const whole = seeds.map((seed) => recordSimulation(seed, { payloads: 'whole' }).join('\n')).join('\n');

    const command = btoa('\0\0\0\x02c1');
    expect(whole.includes(command)).toBe(true);
    expect(elided.includes(command)).toBe(false);
    expect(/"kind":"command",[^{}]*"payload":\{"bytes"/.test(elided)).toBe(true);
    expect(/"kind":"configuration",[^{}]*"payload":\{"base64"/.test(elided)).toBe(true);
  });

  it('says in its first line how it began', () => {
    const [first = ''] = recordSimulation(7);

    const line = decodeLine(first, 1);

    expect(line).toMatchObject({ type: 'start', format: 1, seq: 0, seed: 7, payloads: 'checksums' });
    expect(line.type === 'start' && configurationOf(line.state).voters).toHaveLength(3);
  });

  it('is found to differ where a result was changed', () => {
    const lines = recordSimulation(3);
    const at = lineWith(lines, '"type":"persistReq"');
    const line = lines[at - 1] as string;
    const { node: id, seq } = JSON.parse(line);

    const tampered = lines.with(at - 1, line.replace(/"commitIndex":\d+/, '"commitIndex":4711'));

    const { difference } = replayed(tampered);
    expect(difference).toMatchObject({
      node: id,
      seq,
      line: at,
      path: 'after.commitIndex',
      recorded: 4711,
    });
    expect(difference?.replayed).not.toBe(4711);
  });

  it('is found to differ where an output was changed, and where one is missing', () => {
    const lines = recordSimulation(3);
    const at = lineWith(lines, '"type":"requestVote"');
    const line = lines[at - 1] as string;
    const parsed = JSON.parse(line);

    const changed = lines.with(at - 1, line.replace(/"lastLogIndex":\d+/, '"lastLogIndex":4711'));
    const missing = lines.with(at - 1, JSON.stringify({ ...parsed, outputs: parsed.outputs.slice(1) }));

    expect(replayed(changed).difference?.path).toMatch(/^outputs\[\d+\]\.message\.lastLogIndex$/);
    expect(replayed(missing).difference).toMatchObject({ line: at, seq: parsed.seq });
  });
});

describe('a recording of the simulated runtime', () => {
  it('is replayed without a difference', async () => {
    const lines: string[] = [];
    const onStep = recorder((line) => lines.push(line), { seed: 1 });
    const report = await simulate({ seed: 1, steps: 500, faults: ['kill', 'loss'], onStep });

    const { difference, replay } = replayed(lines);

    expect(difference).toBeNull();
    expect(replay.end()).toMatchObject({ nodes: 3, missing: 0, cutOff: 0 });
    const { steps, starts } = replay.end();
    expect(starts).toBeGreaterThan(3);
    expect(steps + starts).toBeGreaterThanOrEqual(report.steps); // Which counts the state that a start begins with.
  });
});

describe('a recording that is not as it was written', () => {
  const lines = recordSimulation(3);

  it('is refused at the line that is damaged', () => {
    for (const damage of ['{"type":"step"}', '[]', 'null', '{"type":"step","node":"n1","seq":-1,"at":0}']) {
      expect(() => replayed(lines.with(99, damage))).toThrow(
        expect.objectContaining({
          code: 'RAFT_RECORDING_DAMAGED',
          message: expect.stringMatching(/^Line 100 /),
        }),
      );
    }
  });

  it('is refused where half a line stands among others', () => {
    const half = (lines[99] as string).slice(0, 80);
    const at = lines.findIndex((line, place) => place > 99 && JSON.parse(line).type === 'step');

    expect(() => replayed([...lines.slice(0, 99), half, lines[at] as string])).toThrow(
      /^Line 100 .* not JSON/,
    );
  });

  it('is replayed as far as it goes if its last line, or the one before a start, is cut off', () => {
    const half = (lines[99] as string).slice(0, 80);
    const once = [...lines.slice(0, 99), half];
    const again = [...once, ...once];

    for (const [cut, expected] of [
      [once, 1],
      [again, 2],
    ] as const) {
      const { difference, replay } = replayed(cut);
      expect(difference).toBeNull();
      expect(replay.end()).toMatchObject({ cutOff: expected });
    }
  });

  it('is refused if its last line has an end and is damaged all the same', () => {
    const text = `${lines.slice(0, 99).join('\n')}\n${(lines[99] as string).slice(0, 80)}\n`;

    expect(() => replayed(text.split('\n'))).toThrow(/^Line 100 .* not JSON/);
  });

  it.each(['hello', 'hello\n', '{"type":"start","format":1,'])('is none if all there is is %j', (text) => {
    expect(() => replayed(text.split('\n')).replay.end()).toThrow(/^Line 1 .* not JSON/);
  });

  it.each<[string, RegExp]>([
    ['', /has no line that starts a node/],
    ['\n', /^Line 1 .* it is empty/],
    ['\n\n', /^Line 1 .* it is empty/],
  ])('is none if all there is is %j', (text, expected) => {
    expect(() => replayed(text.split('\n')).replay.end()).toThrow(
      expect.objectContaining({ code: 'RAFT_RECORDING_DAMAGED', message: expect.stringMatching(expected) }),
    );
  });

  it.each([1, 2, 100])('is refused if line %d is empty, be it before a start', (line) => {
    const holed = lines.slice(0, 200).toSpliced(line - 1, 0, '');

    expect(() => replayed(holed)).toThrow(new RegExp(`^Line ${line} .* it is empty`));
  });

  it('is refused if lines are missing', () => {
    const id = JSON.parse(lines[100] as string).node;

    expect(() => replayed(lines.toSpliced(100, 1))).toThrow(new RegExp(`it is step \\d+ of ${id}`));
  });

  it('is refused if another version wrote it', () => {
    const first = (lines[0] as string).replace('"format":1', '"format":2');

    expect(() => replayed([first])).toThrow(
      expect.objectContaining({
        code: 'RAFT_RECORDING_VERSION',
        message: expect.stringContaining('format 2, and this version of rxraft reads format 1'),
      }),
    );
  });

  it('never takes a state that is none', () => {
    const { state: _, ...start } = JSON.parse(lines[0] as string);
    const empty = JSON.stringify({ ...start, state: {} });
    const next = lines.find(
      (line) => JSON.parse(line).type === 'step' && JSON.parse(line).node === start.node,
    );

    expect(() => replayed([empty, next as string])).toThrow(/^Line 2 .* no state/);
  });
});

describe('a recorder whose lines are not all taken', () => {
  it('says how many steps are missing, and goes on from there', () => {
    const lines: string[] = [];
    let isFull = false;
    const record = recorder((line) => !isFull && lines.push(line) > 0);
    const steps = stepsOf(establishedLeader(), 1, 300);

    for (const [at, stepped] of steps.entries()) {
      isFull = at < 10 || (at >= 100 && at < 150) || at === 200;
      record(stepped);
    }

    const { difference, replay } = replayed(lines);
    expect(difference).toBeNull();
    expect(replay.end()).toEqual({ steps: 239, nodes: 1, starts: 1, missing: 61, cutOff: 0 });
    const gaps = lines.map((line) => JSON.parse(line)).filter(({ type }) => type === 'gap');
    expect(gaps.map(({ seq, missing }) => [seq, missing])).toEqual([
      [150, 50],
      [201, 1],
    ]);
  });

  it('makes no line while none can be taken', () => {
    let made = 0;
    let isFull = false;
    const write = () => {
      made += 1;
    };
    const record = recorder(write, { canWrite: () => !isFull });
    const steps = stepsOf(establishedLeader(), 1, 100);

    for (const [at, stepped] of steps.entries()) {
      isFull = at >= 50 && at < 90;
      record(stepped);
    }

    expect(made).toBe(1 + 60 + 1); // A start, the steps, and one gap.
  });

  it('says what is missing of a node that has started again', () => {
    const lines: string[] = [];
    let isFull = false;
    const record = recorder((line) => lines.push(line), { canWrite: () => !isFull });

    for (const [seed, full] of [
      [1, (at: number) => at >= 90],
      [2, () => true],
      [3, (at: number) => at < 5],
    ] as const) {
      for (const [at, stepped] of stepsOf(establishedLeader(), seed, 100).entries()) {
        isFull = full(at);
        record(stepped);
      }
    }

    const { difference, replay } = replayed(lines);
    expect(difference).toBeNull();
    expect(replay.end()).toMatchObject({ steps: 185, starts: 2, missing: 115 });
  });

  it('leaves out what JSON can’t hold', () => {
    const lines: string[] = [];
    const record = recorder((line) => lines.push(line));
    const before = node();
    const input = { type: 'tick', now: 1n } as unknown as Input;

    record({ before, input, ...step(before, input) });
    record({ before, input: { type: 'tick', now: 5 }, ...step(before, { type: 'tick', now: 5 }) });

    const { replay } = replayed(lines);
    expect(replay.end()).toMatchObject({ steps: 1, missing: 1 });
  });
});

describe('a line', () => {
  const seed = fc.noBias(fc.nat());

  it('is read back as the step that was written', () => {
    fc.assert(
      fc.property(seed, fc.constantFrom(node(), establishedLeader()), (drawn, start) => {
        const [stepped] = stepsOf(start, drawn, 12).slice(-1) as [Stepped];
        const { input, outputs, state } = stepped;
        const after = JSON.parse(recorded(stepped).at(-1) as string).after;
        const line = { type: 'step', node: 'n1', seq: 1, at: 0.5, input, outputs, after } as const;

        const whole = decodeLine(encodeLine(line, 'whole'), 1);
        const elided = decodeLine(encodeLine(line, 'checksums'), 1);

        expect(plain(whole)).toEqual(plain(line));
        expect(encodeLine(elided, 'checksums')).toBe(encodeLine(line, 'checksums'));
        expect(after).toMatchObject({ role: state.role.type, term: state.currentTerm });
      }),
      { numRuns: 300, seed: 1 },
    );
  });

  function recorded(stepped: Stepped): readonly string[] {
    const lines: string[] = [];
    recorder((line) => lines.push(line))(stepped);
    return lines;
  }

  /** JSON has no `undefined`. */
  function plain(value: unknown): unknown {
    if (value instanceof Uint8Array) return [...value];
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value !== 'object' || value === null) return value;
    const there = Object.entries(value).filter(([, part]) => part !== undefined);
    return Object.fromEntries(there.map(([name, part]) => [name, plain(part)]));
  }
});

describe('a node that is recorded', () => {
  it('keeps its latest steps, and tells of each; both are replayed without a difference', async () => {
    const lines: string[] = [];
    const onStep = recorder((line) => lines.push(line));
    const options = { id: 'n1', machine: wordsMachine(), storage: memoryStorage() };
    const running = await raftNode({ ...options, recordLast: 10, onStep });
    for (const word of ['a', 'b', 'c', 'd', 'e']) await running.write(word);
    await running.close();

    const recent: string[] = [];
    const record = recorder((line) => recent.push(line));
    for (const stepped of running.recent()) record(stepped);

    expect(running.recent()).toHaveLength(10);
    expect(replayed(recent).difference).toBeNull();
    expect(replayed(recent).replay.end()).toMatchObject({ steps: 10, starts: 1, missing: 0 });
    expect(replayed(lines).difference).toBeNull();
    expect(replayed(lines).replay.end()).toMatchObject({ starts: 1, missing: 0 });
    expect(lines.at(-1)).toContain(JSON.parse(recent.at(-1) as string).after.lastIndex);
  });

  it('keeps none unless it is told to', async () => {
    const running = await raftNode({ id: 'n1', machine: wordsMachine(), storage: memoryStorage() });
    await running.write('a');
    await running.close();

    expect(running.recent()).toEqual([]);
  });

  it('goes on when whoever watches it throws, which is logged once', async () => {
    const errors: string[] = [];
    const logger = {
      debug() {},
      info() {},
      warn() {},
      error: (_: object, text: string) => errors.push(text),
    };
    const onStep = () => {
      throw new Error('no room');
    };
    const running = await raftNode({
      id: 'n1',
      machine: wordsMachine(),
      storage: memoryStorage(),
      logger,
      onStep,
    });

    await expect(running.write('a')).resolves.toMatchObject({ index: 2 });
    await running.close();

    expect(errors).toEqual([expect.stringContaining('onStep threw')]);
  });
});
