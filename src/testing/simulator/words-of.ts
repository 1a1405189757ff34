import type { Codec } from '../../streams/state-machine.ts';

/**
 * A value as text: the same text for equal values, whatever the order of an object's keys. It is how answers are
 * compared, and how they are shown.
 */
export function wordsOf(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (value instanceof Uint8Array) return `bytes(${Array.from(value, hex).join('')})`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Error) return `${value.name}(${JSON.stringify(value.message)})`;
  if (Array.isArray(value)) return `[${value.map(wordsOf).join(', ')}]`;
  if (value instanceof Map) return `Map {${[...value].map(pairOf).join(', ')}}`;
  if (value instanceof Set) return `Set {${[...value].map(wordsOf).join(', ')}}`;
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${key}: ${wordsOf((value as Record<string, unknown>)[key])}`).join(', ')}}`;
}

function pairOf([key, value]: readonly [unknown, unknown]): string {
  return `${wordsOf(key)} => ${wordsOf(value)}`;
}

function hex(byte: number): string {
  return byte.toString(16).padStart(2, '0');
}

/** A value as text, once it has travelled: what its codec can't hold is the same before and after. */
export function travelledWords<T>(codec: Codec<T>, value: T): string {
  return wordsOf(codec.decode(codec.encode(value)));
}

/** What was thrown, as text: an error by its name and message. */
export function thrownWords(error: unknown): string {
  return error instanceof Error ? `${error.name}(${JSON.stringify(error.message)})` : wordsOf(error);
}

const shownLengthMax = 120;

/** A value as text, cut where it gets long: for messages. */
export function shown(value: unknown): string {
  const text = wordsOf(value);
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`;
}
