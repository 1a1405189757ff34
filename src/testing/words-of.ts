import { isPlain } from '../streams/is-plain.ts';
import type { Codec } from '../streams/state-machine.ts';
import { classOf, hasOwnJson, isBuiltIn, tagOf } from './class-of.ts';

/**
 * A value as text: the same text for equal values, and another for others. It is how answers are compared, both by
 * the simulator and by `checkLinearizability`, and how they are shown.
 *
 * The order of an object's keys, of a `Set` and of a `Map` does not count; bytes do, of any view or buffer; `undefined`, `null`,
 * `NaN`, `0` and `-0` are told apart, and so is a key with `undefined` from one that is not there; what was put on an array, a date or
 * the like counts. An instance of a class, also of one that extends `Error` or `Array`, counts by its `toJSON()`.
 *
 * Throws a `TypeError` if there is something in it that can't be told from others of its kind: what a class has no
 * `toJSON()` for, a function, an iterator. `what` names the value in its message.
 */
export function wordsOf(value: unknown, what = 'a value'): string {
  const refuse: OnOpaque = (kind, advice) => {
    throw new TypeError(
      `${what} has ${kind} in it, which can't be compared: one that is wrong would pass for one that is right. ${advice}`,
    );
  };
  return textOf(value, refuse, []);
}

/** What becomes of something that can't be told from others of its kind; `text` is the best that can be had. */
type OnOpaque = (kind: string, advice: string, text: () => string) => string;

function textOf(value: unknown, onOpaque: OnOpaque, holders: readonly object[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function' || typeof value === 'symbol')
    return onOpaque(`a ${typeof value}`, 'Return what it stands for', () => String(value));
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value);
  if (holders.includes(value))
    return onOpaque('an object that holds itself', 'Return names in place of references', () => '…');
  return textOfObject(value, onOpaque, [...holders, value]);
}

function textOfObject(value: object, onOpaque: OnOpaque, holders: readonly object[]): string {
  const inner = (each: unknown) => textOf(each, onOpaque, holders);
  const hasSymbols = Object.getOwnPropertySymbols(value).length > 0;
  if (!hasSymbols && isPlain(value)) return textOfFields(value, inner);
  const text = !hasSymbols && isBuiltIn(value) ? textOfBuiltIn(value, inner) : undefined;
  if (text !== undefined) return text;
  if (hasOwnJson(value)) return `${classOf(value)}(${inner(value.toJSON())})`;
  return onOpaque(`an instance of ${classOf(value)}`, adviceOn(value), () => bestTextOf(value, inner));
}

/** What the language itself has, and what else was put on it; `undefined` if that has no text. */
function textOfBuiltIn(value: object, inner: (each: unknown) => string): string | undefined {
  const text = textOfContents(value, inner);
  if (text === undefined) return undefined;
  const further = furtherFieldsOf(value);
  return Object.keys(further).length === 0 ? text : `${text} ${textOfFields(further, inner)}`;
}

function textOfContents(value: object, inner: (each: unknown) => string): string | undefined {
  if (ArrayBuffer.isView(value))
    return `${nameOfView(value)}(${hex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${hex(new Uint8Array(value))})`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Error) return thrownWords(value);
  if (Array.isArray(value)) return textOfArray(value, inner);
  if (value instanceof Set) return `Set {${[...value].map(inner).sort().join(', ')}}`;
  if (!(value instanceof Map)) return undefined;
  const pairs = [...value].map(([key, each]) => `${inner(key)} => ${inner(each)}`);
  return `Map {${pairs.sort().join(', ')}}`;
}

/** A place that nothing was put in is not one with `undefined`. */
function textOfArray(array: readonly unknown[], inner: (each: unknown) => string): string {
  return `[${Array.from(array, (each, at) => (at in array ? inner(each) : 'nothing')).join(', ')}]`;
}

/** What something of the language's own has besides what it is made for. */
function furtherFieldsOf(value: object): object {
  if (value instanceof Error) {
    const { name: _, message: __, stack: ___, ...more } = value as Error & Record<string, unknown>;
    return {
      ...more,
      ...(Object.hasOwn(value, 'cause') && { cause: value.cause }),
      ...(value instanceof AggregateError && { errors: value.errors }),
    };
  }
  // To name the places of a quarter of a million bytes takes 50 ms, to count what is there a tenth of that.
  if (isBytes(value) && Object.values(value).length === value.length) return {};
  const isList = Array.isArray(value) || ArrayBuffer.isView(value);
  const length = isList && 'length' in value ? Number(value.length) : 0; // A `DataView` has none.
  const names = Object.keys(value); // Places come first.
  const further = names.slice(1 + names.findLastIndex((name) => isPlace(name, length)));
  return Object.fromEntries(further.map((name) => [name, value[name as keyof typeof value]]));
}

