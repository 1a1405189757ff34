/**
 * A value in the one form that all its spellings share: no spaces, and the names of an object in order, so that
 * equal values are equal texts. Throws on what JSON can read and not write: numbers beyond all bounds, such as 1e999.
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value === 'object' && value !== null) return ofObject(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new RangeError('a number is too large');
  return JSON.stringify(value);
}

function ofObject(value: object): string {
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([name, member]) => `${JSON.stringify(name)}:${canonicalJson(member)}`).join(',')}}`;
}
