import { SimulationFailure } from '../simulate-core.ts';
import type { SimulateOptions } from './options.ts';
import type { Outcome, RunSettings, Told } from './run.ts';
import type { Shrunk } from './shrink.ts';

const shownLinesMax = 40;

/** Tells what did not hold, how to run it again, and the shortest story that fails. */
export function simulationFailure(failed: Failed): SimulationFailure {
  const { settings, options, failure, outcome, script } = failed;
  const { seed } = settings;
  const step = outcome.counts.steps;
  const story = linesOf(script?.told ?? outcome.told);
  const lines = [
    `seed ${seed}, after ${step} steps: ${messageOf(failure)}`,
    `To run it again: simulate(${callOf(options)})`,
    ...(failure === outcome.failure ? storyOf(story, script) : []),
  ];
  return new SimulationFailure(lines.join('\n'), { seed, step, script: story, cause: failure });
}

/** A run that did not hold. */
export interface Failed {
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
