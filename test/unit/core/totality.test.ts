import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkState,
  checkTransition,
  type Input,
  index,
  type Output,
  type State,
  step,
} from '../../../src/core/index.ts';
import { Dice } from '../../../src/testing/dice.ts';
import { limitsOf, timeoutMs } from '../fuzz/budget.ts';
import { type Damage, damage, damagedBy, inputTypes, messageTypes, wrong } from './any-inputs.ts';
import { appendEntries, batchOf, establishedLeader, from, n2, node, run } from './builders.ts';
import { fittingInput } from './fitting-inputs.ts';

/** An input that is wrong; or one that is made to fit the state it meets, and may then be damaged. */
type Step = { readonly wrong: Input } | { readonly seed: number; readonly damage: Damage | null };

const seed = fc.noBias(fc.nat());
const someSteps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: fc.record({ seed, damage: fc.constant(null) }) },
    { weight: 1, arbitrary: fc.record({ seed, damage }) },
    { weight: 1, arbitrary: fc.record({ wrong }) },
  ),
  { minLength: 1, maxLength: 120, size: 'max' },
);

function inputOf(next: Step, state: State): Input {
  if ('wrong' in next) return next.wrong;
  const input = fittingInput(state, new Dice(next.seed));
  return next.damage === null ? input : damagedBy(next.damage, input);
}

/** A leader that has committed five entries, and has dropped the log before them. */
function compactedLeader(): State {
  const led = establishedLeader({ terms: [1, 1, 2, 2], config: { inflightBytesMax: 1 } });
  return run(
    led,
    { type: 'applyRes', seq: led.applySeq, appliedIndex: led.commitIndex, durableIndex: index(0) },
    { type: 'compact', id: 1, keepsPrevious: false },
    { type: 'takeSnapshotRes', seq: 1, index: led.commitIndex },
    { type: 'compactLogRes', seq: 1 },
  ).state;
}

/** Nodes that have just started, and leaders, with and without a past. */
const starts: readonly State[] = [
  node(),
  node({ terms: [1, 1, 2, 2, 3], currentTerm: 7 }),
  establishedLeader({ config: { pendingWritesMax: 3, pendingReadsMax: 3 } }),
  compactedLeader(),
];

const kinds: readonly string[] = [...messageTypes, ...inputTypes.filter((type) => type !== 'message')];

/** Whether the node did what was asked, rather than refuse it or pass it over. */
function isAccepted(before: State, after: State, outputs: readonly Output[]): boolean {
  if (outputs.some(({ type }) => type === 'fault')) return false;
  return outputs.some((output) => !isRefusal(output)) || !isDeepStrictEqual(before, after);
}

function isRefusal(output: Output): boolean {
  if (output.type === 'message') {
    const { message } = output;
    return ('voteGranted' in message && !message.voteGranted) || ('success' in message && !message.success);
  }
  return 'result' in output && (output.result.type === 'refused' || output.result.type === 'notCommitted');
}

/** The kind of an input, of a message that of the message; `other` for what is neither. */
function nameOf(input: Input): string {
  const name = input?.type === 'message' ? input.message?.type : input?.type;
  return kinds.find((kind) => kind === name) ?? 'other';
}

class Count {
  readonly byName = new Map<string, number>();
  total = 0;

  note(name: string): void {
    this.total += 1;
    this.byName.set(name, this.of(name) + 1);
  }

  of(name: string): number {
    return this.byName.get(name) ?? 0;
  }
}

describe('step, given any value at all', { timeout: timeoutMs }, () => {
  it('never throws, keeps every invariant, and leaves the state alone when it reports a fault', () => {
    const [all, accepted, faults, roles] = [new Count(), new Count(), new Count(), new Count()];
    const runs = 200;
    let done = 0;

    fc.assert(
      fc.property(fc.constantFrom(...starts), someSteps, (start, steps) => {
        let state = start;
        for (const next of steps) {
          const before = state;
          const input = inputOf(next, before);

          const { state: after, outputs } = step(before, input);

          const hasFault = outputs.some((output) => output.type === 'fault');
          if (hasFault) expect(after).toBe(before);
          expect(checkTransition(before, after) ?? checkState(after)).toBeUndefined();

          all.note(nameOf(input));
          roles.note(after.role.type);
          if (hasFault) faults.note(nameOf(input));
          if (isAccepted(before, after, outputs)) accepted.note(nameOf(input));
          state = after;
        }
        done += 1;
      }),
      limitsOf(runs),
    );

    if (done < runs) return; // A fuzz of few seconds need not have met everything.

    expect(new Set(roles.byName.keys())).toEqual(
      new Set(['follower', 'preCandidate', 'candidate', 'leader']),
    );
    for (const kind of kinds) expect(accepted.of(kind), kind).toBeGreaterThan(20);
    expect(accepted.total / all.total).toBeGreaterThan(0.5); // Refusing everything would be easy.
    expect(faults.total).toBeGreaterThan(2000);
  });

  it.each(['index', 'count', 'term'])('takes no batch whose %s can’t be made into a number', (field) => {
    const batch = { ...batchOf(1, 1), [field]: Object.create(null) };

    const { state, outputs } = step(node(), from(n2, appendEntries({ term: 1, batches: [batch] })));

    expect(state).toEqual(node());
    expect(outputs).toMatchObject([{ type: 'fault', scope: 'peer', kind: 'malformedMessage' }]);
  });
});
