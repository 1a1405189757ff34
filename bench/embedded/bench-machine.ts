import { bytesCodec, type StateMachine } from 'rxraft';
import type { MachineStore } from 'rxraft/storage';

/** Bytes of a key, which a command begins with; the rest is its value. */
const keyBytes = 4;
const empty = new Uint8Array();

/** What the machine keeps its map in. */
export type BenchTable = Pick<MachineStore, 'get' | 'put'>;

/** Carries out commands that set a key to a value, as plainly as can be: what that costs is not what is measured. */
export class BenchMap {
  readonly #keys: Uint8Array[] = []; // Made once each.
  readonly #table: BenchTable;

  constructor(table: BenchTable) {
    this.#table = table;
  }

  apply(commands: readonly Uint8Array[]): Uint8Array[] {
    const results: Uint8Array[] = [];
    for (const command of commands) results.push(this.#set(command));
    return results;
  }

  #set(command: Uint8Array): Uint8Array {
    const { buffer, byteOffset, length } = command;
    const number = numberOf(command);
    this.#keys[number] ??= command.slice(0, keyBytes);
    this.#table.put(this.#keys[number], new Uint8Array(buffer, byteOffset + keyBytes, length - keyBytes));
    return empty;
  }
}

/** A map from keys to values in the node's own store. */
export function benchMachine(): StateMachine<Uint8Array, Uint8Array, Uint8Array, Uint8Array> {
  let opened: { readonly store: MachineStore; readonly map: BenchMap } | undefined;
  const open = () => {
    if (opened === undefined) throw new Error('the machine was used before it was opened');
    return opened;
  };
  return {
    keeps: 'store',
    command: bytesCodec,
    result: bytesCodec,
    open(store) {
      opened = { store, map: new BenchMap(store) };
      return store.appliedIndex;
    },
    apply: (commands) => open().map.apply(commands),
    query: (key) => open().store.get(key) ?? empty,
  };
}

function numberOf(command: Uint8Array): number {
  let number = 0;
  for (let at = 0; at < keyBytes; at++) number = number * 256 + (command[at] as number);
  return number;
}

/** A command that sets a key to a value of so many bytes, no two alike. */
export function benchCommand(key: number, valueBytes: number): Uint8Array {
  const command = Buffer.allocUnsafe(keyBytes + valueBytes).fill(key % 251, keyBytes); // Cut from a pool.
  command.writeUInt32BE(key, 0);
  return command;
}
