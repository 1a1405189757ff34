import type { Index } from '../../core/index.ts';
import type { MachineStore } from '../../storage/storage.ts';
import { jsonCodec } from '../../streams/codecs.ts';
import type { StateMachine } from '../../streams/state-machine.ts';
import type { Dice } from '../dice.ts';
import type { Operation } from './options.ts';

/** What the built-in machine is told. */
export type LedgerCommand =
  /** Answered with the value before. */
  | { readonly type: 'set'; readonly key: string; readonly value: number }
  /** Answered with how many values there are then. */
  | { readonly type: 'append'; readonly key: string; readonly value: number };

/** Asks for all values of a key. */
export interface LedgerQuery {
  readonly key: string;
}

/** The machine that {@link simulate} uses where it is given none. */
export type LedgerMachine = StateMachine<LedgerCommand, number, LedgerQuery, readonly number[]>;

type Values = readonly number[];

/** Where the values are. */
interface Shelf {
  get(key: string): Values;
  set(key: string, values: Values): void;
}

/** Lists of numbers by key, in memory or in the node's store: each command's result tells of those before it. */
export function ledgerMachine(keeps: 'memory' | 'store'): LedgerMachine {
  return keeps === 'store' ? inStore() : inMemory();
}

function applyOne(shelf: Shelf, { type, key, value }: LedgerCommand): number {
  const values = shelf.get(key);
  if (type === 'set') {
    shelf.set(key, [value]);
    return values.at(-1) ?? 0;
  }
  shelf.set(key, [...values.slice(-valuesMax), value]);
  return values.reduce((sum, each) => sum + each, values.length);
}

const valuesMax = 20;

function inMemory(): LedgerMachine {
  let data = new Map<string, Values>();
  const shelf: Shelf = { get: (key) => data.get(key) ?? [], set: (key, values) => data.set(key, values) };
  const image = jsonCodec<readonly (readonly [string, Values])[]>();
  return {
    ...codecs(),
    keeps: 'memory',
    open() {
      data = new Map();
      return 0 as Index;
    },
    apply: (commands) => commands.map((command) => applyOne(shelf, command)),
    query: ({ key }) => shelf.get(key),
    snapshot: () => [image.encode([...data])],
    restore(pieces) {
      const [piece = image.encode([])] = pieces;
      data = new Map(image.decode(piece));
    },
  };
}

function inStore(): LedgerMachine {
  let store: MachineStore | undefined;
  const values = jsonCodec<Values>();
  const keyOf = (key: string) => new TextEncoder().encode(key);
  const shelf: Shelf = {
    get(key) {
      const bytes = store?.get(keyOf(key));
      return bytes === undefined ? [] : values.decode(bytes);
    },
    set: (key, list) => store?.put(keyOf(key), values.encode(list)),
  };
  return {
    ...codecs(),
    keeps: 'store',
    open(opened) {
      store = opened;
      return opened.appliedIndex;
    },
    apply: (commands) => commands.map((command) => applyOne(shelf, command)),
    query: ({ key }) => shelf.get(key),
  };
}

function codecs(): Pick<LedgerMachine, 'command' | 'result'> {
  return { command: jsonCodec(), result: jsonCodec() };
}

/** What clients ask of the built-in machine. */
export function ledgerWorkload(dice: Dice, number: number): Operation<LedgerCommand, LedgerQuery> {
  const key = dice.pick(['a', 'b', 'c']);
  if (dice.chance(35)) {
    const consistency = dice.pick([
      'linearizable',
      'linearizable',
      'linearizable',
      'session',
      'stale',
    ] as const);
    return { type: 'read', query: { key }, consistency };
  }
  const type = dice.pick(['set', 'append', 'append'] as const);
  return { type: 'write', command: { type, key, value: number } };
}
