import { recorder } from '../../../src/testing/index.ts';
import { simulateCore } from '../../../src/testing/simulate-core.ts';

/** Lines of a recording, one of each kind of input and of each kind of message in it, and the starts. */
export function recordedLines(): readonly string[] {
  const byKind = new Map<string, string>();
  const onStep = recorder((line) => {
    const { type, node, input } = JSON.parse(line);
    byKind.set(type === 'step' ? `${input.type} ${input.message?.type}` : `${type} ${node}`, line);
  });
  simulateCore({ seed: 3, nodes: 3, steps: 1_000, onStep });
  return [...byKind.values()];
}

/** The whole of a recording. */
export function recording(seed: number, steps: number): readonly string[] {
  const lines: string[] = [];
  const onStep = recorder((line) => lines.push(line), { payloads: seed % 2 === 0 ? 'whole' : 'checksums' });
  simulateCore({ seed, nodes: 3, steps, onStep });
  return lines;
}
