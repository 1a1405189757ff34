import type { NodeId } from '../../core/index.ts';
import { expectThat } from '../violation.ts';

/**
 * What one process has applied, and what its `commits$` shows of it: every command, once, in order. Only an installed
 * snapshot may leave a gap, and what it holds was not applied here either.
 */
export class ShownCommits {
  readonly #id: NodeId;
  /** Applied and not shown yet. */
  #left: number[] = [];
  #last = 0;

  constructor(id: NodeId) {
    this.#id = id;
  }

  applied(index: number): void {
    this.#left.push(index);
  }

  /** Throws an `InvariantViolation` if another had to be shown. */
  shown(index: number): void {
    if (this.#last === 0) this.#left = this.#left.filter((at) => at >= index); // Before somebody looked.
    const next = this.#left.shift();
    expectThat(
      next === index,
      () => `commits$ of ${this.#id} shows ${index} after ${this.#last}, next applied is ${next}`,
    );
    this.#last = index;
  }

  /** Nothing is under way. Throws an `InvariantViolation` if something was not shown. */
  checkAll(): void {
    const [left] = this.#last === 0 ? [] : this.#left;
    expectThat(
      left === undefined,
      () => `commits$ of ${this.#id} does not show ${left}, which it has applied`,
    );
  }
}
