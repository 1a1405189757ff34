/** What the language calls an object, such as `Array`, also where its class extends that. */
export function tagOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** What to call the class of an object. */
export function classOf(value: object): string {
  const prototype: object | null = Object.getPrototypeOf(value);
  const tag = tagOf(value);
  if (tag !== 'Object' && (prototype === null || !isOfOwnClass(prototype))) return tag;
  return value.constructor?.name || 'a class without a name';
}

function isOfOwnClass(prototype: object): boolean {
  return Object.hasOwn(prototype, 'constructor') && !isBuiltInPrototype(prototype);
}

/**
 * Whether an object is of a class of the language's own, in whatever realm, or a `Buffer`, and not of one that extends it: then there is
 * nothing in it that can't be seen.
 */
export function isBuiltIn(value: object): boolean {
  const prototype: object | null = Object.getPrototypeOf(value);
  return prototype !== null && isBuiltInPrototype(prototype);
}

function isBuiltInPrototype(prototype: object): boolean {
  let isIt = builtIns.get(prototype);
  if (isIt === undefined) {
    const made: unknown = Object.hasOwn(prototype, 'constructor') ? prototype.constructor : undefined;
    isIt = typeof made === 'function' && made.prototype === prototype && isPartOfLanguage(made);
    builtIns.set(prototype, isIt);
  }
  return isIt;
}

/** To read the text of a function takes longer than to compare most values. */
const builtIns = new WeakMap<object, boolean>();

// biome-ignore lint/complexity/noBannedTypes: of a class nothing else is known.
function isPartOfLanguage(made: Function): boolean {
  return nativeCode.test(Function.prototype.toString.call(made)) || made.name === 'Buffer';
}

const nativeCode = /\{\s*\[native code\]\s*\}$/;

/** Whether the class of an object says itself what counts: `toJSON` of a `Date` knows nothing of what extends it. */
export function hasOwnJson(value: object): value is { toJSON(): unknown } {
  if (!('toJSON' in value) || typeof value.toJSON !== 'function') return false;
  let owner: object = value;
  while (!Object.hasOwn(owner, 'toJSON')) owner = Object.getPrototypeOf(owner);
  if (!isBuiltInPrototype(owner)) return true;
  return Object.getPrototypeOf(value) === owner && Object.getOwnPropertySymbols(value).length === 0;
}
