import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RecordingError, Replay, type ReplayDifference } from '../../../src/testing/index.ts';
import { fuzz, timeoutMs } from './budget.ts';
import { mutated } from './mutations.ts';
import { recording } from './recorded-lines.ts';

const whole = [recording(2, 200), recording(3, 200)];
const bytes = whole.flat().map((line) => new Uint8Array(Buffer.from(line)));

/** One thing that goes wrong with a recording. */
type Edit =
  | { readonly type: 'put' | 'add'; readonly at: number; readonly line: Uint8Array }
  | { readonly type: 'drop'; readonly at: number }
  /** A value in a line takes another, at a place that is found by drawing which way to go. */
  | { readonly type: 'change'; readonly at: number; readonly ways: readonly number[]; readonly to: unknown };

const at = fc.oneof(fc.nat({ max: 3 }), fc.nat()); // The first lines are starts, which hold a whole state.
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ type: fc.constantFrom('put' as const, 'add' as const), at, line: mutated(bytes) }),
  fc.record({ type: fc.constant('drop' as const), at }),
  {
    weight: 6,
    arbitrary: fc.record({
      type: fc.constant('change' as const),
      at,
      ways: fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
      to: fc.constantFrom(
        0,
        1,
        -1,
        2.5,
        7,
        2 ** 53,
        1e300,
        null,
        true,
        'x',
        [],
        [null],
        {},
        { bytes: 3, crc32: 1 },
      ),
    }),
  },
);

/** A recording in which lines were exchanged or damaged, and values changed. */
const damaged = fc
  .record({ which: fc.nat({ max: 1 }), edits: fc.array(edit, { minLength: 1, maxLength: 3 }) })
  .map(({ which, edits }) => edits.reduce(edited, whole[which] as readonly string[]));

function edited(lines: readonly string[], edit: Edit): readonly string[] {
  const place = edit.at % lines.length;
  switch (edit.type) {
    case 'drop':
      return lines.toSpliced(place, 1);
    case 'put':
    case 'add': {
      const text = Buffer.from(edit.line).toString('utf8').replaceAll('\n', ' ');
      return lines.toSpliced(place, edit.type === 'put' ? 1 : 0, text);
    }
    case 'change':
      return lines.with(place, changed(lines[place] as string, edit.ways, edit.to));
  }
}

/** The line with one of its values replaced; one that is no JSON stays as it is. */
function changed(line: string, ways: readonly number[], to: unknown): string {
  try {
    return JSON.stringify(replaced(JSON.parse(line), ways, to));
  } catch {
    return line;
  }
}

function replaced(value: unknown, [way, ...ways]: readonly number[], to: unknown): unknown {
  const names = typeof value === 'object' && value !== null ? Object.keys(value) : [];
  if (way === undefined || names.length === 0) return to;
  const name = names[way % names.length] as string;
  const part = replaced((value as Record<string, unknown>)[name], ways, to);
  return Array.isArray(value) ? value.with(Number(name), part) : { ...(value as object), [name]: part };
}

describe('a recording that is not as it was written', { timeout: timeoutMs }, () => {
  it('is replayed up to a difference or a damaged line, and never makes the core throw', async () => {
    const seen = { differences: 0, damaged: 0, whole: 0 };

    await fuzz(damaged, 400, (lines) => {
      const replay = new Replay();
      try {
        let difference: ReplayDifference | null = null;
        for (let at = 0; at < lines.length && difference === null; at++)
          difference = replay.take(lines[at] as string);
        replay.end();
        seen[difference === null ? 'whole' : 'differences'] += 1;
      } catch (error) {
        expect(error).toBeInstanceOf(RecordingError);
        seen.damaged += 1;
      }
    });

    console.log(JSON.stringify(seen));
    expect(seen.damaged).toBeGreaterThan(40);
    expect(seen.differences).toBeGreaterThan(40);
  });
});
