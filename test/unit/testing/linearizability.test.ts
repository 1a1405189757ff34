import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkLinearizability,
  type LinearizabilityVerdict,
  type LinearizableModel,
  type RecordedOperation,
  type RegisterOperation,
  type RegisterResult,
  registerModel,
} from '../../../src/testing/index.ts';

type Recorded = RecordedOperation<RegisterOperation, RegisterResult>;

const get: RegisterOperation = { type: 'get' };
const put = (value: string): RegisterOperation => ({ type: 'put', value });
const append = (value: string): RegisterOperation => ({ type: 'append', value });
const cas = (expect: string | null, value: string): RegisterOperation => ({ type: 'cas', expect, value });

const done: RegisterResult = { type: 'put' };
const read = (value: string | null): RegisterResult => ({ type: 'get', value });

let processes = 0;

/** An operation of its own process, from `times[0]` to `times[1]`. */
function op(
  times: readonly [number, number],
  operation: RegisterOperation,
  answer: RegisterResult | 'unknown' | 'notCommitted',
): Recorded {
  const [invokedAt, returnedAt] = times;
  const outcome = typeof answer === 'string' ? { type: answer } : ({ type: 'ok', result: answer } as const);
  return { process: `c${++processes}`, key: 'x', operation, invokedAt, returnedAt, outcome };
}

function check(...history: readonly Recorded[]): LinearizabilityVerdict {
  return checkLinearizability(registerModel, history);
}

function messageOf(verdict: LinearizabilityVerdict): string {
  return verdict.type === 'violation' ? verdict.message : verdict.type;
}

describe('a history that a register could have', () => {
  it('may have operations one after the other', () => {
    const verdict = check(
      op([0, 1], put('a'), done),
      op([2, 3], get, read('a')),
      op([4, 5], append('b'), { type: 'append', length: 2 }),
      op([6, 7], cas('ab', 'c'), { type: 'cas', swapped: true }),
      op([8, 9], { type: 'delete' }, { type: 'delete', existed: true }),
      op([10, 11], get, read(null)),
    );

    expect(verdict).toEqual({ type: 'linearizable', keys: 1, operations: 6 });
  });

  it('may have operations in another order than that of their calls, while they overlap', () => {
    const verdict = check(
      op([0, 9], put('a'), done),
      op([1, 8], put('b'), done),
      op([10, 11], get, read('a')),
    );

    expect(verdict.type).toBe('linearizable');
  });

  it('may show a write that is under way to one read, and so to every later one', () => {
    const old = op([0, 1], put('a'), done);
    const slow = op([2, 20], put('b'), done);

    expect(check(old, slow, op([3, 4], get, read('a')), op([5, 6], get, read('b'))).type).toBe(
      'linearizable',
    );
    expect(check(old, slow, op([3, 4], get, read('b')), op([5, 6], get, read('a'))).type).toBe('violation');
  });

  it('may have an unknown write take effect long after, or never', () => {
    const history = [op([0, 1], put('a'), done), op([2, 3], put('b'), 'unknown'), op([4, 5], get, read('a'))];

    expect(check(...history).type).toBe('linearizable');
    expect(check(...history, op([50, 51], get, read('b'))).type).toBe('linearizable');
  });

  it('is judged key by key', () => {
    const other: Recorded = { ...op([0, 1], put('b'), done), key: 'y' };

    expect(check(op([0, 1], put('a'), done), other, op([2, 3], get, read('a'))).type).toBe('linearizable');
  });
});

