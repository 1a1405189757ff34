import type { SimulateOptions } from './options.ts';
import type { Outcome, RunSettings, Told } from './run.ts';
import type { Shrunk } from './shrink.ts';

const shownLinesMax = 40;

/** A simulation did not hold. The message says what, how to run it again, and the shortest story that fails. */
export class SimulationError extends Error {
  override readonly name = 'SimulationError';
  readonly seed: number;
  /** How many steps the run had taken. */
  readonly step: number;
  /** What happened in the shortest run that was found to fail, in order and in words. */
  readonly script: readonly string[];
  /** A line of code that runs it again. */
  readonly reproduction: string;

  /** @internal */
  constructor({ settings, options, failure, outcome, script }: Failed) {
    const story = linesOf(script?.told ?? outcome.told);
    const reproduction = `simulate(${callOf(options)})`;
    super(
      [
        `seed ${settings.seed}, after ${outcome.counts.steps} steps: ${messageOf(failure)}`,
        `To run it again: ${reproduction}`,
        ...(failure === outcome.failure ? storyOf(story, script) : []),
      ].join('\n'),
      { cause: failure },
    );
    this.seed = settings.seed;
    this.step = outcome.counts.steps;
    this.script = story;
    this.reproduction = reproduction;
  }
}

interface Failed {
  // biome-ignore lint/suspicious/noExplicitAny: the machine's types don't matter here.
  readonly settings: RunSettings<any, any, any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: the machine's types don't matter here.
  readonly options: SimulateOptions<any, any, any, any>;
  readonly failure: unknown;
  readonly outcome: Outcome;
  readonly script: Shrunk | undefined;
}

function messageOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure);
}

/** The options as code; those that are functions by name. */
function callOf(options: object): string {
  const parts = Object.entries(options).flatMap(([name, value]) => {
    if (value === undefined || name === 'shrink') return [];
    const hasFunctions = typeof value === 'function' || name === 'checks';
    return [hasFunctions ? name : `${name}: ${codeOf(value)}`];
  });
  return `{ ${parts.join(', ')} }`;
}

function codeOf(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(codeOf).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name}: ${codeOf(each)}`)
    .join(', ')} }`;
}

function linesOf(told: readonly Told[]): string[] {
  return told.map(({ item, text }) => `${Math.floor(item.atMs)} ms: ${text}`);
}

function storyOf(story: readonly string[], script: Shrunk | undefined): readonly string[] {
  const left = story.length - shownLinesMax;
  const first = left > 0 ? [`  (${left} before)`] : [];
  const lines = [...first, ...story.slice(-shownLinesMax).map((line) => `  ${line}`)];
  if (script === undefined) return ['What happened:', ...lines];
  const what = script.told.length === 0 ? ' it fails without any fault or request.' : ' this is enough:';
  return [
    `Found in ${script.runs} runs,${what}`,
    ...lines,
    `  and then: ${messageOf(script.failure).split('\n')[0]}`,
  ];
}
