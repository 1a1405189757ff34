import type { Logger } from './raft-node.ts';
import type { Stepped } from './step-with.ts';

/** What a {@link StepLog} works with. */
export interface StepLogOptions {
  /** Steps that are kept; beyond it, the oldest goes. */
  readonly keptMax: number;
  readonly onStep: ((stepped: Stepped) => void) | undefined;
  readonly logger: Logger;
}

/** The latest steps of a node, and whoever wants to be told of each. */
export class StepLog {
  readonly #options: StepLogOptions;
  /** A ring: once full, the oldest step is at `#oldestAt`. */
  readonly #kept: Stepped[] = [];
  #oldestAt = 0;
  #onStep: ((stepped: Stepped) => void) | undefined;

  constructor(options: StepLogOptions) {
    this.#options = options;
    this.#onStep = options.onStep;
  }

  /** One more step. */
  add(stepped: Stepped): void {
    if (this.#options.keptMax > 0) this.#keep(stepped);
    if (this.#onStep !== undefined) this.#tell(this.#onStep, stepped);
  }

  /** The latest steps, oldest first. */
  recent(): readonly Stepped[] {
    return [...this.#kept.slice(this.#oldestAt), ...this.#kept.slice(0, this.#oldestAt)];
  }

  #keep(stepped: Stepped): void {
    const { keptMax } = this.#options;
    if (this.#kept.length < keptMax) {
      this.#kept.push(stepped);
      return;
    }
    this.#kept[this.#oldestAt] = stepped;
    this.#oldestAt = (this.#oldestAt + 1) % keptMax;
  }

  /** Who watches a node must not stop it. */
  #tell(onStep: (stepped: Stepped) => void, stepped: Stepped): void {
    try {
      onStep(stepped);
    } catch (cause) {
      this.#onStep = undefined;
      this.#options.logger.error({ cause }, 'onStep threw, and is told no more; the node goes on');
    }
  }
}