/** Whether a value is a view that has something at each of its places. */
function isBytes(value: object): value is Uint8Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

/** Whether a key is a place in a list of this length. */
function isPlace(name: string, length: number): boolean {
  return /^(0|[1-9]\d*)$/.test(name) && Number(name) < length;
}

/** For people: what of an instance of a class can be seen. */
function bestTextOf(value: object, inner: (each: unknown) => string): string {
  const text = textOfBuiltIn(value, inner);
  return text === undefined ? textOfFields(value, inner) : `${classOf(value)} ${text}`;
}

function textOfFields(value: object, inner: (each: unknown) => string): string {
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, each]) => `${wordOf(key)}: ${inner(each)}`).join(', ')}}`;
}

/** A key as it is, unless that would read like something else. */
function wordOf(key: string): string {
  return /^[\w$.-]+$/.test(key) ? key : JSON.stringify(key);
}

function nameOfView(view: ArrayBufferView): string {
  const tag = tagOf(view);
  return tag === 'Uint8Array' ? 'bytes' : tag;
}

function adviceOn(value: object): string {
  if (Symbol.iterator in value) return 'Return an array of what it gives';
  if (value instanceof Error) return 'Return its name and message, or give its class a toJSON()';
  return 'Return its values in a plain object, or give its class a toJSON()';
}

/** Bytes in hexadecimal. The digits are written as bytes, and made a text at once: 256 KiB take 4 ms instead of 25. */
export function hex(bytes: Uint8Array): string {
  const text = new Uint8Array(2 * bytes.length);
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    text[2 * at] = digits[byte >> 4] as number;
    text[2 * at + 1] = digits[byte & 15] as number;
  }
  return utf8.decode(text);
}

const digits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const utf8 = new TextDecoder();

/** Bytes for people: the text that they are in UTF-8, or else hexadecimal. */
export function readable(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return hex(bytes);
  }
}

/** A value as text, once it has travelled: what its codec can't hold is the same before and after. */
export function travelledWords<T>(codec: Codec<T>, value: T): string {
  const travelled = codec.decode(codec.encode(value));
  let isOpaque = false;
  const onOpaque: OnOpaque = () => {
    isOpaque = true;
    return '';
  };
  const text = textOf(travelled, onOpaque, []);
  return isOpaque ? `encoded(${hex(codec.encode(travelled))})` : text; // Its codec sees what we can't.
}

/** What was thrown, as text: an error by its name and message. */
export function thrownWords(error: unknown): string {
  if (!(error instanceof Error)) return seenWords(error);
  return `${error.name}(${JSON.stringify(error.message)})`;
}

const shownLengthMax = 120;

/** A value as text, cut where it gets long: for messages. What can't be compared can be shown. */
export function shown(value: unknown): string {
  const text = value instanceof Error ? thrownWords(value) : seenWords(value);
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`;
}

/** Two values as texts, which are long only where they have to be to show how the values differ. */
export function shownApart(one: unknown, other: unknown): readonly [string, string] {
  return apart(seenWords(one), seenWords(other));
}

/** Characters of a text, and of what both have before that. */
const apartLength = 60;
const sharedLength = 20;

/** Two long texts, from a little before the place where they begin to differ. */
export function apart(one: string, other: string): readonly [string, string] {
  if (Math.max(one.length, other.length) <= apartLength + sharedLength) return [one, other];
  let start = 0;
  while (start < one.length && one[start] === other[start]) start++;
  const from = Math.max(0, start - sharedLength);
  const part = (of: string) => {
    const end = from + apartLength;
    return `${from > 0 ? '…' : ''}${of.slice(from, end)}${end < of.length ? '…' : ''}`;
  };
  return [part(one), part(other)];
}

/** A value as text, as far as it can be seen: nothing is refused, and an instance of a class is its fields. */
export function seenWords(value: unknown): string {
  return textOf(value, (_kind, _advice, text) => text(), []);
}
