import { bytesCodec, type StateMachine } from 'rxraft';
import type { MachineStore } from 'rxraft/storage';

/** Bytes of a key, which a command begins with; the rest is its value. */
const keyBytes = 4;
const empty = new Uint8Array();

/** A map from keys to values in the node's own store, as plain as can be: what it costs is not what is measured. */
export function benchMachine(): StateMachine<Uint8Array, Uint8Array, Uint8Array, Uint8Array> {
  const keys: Uint8Array[] = []; // Made once each.
  let store: MachineStore | undefined;
  const opened = (): MachineStore => {
    if (store === undefined) throw new Error('the machine was used before it was opened');
    return store;
  };
  return {
    keeps: 'store',
    command: bytesCodec,
    result: bytesCodec,
    open(machineStore) {
      store = machineStore;
      return machineStore.appliedIndex;
    },
    apply(commands) {
      const to = opened();
      return commands.map((command) => {
        const number = numberOf(command);
        keys[number] ??= command.slice(0, keyBytes);
        const key = keys[number];
        to.put(
          key,
          new Uint8Array(command.buffer, command.byteOffset + keyBytes, command.byteLength - keyBytes),
        );
        return empty;
      });
    },
    query: (key) => opened().get(key) ?? empty,
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