describe('a history that no register could have', () => {
  it('reads a value that was overwritten before the read began', () => {
    const verdict = check(op([0, 1], put('a'), done), op([2, 3], put('b'), done), op([4, 5], get, read('a')));

    expect(verdict).toMatchObject({ type: 'violation', key: 'x', prefixLength: 2 });
    expect(messageOf(verdict)).toMatch(/4–5 c\d+: get, answered "a"/);
    expect(messageOf(verdict)).toContain('the object could be "b"');
  });

  it('loses an update', () => {
    const verdict = check(
      op([0, 10], append('a'), { type: 'append', length: 1 }),
      op([0, 10], append('b'), { type: 'append', length: 2 }),
      op([11, 12], get, read('b')),
    );

    expect(messageOf(verdict)).toContain('could be "ab"');
  });

  it('reads what nobody wrote', () => {
    expect(check(op([0, 1], put('a'), done), op([0, 5], get, read('z'))).type).toBe('violation');
  });

  it('reads what was answered notCommitted, and says that', () => {
    const verdict = check(
      op([0, 1], put('a'), done),
      op([2, 3], put('b'), 'notCommitted'),
      op([4, 5], get, read('b')),
    );

    expect(messageOf(verdict)).toMatch(
      /it would be explained if this had taken effect: 2–3 c\d+: put "b", notCommitted/,
    );
  });

  it('has a value come back', () => {
    const verdict = check(
      op([0, 1], put('a'), 'unknown'),
      op([2, 3], get, read('a')),
      op([4, 5], put('b'), done),
      op([6, 7], get, read('a')),
    );

    expect(verdict.type).toBe('violation');
  });

  it('has an unknown append take effect twice', () => {
    const unknown = op([0, 1], append('a'), 'unknown');

    expect(check(unknown, op([2, 3], get, read('a'))).type).toBe('linearizable');
    expect(check(unknown, op([2, 3], get, read('aa'))).type).toBe('violation');
  });

  it('has an unknown write take effect before it was called', () => {
    expect(check(op([0, 1], get, read('a')), op([2, 3], put('a'), 'unknown')).type).toBe('violation');
  });

  it('lets two swaps of the same value succeed', () => {
    const swapped: RegisterResult = { type: 'cas', swapped: true };

    const verdict = check(op([0, 9], cas(null, 'a'), swapped), op([0, 9], cas(null, 'b'), swapped));

    expect(verdict.type).toBe('violation');
  });

  it('swaps two writes that did not overlap', () => {
    const verdict = check(
      op([0, 1], append('a'), { type: 'append', length: 1 }),
      op([2, 3], append('b'), { type: 'append', length: 2 }),
      op([4, 5], get, read('ba')),
    );

    expect(verdict.type).toBe('violation');
  });
});

describe('a process whose operations touch', () => {
  const of = (process: string, ...[times, operation, answer]: Parameters<typeof op>): Recorded => ({
    ...op(times, operation, answer),
    process,
  });

  it('sees its own write', () => {
    const write = of('ada', [0, 5], put('1'), done);

    expect(check(write, of('ada', [5, 9], get, read(null))).type).toBe('violation');
    expect(check(write, of('ada', [5, 9], get, read('1'))).type).toBe('linearizable');
    expect(check(write, of('bob', [5, 9], get, read(null))).type).toBe('linearizable');
  });

  it('has its operations of one millisecond in the order of the list', () => {
    const write = of('ada', [5, 5], put('1'), done);
    const early = of('ada', [5, 5], get, read(null));
    const late = of('ada', [5, 5], get, read('1'));

    expect(check(early, write, late).type).toBe('linearizable');
    expect(check(write, early, late).type).toBe('violation');
    expect(check(early, late, write).type).toBe('violation');
  });

  it('may be told of in the order of its answers', () => {
    const write = of('ada', [0, 5], put('1'), done);
    const next = of('ada', [5, 9], get, read('1'));
    const stale = of('ada', [5, 9], get, read(null));

    expect(check(next, write).type).toBe('linearizable');
    expect(check(stale, write).type).toBe('violation');
  });

  it('leaves two processes as they are, each with an order of its own', () => {
    const history = [
      of('ada', [5, 5], put('1'), done),
      of('ada', [5, 5], get, read('2')),
      of('bob', [5, 5], put('2'), done),
      of('bob', [5, 5], get, read('1')),
    ];
    const [ada, adaSees, bob, bobSees] = history as [Recorded, Recorded, Recorded, Recorded];

    expect(check(ada, adaSees, bob, bobSees).type).toBe('violation'); // Each saw the other's, as the last.
    expect(check(ada, adaSees, bob, { ...bobSees, outcome: { type: 'ok', result: read('2') } }).type).toBe(
      'linearizable',
    );
  });

  it('does not wait for what is unknown, which does wait for what came before', () => {
    const write = of('ada', [0, 5], append('1'), { type: 'append', length: 1 });
    const unknown = of('ada', [5, 6], append('2'), 'unknown');

    for (const value of ['1', '12']) {
      expect(check(write, unknown, of('ada', [6, 9], get, read(value))).type).toBe('linearizable');
    }
    expect(check(write, unknown, of('ada', [6, 9], get, read('21'))).type).toBe('violation');
    expect(check(unknown, of('ada', [5, 7], get, read(null)), of('ada', [7, 7], get, read('2'))).type).toBe(
      'linearizable',
    );
  });

  it('has what is unknown wait for what it was answered at the same time', () => {
    const write = of('ada', [5, 5], put('1'), done);
    const unknown = of('ada', [5, 6], cas(null, '2'), 'unknown');
    const seen = of('bob', [5, 9], get, read('2'));

    expect(check(unknown, write, seen).type).toBe('linearizable');
    expect(check(write, unknown, seen).type).toBe('violation');
  });
});

