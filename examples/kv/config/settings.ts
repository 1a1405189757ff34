import * as v from 'valibot';

/** One thing that can be configured: everything that a flag, a variable, a file and a message need. */
export interface Setting {
  /** How the value is written in `--help`, such as `HOST:PORT`; a flag without one is a switch. */
  readonly value?: string;
  readonly description: string;
  /** What a good value looks like, in words. */
  readonly expected: string;
  readonly example: string;
  /** Reads what was given, from text (flag, variable) or JSON (file). */
  readonly schema: v.GenericSchema<unknown, unknown>;
  readonly isRequired?: boolean;
}

/** Settings by name: `election-ms` is the flag `--election-ms`, the variable `RXRAFT_ELECTION_MS`, and so on. */
export type Settings = Readonly<Record<string, Setting>>;

/** What settings say, by name, once read. A name is absent if nothing was given. */
export type Values<S extends Settings> = { readonly [Name in keyof S]?: v.InferOutput<S[Name]['schema']> };

/** Something that is wrong with a configuration. */
export interface Problem {
  /** What was given and where, such as `--http 8101`. */
  readonly given: string;
  readonly expected: string;
  readonly example: string;
  /** Nothing was given. */
  readonly isMissing?: true;
}

/** Values by name, and how to call the place where one stands, for messages. */
export interface Source {
  readonly values: Readonly<Record<string, unknown>>;
  readonly nameOf: (setting: string) => string;
}

/** What came of reading settings. */
export interface Reading<S extends Settings> {
  readonly values: Values<S>;
  /** Settings that were given, and not in a form that can be read. */
  readonly unreadable: ReadonlySet<keyof S & string>;
  readonly problems: readonly Problem[];
}

/**
 * Reads settings from several places; of one given twice the earlier place counts. Whatever is wrong
 * anywhere is found, also in values that an earlier place overrides.
 */
export function readSettings<S extends Settings>(settings: S, sources: readonly Source[]): Reading<S> {
  const values: Record<string, unknown> = {};
  const problems: Problem[] = [];
  const unreadable = new Set<keyof S & string>();
  for (const [name, setting] of Object.entries(settings)) {
    const given = sources.filter((source) => source.values[name] !== undefined);
    for (const source of given) {
      const result = v.safeParse(setting.schema, source.values[name]);
      if (!result.success) {
        unreadable.add(name);
        problems.push(problemOf(setting, `${source.nameOf(name)} ${show(source.values[name])}`));
      } else if (!Object.hasOwn(values, name)) values[name] = result.output;
    }
    if (setting.isRequired === true && given.length === 0)
      problems.push({ ...problemOf(setting, `no --${name}`), isMissing: true });
  }
  return { values: values as Values<S>, unreadable, problems };
}

/** A problem for each name that is no setting. */
export function unknownNames(settings: Settings, sources: readonly Source[]): readonly Problem[] {
  const expected = `one of ${Object.keys(settings).join(', ')}`;
  const example = Object.values(settings)[0]?.example ?? '';
  return sources.flatMap(({ values, nameOf }) => {
    const unknown = Object.keys(values).filter((name) => !Object.hasOwn(settings, name));
    return unknown.map((name) => ({ given: nameOf(name), expected, example }));
  });
}

/** Problems as a person reads them, all of them, each with a remedy. */
export function formatProblems(problems: readonly Problem[]): string {
  const count = problems.length === 1 ? 'one thing is' : `${problems.length} things are`;
  const lines = problems.map(
    ({ given, expected, example }) => `  ${given}\n      expected ${expected}\n      such as  ${example}`,
  );
  return `The configuration can't be used: ${count} wrong with it.\n${lines.join('\n')}`;
}

/** A whole number in digits, or in a file as a number. */
export function integer(min: number, max: number): v.GenericSchema<unknown, number> {
  const digits = v.pipe(v.string(), v.regex(/^\d{1,15}$/), v.transform(Number));
  return v.pipe(v.union([v.number(), digits]), v.safeInteger(), v.minValue(min), v.maxValue(max));
}

/** A switch: given as a flag, `true` or `false` elsewhere. */
export const onOff: v.GenericSchema<unknown, boolean> = v.union([
  v.boolean(),
  v.pipe(
    v.picklist(['true', '1', 'yes']),
    v.transform(() => true),
  ),
  v.pipe(
    v.picklist(['false', '0', 'no', '']),
    v.transform(() => false),
  ),
]);

function problemOf({ expected, example }: Setting, given: string): Problem {
  return { given, expected, example };
}

function show(value: unknown): string {
  return typeof value === 'string' && value !== '' ? value : JSON.stringify(value);
}
