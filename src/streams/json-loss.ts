import { isPlain } from './is-plain.ts';

/** A value, and where it stands: under which key of what holds it. */
interface Place {
  readonly value: unknown;
  readonly key: string | number;
  readonly holder: Place | null;
}

/**
 * What JSON would change in a value for good, and where, such as `an instance of Map at balances`; `undefined` if it gives
 * back the same. A key with `undefined` counts as one that is not there, and `-0` as 0. It walks by a list, so that no depth and
 * no length is too much for the stack.
 */
export function jsonLoss(value: unknown): string | undefined {
  const places: Place[] = [{ value, key: '', holder: null }];
  for (let place = places.pop(); place !== undefined; place = places.pop()) {
    const loss = holdsItself(place) ? 'an object that holds itself' : lossOf(place.value);
    if (loss !== undefined) return `${loss} ${whereOf(place)}`;
    addParts(place, places);
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

function holdsItself({ value, holder }: Place): boolean {
  if (typeof value !== 'object' || value === null) return false;
  for (let above = holder; above !== null; above = above.holder) if (above.value === value) return true;
  return false;
}

/** The first part comes last, so that it is looked at next. */
function addParts(holder: Place, places: Place[]): void {
  const { value } = holder;
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (let key = value.length - 1; key >= 0; key--) places.push({ value: value[key], key, holder });
    return;
  }
  for (const [key, part] of Object.entries(value).reverse())
    if (part !== undefined) places.push({ value: part, key, holder });
}

function whereOf(place: Place): string {
  const steps: string[] = [];
  for (let at = place; at.holder !== null; at = at.holder)
    steps.push(typeof at.key === 'number' ? `[${at.key}]` : `.${at.key}`);
  const path = steps.reverse().join('').replace(/^\./, '');
  return steps.length === 0 ? 'at its top' : `at ${path}`;
}
