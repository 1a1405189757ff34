/**
 * Deletes in the background, a slice at a time, so that neither the event loop nor the next disk request waits
 * for long, however much there is to delete.
 */
export class Sweeper {
  readonly #slice: () => Promise<boolean>;
  readonly #onError: (error: unknown) => void;
  #run: Promise<void> | null = null;
  #isWanted = false;
  #isStopped = false;

  /** @param slice - deletes some; `false` if there was nothing to delete. */
  constructor(slice: () => Promise<boolean>, onError: (error: unknown) => void) {
    this.#slice = slice;
    this.#onError = onError;
  }

  /** There may be something to delete. */
  wake(): void {
    this.#isWanted = true;
    this.#isStopped = false;
    this.#run ??= this.#sweep();
  }

  async #sweep(): Promise<void> {
    try {
      while (this.#isWanted && !this.#isStopped) {
        this.#isWanted = false;
        while (!this.#isStopped && (await this.#slice()));
      }
    } catch (error) {
      this.#onError(error);
    } finally {
      this.#run = null;
    }
  }

  /** Stops after the slice that is under way. What is left is found at the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#run;
  }
}
