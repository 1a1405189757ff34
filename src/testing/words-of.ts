import { isPlain } from '../streams/is-plain.ts';
import type { Codec } from '../streams/state-machine.ts';

/**
 * A value as text: the same text for equal values, and another for others. It is how answers are compared, both by
 * the simulator and by `checkLinearizability`, and how they are shown.
 *
 * The order of an object's keys, of a `Set` and of a `Map` does not count; bytes do, of any view or buffer; `undefined`, `null`,
 * `NaN`, `0` and `-0` are told apart, and so is a key with `undefined` from one that is not there. An instance of a class counts by its `toJSON()`.
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
  if (ArrayBuffer.isView(value))
    return `${nameOfView(value)}(${hex(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))})`;
  if (value instanceof ArrayBuffer) return `ArrayBuffer(${hex(new Uint8Array(value))})`;
  if (value instanceof Date) return `Date(${value.getTime()})`;
  if (value instanceof Error) return textOfError(value, inner);
  if (Array.isArray(value)) return `[${Array.from(value, inner).join(', ')}]`;
  if (value instanceof Set) return `Set {${[...value].map(inner).sort().join(', ')}}`;
  if (value instanceof Map) {
    const pairs = [...value].map(([key, each]) => `${inner(key)} => ${inner(each)}`);
    return `Map {${pairs.sort().join(', ')}}`;
  }
  if (isPlain(value) && Object.getOwnPropertySymbols(value).length === 0) return textOfFields(value, inner);
  if ('toJSON' in value && typeof value.toJSON === 'function')
    return `${kindOf(value)}(${inner(value.toJSON())})`;
  return onOpaque(`an instance of ${kindOf(value)}`, adviceOn(value), () => textOfFields(value, inner));
}

function textOfFields(value: object, inner: (each: unknown) => string): string {
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([key, each]) => `${wordOf(key)}: ${inner(each)}`).join(', ')}}`;
}

/** A key as it is, unless that would read like something else. */
function wordOf(key: string): string {
  return /^[\w$.-]+$/.test(key) ? key : JSON.stringify(key);
}

function textOfError(error: Error, inner: (each: unknown) => string): string {
  const { name: _, message: __, stack: ___, ...more } = error as Error & Record<string, unknown>;
  const fields = {
    ...more,
    ...(error.cause !== undefined && { cause: error.cause }),
    ...(error instanceof AggregateError && { errors: error.errors }),
  };
  return thrownWords(error) + (Object.keys(fields).length === 0 ? '' : ` ${textOfFields(fields, inner)}`);
}

function nameOfView(view: ArrayBufferView): string {
  return view instanceof Uint8Array ? 'bytes' : kindOf(view);
}

function kindOf(value: object): string {
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return tag === 'Object' ? value.constructor?.name || 'a class without a name' : tag;
}

function adviceOn(value: object): string {
  if (Symbol.iterator in value) return 'Return an array of what it gives';
  return 'Return its values in a plain object, or give its class a toJSON()';
}

/** Bytes in hexadecimal. */
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
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
  if (!(error instanceof Error)) return leniently(error);
  return `${error.name}(${JSON.stringify(error.message)})`;
}

const shownLengthMax = 120;

/** A value as text, cut where it gets long: for messages. What can't be compared can be shown. */
export function shown(value: unknown): string {
  const text = value instanceof Error ? thrownWords(value) : leniently(value);
  return text.length <= shownLengthMax ? text : `${text.slice(0, shownLengthMax)}…`;
}

function leniently(value: unknown): string {
  return textOf(value, (_kind, _advice, text) => text(), []);
}
