import type { State } from '../../core/index.ts';

const prime = 0x01000193;

/** A hash of all steps in order: two runs that have the same one went the same way (FNV-1a, 32 bits, twice). */
export class Digest {
  #low = 0x811c9dc5;
  #high = 0x1b873593;

  /** Adds a step: when it was, whose, and what the node was after it. */
  add(nowMs: number, state: State): void {
    const { self, role } = state;
    this.#number(nowMs);
    for (let at = 0; at < self.storeId.length; at++) this.#number(self.storeId.charCodeAt(at));
    this.#number(role.type.length);
    this.#number(state.currentTerm);
    this.#number(state.commitIndex);
    this.#number(state.lastApplied);
    this.#number(state.log.lastIndex);
    this.#number(state.log.startIndex);
    this.#number(state.persistSeq);
    this.#number(state.durableSeq);
    this.#number(state.electionElapsedMs);
    this.#number(state.random);
  }

  #number(value: number): void {
    this.#low = Math.imul(this.#low ^ value, prime);
    this.#high = Math.imul(this.#high ^ (value + this.#low), prime);
  }

  /** Sixteen hexadecimal digits. */
  toString(): string {
    return [this.#high, this.#low].map((half) => (half >>> 0).toString(16).padStart(8, '0')).join('');
  }
}
