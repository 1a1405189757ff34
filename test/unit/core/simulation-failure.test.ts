import { afterEach, describe, expect, it, vi } from 'vitest';
import * as quorum from '../../../src/core/quorum.ts';
import { SimulationFailure, simulateCore } from '../../../src/testing/simulate-core.ts';
import { transcribe } from '../../../src/testing/transcript.ts';

vi.mock('../../../src/core/quorum.ts', { spy: true });

/** A majority that is one short. */
function plantBug(): void {
  vi.mocked(quorum.quorumValue).mockImplementation(({ voters }, reachedBy) => {
    const values = voters.map(reachedBy).sort((a, b) => b - a);
    return values[Math.max(0, Math.floor(values.length / 2) - 1)] ?? 0;
  });
}

function mendBug(): void {
  vi.mocked(quorum.quorumValue).mockReset();
}

function failureOf(run: () => unknown): SimulationFailure {
  try {
    run();
  } catch (error) {
    if (error instanceof SimulationFailure) return error;
    throw error;
  }
  throw new Error('nothing failed');
}

describe('a simulation that fails', () => {
  afterEach(mendBug);

  it('names the command that shows it again, and a short script that breaks the same promise', () => {
    plantBug();

    const { message, script } = failureOf(() => simulateCore({ seed: 1, nodes: 3, steps: 5000 }));

    expect(message).toContain('npm run simulate -- --from 1 --seeds 1 --nodes 3 --steps 5000');
    expect(message).toContain('commits 1, which is on 1 disks of 3');
    expect(script.length).toBeGreaterThan(5);
    expect(script.length).toBeLessThan(25);
    expect(() => transcribe(script.join('\n'))).toThrow('commits 1, which is on 1 disks of 3');
  });

  it('fails only because of the bug: the same script goes well without it', () => {
    plantBug();
    const { script } = failureOf(() => simulateCore({ seed: 1, nodes: 3, steps: 5000 }));
    mendBug();

    expect(transcribe(script.join('\n'))).toContain('is leader in t1');
  });

  it('is told in the states of the nodes where no script is wanted', () => {
    plantBug();

    const { message, script } = failureOf(() =>
      simulateCore({ seed: 1, nodes: 3, steps: 5000, shrinks: false }),
    );

    expect(script).toEqual([]);
    expect(message).toContain('n1: leader, t1 vote n1');
  });
});
