import type { Configuration, ConfigurationAt, State } from '../core/index.ts';

/** Whose members a node is connected with: the latest configuration, and until it is committed the one before. */
export class ConfigurationsInEffect {
  #configurations: readonly ConfigurationAt[] | null = null;
  /** Whether the latest one is committed. */
  #isSettled = false;

  /** Those in effect, the latest last, where a step has changed them; `null` if it has not. */
  onState(state: State): readonly Configuration[] | null {
    const { configurations } = state;
    const wasSettled = this.#isSettled;
    const isChanged = configurations !== this.#configurations;
    this.#configurations = configurations;
    this.#isSettled = isSettled(state);
    if (!isChanged && this.#isSettled === wasSettled) return null;
    // Who is being removed is still heard until that is committed.
    return configurations.slice(this.#isSettled ? -1 : -2).map((at) => at.configuration);
  }
}

function isSettled({ configurations, commitIndex }: State): boolean {
  const latest = configurations.at(-1);
  return latest !== undefined && latest.index <= commitIndex;
}
