import { jsonCodec, reducer, type StateMachine } from 'rxraft';
import type { MachineStore } from 'rxraft/storage';
import { describe, expect, it } from 'vitest';
import { index0 } from '../../../src/core/index.ts';
import {
  faultKinds,
  type SimulateOptions,
  SimulationFailure,
  simulate,
  simulateSeeds,
} from '../../../src/testing/index.ts';

type Words = readonly string[];
type WordsMachine = StateMachine<string, unknown, (words: Words) => unknown, unknown>;
type WordsOptions = SimulateOptions<string, unknown, (words: Words) => unknown, unknown>;

const workload: NonNullable<WordsOptions['workload']> = (dice, number) =>
  dice.chance(30)
    ? { type: 'read', query: (words) => words.length }
    : { type: 'write', command: `w${number}` };

/** A machine that keeps the last words, and gives a result for each that `resultOf` makes. */
function words(resultOf: (words: Words, word: string) => unknown = (before) => before.length): WordsMachine {
  return reducer([] as Words, (before, word: string) => [
    [...before.slice(-20), word],
    resultOf(before, word),
  ]);
}

/** A machine that holds how often it was called to apply something. */
function callCounter(keeps: 'memory' | 'store'): WordsMachine {
  const codec = jsonCodec<number>();
  const key = Uint8Array.of(1);
  let calls = 0;
  let store: MachineStore | undefined;
  return {
    keeps,
    command: jsonCodec(),
    result: jsonCodec(),
    open(opened) {
      store = opened;
      calls = 0;
      return keeps === 'store' ? opened.appliedIndex : index0;
    },
    apply(commands) {
      if (keeps === 'memory') calls += 1;
      else store?.put(key, codec.encode(1 + codec.decode(store.get(key) ?? codec.encode(0))));
      return commands.map(() => 0);
    },
    query: () => 0,
    *snapshot() {
      yield codec.encode(calls);
    },
    restore(pieces) {
      for (const piece of pieces) calls = codec.decode(piece);
    },
  };
}

/** Gives every word the same result. */
const forgetful = (before: Words, word: string) => [[...before, word], 0] as const;

/** How a simulation fails; it is an error if it does not. */
async function failureOf(
  options: Partial<WordsOptions> & Pick<WordsOptions, 'machine'>,
): Promise<SimulationFailure> {
  try {
    await simulate({ seed: 1, steps: 3000, workload, ...options });
  } catch (error) {
    if (error instanceof SimulationFailure) return error;
    throw error;
  }
  throw new Error('the simulation held');
}

describe('a cluster with every fault', () => {
  it('keeps its promises, seed after seed, and meets all of it', async () => {
    const { faults, ...counts } = await simulateSeeds({ from: 1, count: 12 });

    expect(counts.transfers).toBe(faults.transfer); // Those that were refused don't count.

    for (const kind of faultKinds) expect({ [kind]: faults[kind] ?? 0 }).not.toEqual({ [kind]: 0 });
    expect(counts.steps).toBeGreaterThan(60_000);
    expect(counts.elections).toBeGreaterThan(50);
    expect(counts.snapshotsInstalled).toBeGreaterThan(10);
    expect(counts.compactions).toBeGreaterThan(50);
    expect(counts.membersChanged).toBeGreaterThan(20);
    expect(counts.committed).toBeGreaterThan(1000);
    expect(counts.unknown).toBeGreaterThan(200);
    expect(counts.notCommitted).toBeGreaterThan(200);
    expect(counts.reads).toBeGreaterThan(500);
  }, 240_000);

  it('of five nodes does, too', async () => {
    const { steps, faults } = await simulate({ seed: 1, nodes: 5 });

    expect(steps).toBeGreaterThanOrEqual(5000);
    expect(faults.bridge).toBeGreaterThan(0);
  });

  it('elects again though a voter is not where it was moved to: seed 10500268, nobody who leads to start it there', async () => {
    const { committed } = await simulate({ seed: 10_500_268, nodes: 3 });

    expect(committed).toBeGreaterThan(100);
  });

  it('catches up from a leader that it has never heard of: seed 205, address told too early', async () => {
    const { committed } = await simulate({ seed: 205, nodes: 3, sessions: true });

    expect(committed).toBeGreaterThan(0);
  }, 240_000);

  it('of one node does, with what can befall it', async () => {
    const { faults, committed } = await simulate({
      seed: 1,
      nodes: 1,
      steps: 3000,
      faults: ['kill', 'powerLoss', 'pause'],
    });

    expect(faults).toEqual({
      kill: expect.any(Number),
      powerLoss: expect.any(Number),
      pause: expect.any(Number),
    });
    expect(committed).toBeGreaterThan(10);
  });
});

