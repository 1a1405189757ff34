/**
 * What JSON would change in a value for good, and where, such as `a Map at balances`; `undefined` if it gives back the
 * same. A key with `undefined` is left out by JSON, which reads the same.
 */
export function jsonLoss(value: unknown, path = ''): string | undefined {
  const here = path === '' ? 'at its top' : `at ${path}`;
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : `${value} ${here}`;
  if (typeof value === 'undefined' || typeof value === 'function') return `${typeof value} ${here}`;
  if (typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value} ${here}`;
  if (typeof value !== 'object' || value === null) return undefined;
  if (Array.isArray(value)) return firstLoss(value, (each, at) => jsonLoss(each, `${path}[${at}]`));
  if (!isPlain(value)) return `an instance of ${value.constructor?.name || 'a class'} ${here}`;
  const inner = path === '' ? '' : `${path}.`;
  return firstLoss(Object.entries(value), ([key, each]) =>
    each === undefined ? undefined : jsonLoss(each, inner + key),
  );
}

function firstLoss<T>(
  values: readonly T[],
  lossOf: (value: T, at: number) => string | undefined,
): string | undefined {
  for (let at = 0; at < values.length; at++) {
    const loss = lossOf(values[at] as T, at);
    if (loss !== undefined) return loss;
  }
  return undefined;
}

/** Made by `{}` or a parser, in whatever realm, and not by a class. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
