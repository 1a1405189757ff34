/** A value, and where it stands. */
interface Place {
  readonly value: unknown;
  readonly path: string;
}

/**
 * What JSON would change in a value for good, and where, such as `an instance of Map at balances`; `undefined` if it gives
 * back the same. A key with `undefined` counts as one that is not there, and `-0` as 0. As deep as you like: it walks by a list.
 */
export function jsonLoss(value: unknown): string | undefined {
  const places: Place[] = [{ value, path: '' }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const loss = lossOf(place.value);
    if (loss !== undefined) return `${loss} ${place.path === '' ? 'at its top' : `at ${place.path}`}`;
    places.push(...partsOf(place).reverse()); // The first of them is looked at next.
  }
  return undefined;
}

/** What of it JSON can't hold, apart from its parts. */
function lossOf(value: unknown): string | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? undefined : String(value);
  if (typeof value === 'undefined' || typeof value === 'function') return typeof value;
  if (typeof value === 'symbol' || typeof value === 'bigint') return `a ${typeof value}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  if (!isPlain(value)) return `an instance of ${value.constructor?.name || 'a class'}`;
  return Object.getOwnPropertySymbols(value).length > 0 ? 'a key that is a symbol' : undefined;
}

function partsOf({ value, path }: Place): Place[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return Array.from(value, (each, at) => ({ value: each, path: `${path}[${at}]` }));
  const inner = path === '' ? '' : `${path}.`;
  return Object.entries(value)
    .filter(([, each]) => each !== undefined)
    .map(([key, each]) => ({ value: each, path: inner + key }));
}

/** Made by `{}` or a parser, in whatever realm, and not by a class. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
