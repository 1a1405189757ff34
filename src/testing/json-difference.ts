/** Where two values differ, and what stands there in each. */
export interface JsonDifference {
  /** Such as `outputs[0].message.term`. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** The first place where two values of JSON differ; `undefined` if nowhere. The order of names does not count. */
export function firstDifference(expected: unknown, actual: unknown, path = ''): JsonDifference | undefined {
  if (Object.is(expected, actual)) return undefined;
  const areParts =
    isObject(expected) && isObject(actual) && Array.isArray(expected) === Array.isArray(actual);
  if (!areParts) return { path, expected, actual };
  for (const name of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
    const place = Array.isArray(expected) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`;
    const difference = firstDifference(partOf(expected, name), partOf(actual, name), place);
    if (difference !== undefined) return difference;
  }
  return undefined;
}

function partOf(value: object, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name as keyof typeof value] : undefined;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
