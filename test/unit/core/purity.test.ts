import { describe, expect, it } from 'vitest';
import { crc32, type Input, type Output, type State, step } from '../../../src/core/index.ts';
import { Dice } from '../../../src/testing/dice.ts';
import { simulateCore } from '../../../src/testing/simulate-core.ts';
import { inputTypes, messageTypes } from './any-inputs.ts';
import { establishedLeader, node } from './builders.ts';
import { fittingInput } from './fitting-inputs.ts';

interface Recorded {
  readonly before: State;
  readonly input: Input;
  readonly after: State;
  readonly outputs: readonly Output[];
}

/** What five nodes went through in bad weather, step by step. */
function record(seed: number): readonly Recorded[] {
  const steps: Recorded[] = [];
  simulateCore({
    seed,
    nodes: 5,
    steps: 3000,
    onStep: ({ before, input, outputs, state: after }) => steps.push({ before, input, after, outputs }),
  });
  return steps;
}

/** What single nodes went through that were given whatever fits. */
function recordFitting(seed: number): readonly Recorded[] {
  const dice = new Dice(seed);
  const steps: Recorded[] = [];
  for (const start of [node(), establishedLeader()]) {
    let before = start;
    for (let count = 0; count < 400; count++) {
      const input = fittingInput(before, dice);
      const { state: after, outputs } = step(before, input);
      steps.push({ before, input, after, outputs });
      before = after;
    }
  }
  return steps;
}

/** Freezes all that can be frozen; byte views can't be, so their checksums are noted. */
function freeze(value: unknown, checksums = new Map<Uint8Array, number>()): Map<Uint8Array, number> {
  if (value instanceof Uint8Array) checksums.set(value, crc32(value));
  else if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) freeze(child, checksums);
  }
  return checksums;
}

/** Every byte of a value, in one text: two values are the same if and only if these are. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, part) => (part instanceof Uint8Array ? { bytes: [...part] } : part));
}

describe('step', () => {
  const steps = [...record(1), ...recordFitting(4)];

  it('is tried on inputs and messages of every kind', () => {
    const inputs = new Set(steps.map(({ input }) => input.type));
    const messages = new Set(
      steps.flatMap(({ input }) => (input.type === 'message' ? [input.message.type] : [])),
    );

    expect([...inputs].sort()).toEqual(inputTypes);
    expect([...messages].sort()).toEqual(messageTypes);
    expect(new Set(steps.map(({ after }) => after.role.type)).size).toBe(4);
  });

  it('changes neither the state nor the input, nor a byte that they refer to', () => {
    for (const { before, input, after } of steps) {
      const checksums = freeze([before, input]);

      const { state } = step(before, input); // Assigning to what is frozen would throw.

      expect(textOf(state)).toBe(textOf(after));
      for (const [bytes, checksum] of checksums) expect(crc32(bytes)).toBe(checksum);
    }
  });

  it('gives the same state and outputs again, byte for byte, also for copies', () => {
    for (const { before, input, after, outputs } of steps) {
      const again = step(structuredClone(before), structuredClone(input));

      expect(textOf(again.state)).toBe(textOf(after));
      expect(textOf(again.outputs)).toBe(textOf(outputs));
    }
  });
});
