import { appendFileSync } from 'node:fs';
import type { End, NodePlace } from '../integration/harness/server-node.ts';
import { ServerNode } from '../integration/harness/server-node.ts';

/** Words in a log that no fault outside may bring about. */
const alarms = ["refused what can't be", 'an error that nobody caught'];

/** What a node reports to whoever watches it. */
export interface NodeWatch {
  /** A file that takes its log. */
  readonly logFile: string;
  onProblem(problem: string): void;
}

/** A node whose end is a problem unless somebody has caused it. */
export class ChaosNode extends ServerNode {
  /** Whether its process may end: it was asked to, or its disk fails. */
  mayEnd = false;
  readonly #watch: NodeWatch;
  #said = '';

  constructor(place: NodePlace, watch: NodeWatch) {
    super(place);
    this.#watch = watch;
  }

  /** What it said of late. */
  override get log(): string {
    return this.#said;
  }

  /** Forgets what it said, so that `log` is about what comes next. */
  forgetLog(): void {
    this.#said = '';
  }

  override start(...args: readonly string[]): void {
    this.mayEnd = false;
    super.start(...args);
    void this.ended.then((end) => this.#onEnd(end));
  }

  override async kill(): Promise<void> {
    this.mayEnd = true;
    await super.kill();
  }

  override stop(name: NodeJS.Signals = 'SIGTERM'): Promise<End> {
    this.mayEnd = true;
    return super.stop(name);
  }

  protected override hear(text: string): void {
    const alarm = this.mayEnd ? undefined : alarmIn(text, this.#said);
    this.#said = `${this.#said}${text}`.slice(-32_000);
    appendFileSync(this.#watch.logFile, text);
    if (alarm !== undefined) this.#watch.onProblem(`${this.id} says: ${this.#said.slice(-2_000).trim()}`);
  }

  #onEnd({ code, signal }: End): void {
    if (this.mayEnd) return;
    this.#watch.onProblem(
      `the process of ${this.id} ended with ${code ?? signal}, and nobody had touched it`,
    );
  }
}

/** The alarm that ends in this text. What is said comes in pieces, so it may have begun in what was said before. */
function alarmIn(text: string, before: string): string | undefined {
  return alarms.find((words) => `${before.slice(1 - words.length)}${text}`.includes(words));
}
