import { jsonCodec } from 'rxraft';
import type { MachineStore } from '../../../src/storage/storage.ts';
import type { Words, WordsMachine } from './words.ts';

/** A machine that keeps its words in the store. Every command that it applies is noted in `log`. */
export function noteMachine(log: string[]): WordsMachine {
  let store: MachineStore | undefined;
  const key = (at: number) => Uint8Array.of(at >>> 8, at & 0xff);
  const words = jsonCodec<string>();
  const read = (): Words => Array.from(store?.range({}) ?? [], ([, value]) => words.decode(value));
  return {
    keeps: 'store',
    command: words,
    result: jsonCodec<number>(),
    open(opened) {
      store = opened;
      return opened.appliedIndex;
    },
    apply: (commands) =>
      commands.map((command) => {
        if (command === 'throw') throw new Error('can not apply this');
        log.push(command);
        const count = read().length;
        store?.put(key(count), words.encode(command));
        return count + 1;
      }),
    query: (select) => select(read()),
  };
}
