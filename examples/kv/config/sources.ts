import { readFileSync } from 'node:fs';
import * as v from 'valibot';
import type { Problem, Settings, Source } from './settings.ts';

/** Flags of a command line, by name, unknown ones included. */
export function flagSource(flags: Readonly<Record<string, unknown>>): Source {
  return { values: flags, nameOf: (name) => `--${name}` };
}

/**
 * The variables `RXRAFT_…` that are settings. Others are left alone: an orchestrator puts some of its own
 * there (Kubernetes sets `RXRAFT_PORT` for a service called `rxraft`).
 */
export function envSource(env: NodeJS.ProcessEnv, settings: Settings): Source {
  const entries = Object.keys(settings).map((name) => [name, env[variableOf(name)]] as const);
  return { values: Object.fromEntries(entries), nameOf: variableOf };
}

/** A file of JSON: one object, with settings by name. No path, no source. */
export function fileSource(path: string | undefined): {
  readonly sources: readonly Source[];
  readonly problems: readonly Problem[];
} {
  if (path === undefined) return { sources: [], problems: [] };
  const nameOf = (name: string): string => `"${name}" in ${path}:`;
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'));
    return {
      sources: [{ values: v.parse(jsonObject, parsed), nameOf }],
      problems: [],
    };
  } catch (error) {
    const given = `--config ${path} (${error instanceof Error ? error.message : String(error)})`;
    const expected = 'a file that can be read and holds a JSON object';
    return { sources: [], problems: [{ given, expected, example: '{"id": "n1", "data": "./data/n1"}' }] };
  }
}

const jsonObject = v.pipe(
  v.unknown(),
  v.check((given) => !Array.isArray(given), 'it is a list'),
  v.record(v.string(), v.unknown()),
);

/** The variable of a setting. */
export function variableOf(name: string): string {
  return `RXRAFT_${name.toUpperCase().replaceAll('-', '_')}`;
}
