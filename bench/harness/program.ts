import { type ChildProcess, spawn } from 'node:child_process';
import { atExit } from './at-exit.ts';

/** A program in a process of its own, which ends with ours. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;

  /** Starts it. What it prints is thrown away, unless it ends before it is killed: then it goes to stderr. */
  static start(file: string, args: readonly string[]): Program {
    return new Program(file, args);
  }

  private constructor(file: string, args: readonly string[]) {
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = `${said}${text}`.slice(-4000);
      });
    const takeBack = atExit(() => void child.kill('SIGKILL'));
    this.#child = child;
    this.#ended = new Promise((resolve) => {
      child.once('close', (_, signal) => {
        takeBack();
        if (signal !== 'SIGKILL') console.error(`${file} has ended:\n${said}`);
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }
}