describe('the same options', () => {
  it('give the same run, step by step, and another seed another', async () => {
    const first = await simulate({ seed: 5, steps: 3000 });

    expect(await simulate({ seed: 5, steps: 3000 })).toEqual(first);
    expect((await simulate({ seed: 6, steps: 3000 })).digest).not.toBe(first.digest);
  });
});

describe('a machine of a user', () => {
  it('that is deterministic holds, with sessions and without', async () => {
    for (const sessions of [false, true]) {
      const { committed } = await simulate({
        seed: 3,
        steps: 3000,
        machine: () => words(),
        workload,
        sessions,
      });

      expect(committed).toBeGreaterThan(20);
    }
  });

  it.each([
    ['nothing', () => undefined],
    ['what JSON leaves out', () => ({ ok: true, error: undefined })],
    ['what JSON changes', () => [Number.NaN, new Date(0)]],
  ])('that answers with %s holds, whichever node was asked', async (_what, resultOf) => {
    const { committed } = await simulate({
      seed: 1,
      steps: 500,
      machine: () => words(resultOf),
      workload,
      faults: [],
    });

    expect(committed).toBeGreaterThan(5);
  });

  it.each([
    ['a clock', () => Date.now()],
    ['a date', () => new Date().toISOString()],
    ['a random number', () => Math.random()],
    ['a timer of the process', () => performance.now()],
  ])('that answers with %s fails, in the same way each time', async (_what, resultOf) => {
    const machine = () => words(resultOf);

    const { message, script } = await failureOf({ machine });

    expect(message).toMatch(/the command "w\d+" at index \d+ has two results: n\d got .* and n\d /);
    expect(message).toContain('simulate({ seed: 1, steps: 3000, workload, machine })');
    expect(script).toHaveLength(1);
    expect((await failureOf({ machine })).message).toBe(message);
  });

  it('that answers with the same in another order on each node fails, and shows the bytes', async () => {
    const machine = (id: string) => words(() => (id === 'n1' ? { a: 1, b: 2 } : { b: 2, a: 1 }));

    const { message } = await failureOf({ machine, shrink: false });

    expect(message).toMatch(/has two results: n\d got {"(a":1,"b":2|b":2,"a":1)} and n\d {"(a|b)":/);
  });

  it('that keeps a clock in its data and answers with something else fails in the end', async () => {
    const machine = () =>
      reducer([] as Words, (before, word: string) => [[...before, `${word}@${Date.now()}`], before.length]);

    const { message } = await failureOf({ machine, shrink: false });

    expect(message).toMatch(/after the same commands, through index \d+, n\d and n\d hold different data/);
  });

  it.each(['memory', 'store'] as const)(
    'whose data, kept in the %s, depend on how many commands come in one call fails, and says so',
    async (keeps) => {
      const { message } = await failureOf({
        machine: () => callCounter(keeps),
        faults: ['partition', 'hangingDisk'],
        shrink: false,
      });

      expect(message).toMatch(
        /through index \d+ all nodes hold .*\d+, and a machine that was given the same commands one at a time holds .*\d+\.\n/,
      );
      expect(message).toContain('how many of them come in one call is not promised');
      expect(message).toContain('Let it go command by command');
    },
  );

  it('that is changed by a restart fails, also where there is no other node to compare it with', async () => {
    const state = jsonCodec<number>();
    const machine = () =>
      reducer(0, (count, _word: string) => [count + 1, 0], {
        state: { encode: state.encode, decode: (bytes) => state.decode(bytes) + 1000 },
      }) as unknown as WordsMachine;

    const { message } = await failureOf({
      machine,
      nodes: 1,
      faults: ['kill', 'snapshot'],
      workload: (_dice, number) => ({ type: 'write', command: `w${number}` }),
      shrink: false,
    });

    expect(message).toMatch(
      /all nodes hold \d+, and a fresh machine to which the log is applied again holds \d+\.\n/,
    );
    expect(message).toContain('look at what snapshot, restore and open leave out');
  });

  it('that forgets something when it is restored fails', async () => {
    const machine = (): WordsMachine => {
      const whole = words();
      return {
        ...whole,
        *snapshot() {
          yield new TextEncoder().encode('[]');
        },
      };
    };

    const { message, script } = await failureOf({ machine, node: { snapshotEntries: 5 } });

    expect(message).toMatch(/has two results|hold different data|gives .* when the log is applied again/);
    expect(script.length).toBeLessThan(60); // Of thousands. How few are left depends on the run that failed.
  });

  it('that throws fails, and the message says where', async () => {
    const machine = () =>
      words((_before, word) => {
        if (word.endsWith('7')) throw new Error('no sevens');
        return 0;
      });

    const { message, script } = await failureOf({ machine });

    expect(message).toMatch(/n\d: apply threw on "w\d*7" at index \d+: Error\("no sevens"\)/);
    expect(script).toHaveLength(1);
  });

  it('whose answers come too late fails the check of reads', async () => {
    const machine = (): WordsMachine => {
      const fresh = words();
      let last: unknown = 0;
      return {
        ...fresh,
        query(query) {
          const answer = last;
          last = fresh.query(query);
          return answer;
        },
      };
    };

    const { message } = await failureOf({ machine, shrink: false });

    expect(message).toMatch(/the read .* was answered \d+, which is not right anywhere from index \d+/);
  });

  it("that has no snapshot holds with every fault but that, which it can't be told to take", async () => {
    const machine = (): WordsMachine => {
      const { snapshot: _, restore: __, ...whole } = words();
      return whole;
    };

    const { faults } = await simulate({ seed: 1, machine, workload });

    expect(Object.keys(faults)).toHaveLength(faultKinds.length - 1);
    await expect(simulate({ seed: 1, machine, workload, faults: ['snapshot'] })).rejects.toThrow(
      'snapshot takes a machine that has snapshot()',
    );
  });

  it('whose queries throw holds: that is an answer', async () => {
    const throwing: NonNullable<WordsOptions['workload']> = (dice, number) => {
      const operation = workload(dice, number);
      if (operation.type === 'write') return operation;
      const query = () => {
        throw new Error('no such word');
      };
      return { type: 'read', query };
    };

    const { reads, readsThrown } = await simulate({
      seed: 1,
      steps: 500,
      machine: () => words(),
      workload: throwing,
      faults: [],
    });

    expect(readsThrown).toBeGreaterThan(5);
    expect(reads).toBe(0);
  });

  it('whose queries throw only where a snapshot was restored does not: the log says otherwise', async () => {
    type Seen = Readonly<Record<string, Date>>;
    const machine = () =>
      reducer({} as Seen, (seen, word: string, at) => [{ ...seen, [word]: new Date(at.logTimeMs) }, 0], {
        state: jsonCodec<Seen>(), // It makes text of a Date.
      }) as unknown as WordsMachine;
    const { message } = await failureOf({
      machine,
      workload: (dice, number) =>
        dice.chance(40)
          ? { type: 'read', query: (seen) => (seen as unknown as Seen)[`w${number % 50}`]?.getTime() ?? 0 }
          : { type: 'write', command: `w${number % 50}` },
      shrink: false,
    });

    expect(message).toMatch(/at n\d threw TypeError\(".*getTime is not a function.*"\), which is not right/);
  });

  it('whose queries give a value only where a snapshot was restored does not: the log says that they throw', async () => {
    const query = ([first]: Words) => {
      if (first === 'restored') return first;
      throw new Error('as ever');
    };
    const { message } = await failureOf({
      machine: () =>
        reducer([] as Words, (before, word: string) => [[before[0] ?? word], 0], {
          state: { encode: () => new Uint8Array(), decode: () => ['restored'] },
        }),
      workload: (dice, number) =>
        dice.chance(40) ? { type: 'read', query } : { type: 'write', command: `w${number}` },
      shrink: false,
    });

    expect(message).toMatch(/was answered "restored", which is not right anywhere/);
  });

  it('whose answers are buffers does not hold if they are wrong', async () => {
    const { message } = await failureOf({
      machine: () =>
        reducer([] as Words, forgetful, { state: { encode: () => new Uint8Array(), decode: () => [] } }),
      workload: (dice, number) =>
        dice.chance(40)
          ? { type: 'read', query: (words) => Uint32Array.of(words.length).buffer }
          : { type: 'write', command: `w${number}` },
      shrink: false,
    });

    expect(message).toMatch(/was answered ArrayBuffer\([0-9a-f]{8}\), which is not right anywhere/);
  });

  it('whose answers are sets holds in whatever order a snapshot leaves them', async () => {
    const reversed = jsonCodec<Words>();
    const run = simulate<string, unknown, (words: Words) => unknown, unknown>({
      seed: 1,
      steps: 3000,
      machine: () =>
        reducer(
          [] as Words,
          (before, word: string) => [before.includes(word) ? before : [...before, word], 0],
          {
            state: {
              encode: (words) => reversed.encode([...words].sort()),
              decode: (bytes) => [...reversed.decode(bytes)].reverse(),
            },
          },
        ),
      workload: (dice, number) =>
        dice.chance(40)
          ? { type: 'read', query: (words) => new Set(words) }
          : { type: 'write', command: `w${number % 7}` },
    });

    await expect(run).resolves.toMatchObject({ readsThrown: 0 });
  });

  it('whose answers can not be compared does not, and says what to return', async () => {
    const { message } = await failureOf({
      machine: () => words(),
      workload: (dice, number) =>
        dice.chance(40)
          ? { type: 'read', query: (words) => words.values() }
          : { type: 'write', command: `w${number}` },
      shrink: false,
    });

    expect(message).toMatch(/the answer to .* has an instance of Array Iterator in it.*Return an array/);
  });

  it('may be checked by what its users know', async () => {
    const { message, cause } = await failureOf({
      machine: () => words(),
      shrink: false,
      checks: [
        ({ nodes, committed }) => {
          expect(nodes).toHaveLength(committed.length);
        },
      ],
    });

    expect(message).toContain('to have a length of');
    expect(cause).toBeInstanceOf(Error);
  });
});

describe('a simulation that is told too little', () => {
  it('says what is missing', async () => {
    await expect(simulate({ seed: 1.5 })).rejects.toThrow('seed is 1.5, expected an integer');
    await expect(simulate({ seed: 1, nodes: 0 })).rejects.toThrow('nodes is 0, expected 1 to 9');
    await expect(simulateSeeds({ count: 0 })).rejects.toThrow('count is 0, expected at least 1');
    await expect(simulate({ seed: 1, machine: () => words() })).rejects.toThrow('give both, or neither');
    await expect(simulate({ seed: 1, faults: { flood: 1 } as object })).rejects.toThrow(
      'flood is no kind of fault',
    );
  });

  it('fails if a fault had no turn, which breaks no promise', async () => {
    const run = simulate({ seed: 1, steps: 300 });

    await expect(run).rejects.toThrow(/did not exercise .*: raise steps/);
    await expect(run).rejects.toMatchObject({ name: 'SimulationFailure', cause: { name: 'NotExercised' } });
  });

  it.each([
    [{ nodes: 1, faults: ['partition'] }, 'partition takes at least 2 nodes, and there are 1'],
    [{ nodes: 2, faults: { kill: 1, wipe: 1 } }, 'wipe takes at least 3 nodes, and there are 2'],
    [{ faults: { kill: 0.3 } }, 'the rate of kill is 0.3, expected an integer from 0'],
    [{ faults: { kill: -1 } }, 'the rate of kill is -1, expected an integer from 0'],
  ] as const)('refuses faults that would never come: %o', async (options, problem) => {
    const run = simulate({ seed: 1, steps: 100, ...options });

    await expect(run).rejects.toThrow(RangeError);
    await expect(run).rejects.toThrow(problem);
  });

  it('refuses a machine with a storage of its own', async () => {
    const machine = (): WordsMachine => ({ ...words(), keeps: 'own' });

    await expect(simulate({ seed: 1, machine, workload })).rejects.toThrow(
      "keeps its data in 'own' can't be simulated",
    );
  });
});