describe('a history that nobody could have recorded', () => {
  const wrong = (each: object) => () => check({ ...op([0, 5], put('1'), done), ...each } as Recorded);

  it('has a process do two things at once', () => {
    const first: Recorded = { ...op([0, 5], put('1'), done), process: 'ada' };
    const second: Recorded = { ...op([4, 9], get, read(null)), process: 'ada', key: 'y' };

    expect(() => check(first, second)).toThrow(RangeError);
    expect(() => check(second, first)).toThrow(
      'of process ada on key y was called at 4, while an operation of process ada on key x was under way',
    );
    expect(check({ ...first, outcome: { type: 'unknown' } }, second).type).toBe('linearizable');
  });

  it('has times or outcomes that are none', () => {
    expect(wrong({ invokedAt: Number.NaN })).toThrow('has invokedAt NaN, expected a finite number');
    expect(wrong({ returnedAt: undefined })).toThrow('has returnedAt undefined, expected a number from');
    expect(wrong({ returnedAt: -1 })).toThrow('has returnedAt -1, expected a number from its invokedAt, 0');
    expect(wrong({ outcome: { type: 'committed' } })).toThrow('has the outcome "committed", expected ok');
    expect(wrong({ outcome: { type: 'unknown' }, returnedAt: Number.NaN })).not.toThrow();
  });
});

describe('a search without enough steps', () => {
  it('is undecided, which is no pass', () => {
    const appends = Array.from({ length: 9 }, (_, at) => op([at, 100], append(String(at)), 'unknown'));

    const verdict = checkLinearizability(registerModel, [...appends, op([200, 201], get, read('87654321'))], {
      stepsMax: 500,
    });

    expect(verdict).toEqual({ type: 'undecided', keys: ['x'], stepsMax: 500 });
  });

  it('is refused if it may not take a step', () => {
    for (const stepsMax of [0, Number.NaN])
      expect(() => checkLinearizability(registerModel, [], { stepsMax })).toThrow('expected at least 1');
  });

  it('still tells the violation of another key', () => {
    const appends = Array.from({ length: 9 }, (_, at) => op([at, 100], append(String(at)), 'unknown'));
    const wrong = { ...op([0, 1], get, read('z')), key: 'y' };

    const verdict = checkLinearizability(
      registerModel,
      [...appends, op([200, 201], get, read('87654321')), wrong],
      { stepsMax: 500 },
    );

    expect(verdict).toMatchObject({ type: 'violation', key: 'y' });
  });
});

describe('a model of the user', () => {
  it('is asked for its own answers', () => {
    const counter: LinearizableModel<number, 'add' | 'tell', number> = {
      initial: 0,
      apply: (state, operation) => {
        const next = operation === 'add' ? state + 1 : state;
        return { state: next, result: next };
      },
      isSame: (expected, actual) => expected === actual,
      describeState: String,
      describeOperation: (operation) => operation,
      describeResult: String,
    };
    const told = (result: number) =>
      [
        {
          process: 'a',
          key: 'n',
          operation: 'add',
          invokedAt: 0,
          returnedAt: 1,
          outcome: { type: 'unknown' },
        },
        {
          process: 'b',
          key: 'n',
          operation: 'tell',
          invokedAt: 2,
          returnedAt: 3,
          outcome: { type: 'ok', result },
        },
      ] as const;

    expect(checkLinearizability(counter, told(0)).type).toBe('linearizable');
    expect(checkLinearizability(counter, told(1)).type).toBe('linearizable');
    expect(checkLinearizability(counter, told(2)).type).toBe('violation');
  });
});

