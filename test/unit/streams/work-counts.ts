import type { Input } from '../../../src/core/index.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { frameBytes } from '../../../src/transport/message-codec.ts';
import type { Transport } from '../../../src/transport/transport.ts';

/** Work that a cluster has done. */
export interface Work {
  /** Frames that nodes handed to their transports, and the bytes of those. */
  frames: number;
  frameBytes: number;
  /** Transactions that nodes asked their storages for; each is flushed. */
  transactions: number;
  /** Bytes of commands in them. */
  storedBytes: number;
  /** Calls of `step`, but for ticks: those come with time and not with work. */
  steps: number;
}

const noWork: Work = { frames: 0, frameBytes: 0, transactions: 0, storedBytes: 0, steps: 0 };

/** Counts the work of a cluster, which is the same on every machine: all nodes are given to one of these. */
export class WorkCounter {
  readonly #done: Work = { ...noWork };

  /** What was done since this was asked last. */
  take(): Work {
    const done = { ...this.#done };
    Object.assign(this.#done, noWork);
    return done;
  }

  /** Told of a step of any node. */
  readonly onStep = ({ input }: { readonly input: Input }): void => {
    if (input.type !== 'tick') this.#done.steps += 1;
  };

  /** A transport that counts what it is given to send. */
  transport(inner: Transport): Transport {
    return withMethod(inner, 'send', (to, frame) => {
      this.#done.frames += 1;
      this.#done.frameBytes += frameBytes(frame);
      return inner.send(to, frame);
    });
  }

  /** A storage that counts its transactions. */
  storage(inner: Storage): Storage {
    return withMethod(inner, 'persist', (requests, options) => {
      this.#done.transactions += 1;
      for (const request of requests) {
        if (request.type !== 'persistReq') continue;
        for (const { payload } of request.batches) this.#done.storedBytes += payload.byteLength;
      }
      return inner.persist(requests, options);
    });
  }
}

/** Work for each of so many. */
export function shared(work: Work, count: number): Work {
  const each = Object.entries(work).map(([name, amount]) => [name, amount / count]);
  return Object.fromEntries(each);
}

/** The object with another method in the place of one of its own. */
function withMethod<T extends object, Name extends keyof T>(inner: T, name: Name, method: T[Name]): T {
  return new Proxy(inner, {
    get(target, key) {
      if (key === name) return method;
      const value = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
