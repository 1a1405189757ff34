import type { RaftNode, ReadOptions } from 'rxraft';
import type { Client, Done } from '../load/client.ts';
import { benchCommand } from './bench-machine.ts';

const consistencies = { read: 'linearizable', session: 'session', stale: 'stale' } as const;

/** A load's client within a node's process: no network between the two. */
export class NodeClient implements Client {
  readonly #node: RaftNode<Uint8Array, Uint8Array, Uint8Array, Uint8Array>;
  readonly #valueBytes: number;
  /** Of the latest write, for reads that promise to see it. */
  #index = 0;

  constructor(node: RaftNode<Uint8Array, Uint8Array, Uint8Array, Uint8Array>, valueBytes: number) {
    this.#node = node;
    this.#valueBytes = valueBytes;
  }

  write(key: number, done: Done): void {
    this.#node.write(benchCommand(key, this.#valueBytes)).then(
      ({ index }) => {
        this.#index = index;
        done(true);
      },
      () => done(false),
    );
  }

  read(key: number, consistency: 'read' | 'session' | 'stale', done: Done): void {
    const options: ReadOptions = { consistency: consistencies[consistency], index: this.#index };
    // What is answered at once would otherwise keep the event loop from ever turning.
    const tell = consistency === 'read' ? done : (isServed: boolean) => setImmediate(done, isServed);
    this.#node.read(benchCommand(key, 0), options).then(
      () => tell(true),
      () => tell(false),
    );
  }

  close(): void {}
}