describe('answers', () => {
  const judgement = (
    expected: unknown,
    actual: unknown,
    model: Partial<LinearizableModel<null, string, unknown>> = {},
  ) =>
    checkLinearizability<null, string, unknown>(
      {
        initial: null,
        apply: (state) => ({ state, result: expected }),
        describeState: String,
        describeOperation: String,
        describeResult: String,
        ...model,
      },
      [
        {
          process: 'ada',
          key: 'x',
          operation: 'tell',
          invokedAt: 0,
          returnedAt: 1,
          outcome: { type: 'ok', result: actual },
        },
      ],
    );
  const judged = (expected: unknown, actual: unknown) => judgement(expected, actual).type;

  it('are compared by what they hold', () => {
    expect(judged({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe('linearizable');
    expect(judged(new Map([['a', 1]]), new Map([['a', 1]]))).toBe('linearizable');
    expect(judged(new Map([['a', 1]]), new Map([['a', 2]]))).toBe('violation');
    expect(judged(Number.NaN, null)).toBe('violation');
    expect(judged(new Uint8Array([1]).buffer, new Uint8Array([2]).buffer)).toBe('violation');
  });

  it('that the model has the same words for are shown as they are', () => {
    const describeResult = (value: unknown) => JSON.stringify(value);
    const long = 'a'.repeat(1000);

    expect(judgement({ value: undefined }, {}, { describeResult })).toMatchObject({
      message: expect.stringContaining(
        'describeResult has the same words for two answers: the model answers {value: undefined}, and the answer was {}',
      ),
    });
    expect(judgement([`${long}0`], [`${long}1`], { describeResult: () => 'a list' })).toMatchObject({
      message: expect.stringMatching(/the model answers …a+0"\], and the answer was …a+1"\]$/m),
    });
    expect(judgement(1, 1, { isSame: () => false })).toMatchObject({
      message: expect.stringContaining('two answers: isSame tells them apart'),
    });
    expect(judgement(1, 2)).toMatchObject({ message: expect.not.stringContaining('describeResult') });
  });

  it('that hold what can not be compared are refused', () => {
    expect(() => judged(new Map().keys(), null)).toThrow(/an answer of the model has .* can't be compared/);
    expect(() => judged(null, () => 1)).toThrow('an answer of the history has a function in it');
  });
});

/** What a true register answers when each operation takes effect at a moment within its time. */
function historyOf(draws: readonly Draw[]): Recorded[] {
  const ordered = draws.map((draw, at) => ({ ...draw, at })).sort((a, b) => a.effectAt - b.effectAt);
  let state: string | null = null;
  return ordered.map(({ kind, effectAt, before, after, fate, at }) => {
    const operation = operationOf(kind, at, state);
    const isDone = fate !== 'refused' && fate !== 'never';
    const { state: next, result } = registerModel.apply(state, operation);
    if (isDone) state = next;
    const answer = fate === 'refused' ? 'notCommitted' : fate === 'answered' ? result : 'unknown';
    const early = Math.min(after, fate === 'late' ? -before : after); // An unknown one may end before it takes effect.
    return op([effectAt - before, effectAt + early], operation, answer);
  });
}

interface Draw {
  readonly kind: number;
  readonly effectAt: number;
  readonly before: number;
  readonly after: number;
  readonly fate: 'answered' | 'late' | 'never' | 'refused';
}

function operationOf(kind: number, at: number, state: string | null): RegisterOperation {
  const kinds = [get, get, put(`p${at}`), append(`+${at}`), cas(state, `s${at}`), cas('no', 'never')];
  return kinds[kind] ?? { type: 'delete' };
}

const draws = fc.array(
  fc.record({
    kind: fc.nat(6),
    effectAt: fc.nat(10_000),
    before: fc.nat(150),
    after: fc.nat(150),
    fate: fc.constantFrom(
      'answered',
      'answered',
      'answered',
      'answered',
      'answered',
      'late',
      'never',
      'refused',
    ),
  }) as fc.Arbitrary<Draw>,
  { maxLength: 40 },
);

describe('random histories', () => {
  it('of a true register are accepted', () => {
    fc.assert(
      fc.property(draws, (each) => {
        expect(messageOf(check(...historyOf(each)))).toBe('linearizable');
      }),
    );
  });

  it('are refused when a read answers with what was never written', () => {
    fc.assert(
      fc.property(draws, fc.nat(), (each, at) => {
        const history = historyOf(each);
        const reads = history.filter(({ operation, outcome }) => operation === get && outcome.type === 'ok');
        fc.pre(reads.length > 0);
        const wrong = reads[at % reads.length] as Recorded;
        history[history.indexOf(wrong)] = {
          ...wrong,
          outcome: { type: 'ok', result: read('never written') },
        };

        expect(check(...history).type).toBe('violation');
      }),
    );
  });

  it('are refused when an answered append is said to have made one character more', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'bb', 'ccc'), { minLength: 1, maxLength: 20 }),
        fc.nat(),
        (texts, at) => {
          const history = historyOf(
            texts.map((_, place) => ({
              kind: 3,
              effectAt: place * 10,
              before: 3,
              after: 3,
              fate: 'answered',
            })),
          );
          const wrong = history[at % history.length] as Recorded;
          const { outcome } = wrong;
          if (outcome.type !== 'ok' || outcome.result.type !== 'append')
            throw new Error('an append is answered');
          const result: RegisterResult = { type: 'append', length: outcome.result.length + 1 };
          history[history.indexOf(wrong)] = { ...wrong, outcome: { type: 'ok', result } };

          expect(check(...history).type).toBe('violation');
        },
      ),
    );
  });
});

describe('a long history', () => {
  it('of thousands of operations by eight clients on one key is judged in a moment', () => {
    const history = historyOf(
      Array.from({ length: 6_000 }, (_, at) => ({
        kind: at % 5,
        effectAt: at * 10,
        before: (at * 7) % 40,
        after: (at * 11) % 40,
        fate: at % 1_000 === 999 ? 'late' : 'answered',
      })),
    );

    expect(messageOf(check(...history))).toBe('linearizable');
  });
});
