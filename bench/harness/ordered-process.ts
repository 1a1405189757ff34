import { type ChildProcess, fork } from 'node:child_process';
import { atExit } from './at-exit.ts';

/** An order on its way. */
export interface OrderMessage {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

/** What became of an order. */
export interface OrderReply {
  readonly id: number;
  readonly value?: unknown;
  readonly problem?: string;
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A process that carries out orders, from the side of the one that gives them. */
export class OrderedProcess<Orders extends object, Options> {
  readonly id: string;
  readonly #script: URL;
  readonly #options: Options;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #lastId = 0;

  /** @param script - what it runs; the options are the first message that it gets. */
  constructor(id: string, script: URL, options: Options) {
    this.id = id;
    this.#script = script;
    this.#options = options;
  }

  /** The process's number; 0 before it has been started. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Resolves when it is ready. What it prints goes to stderr: stdout is for reports. */
  async start(): Promise<void> {
    const child = fork(this.#script, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] });
    this.#child = child;
    const takeBack = atExit(() => void child.kill('SIGKILL'));
    child.on('message', (reply: OrderReply) => this.#onReply(reply));
    child.once('exit', (code, signal) => {
      takeBack();
      for (const { reject } of this.#waiting.values())
        reject(new Error(`the process of ${this.id} ended with ${code ?? signal}`));
      this.#waiting.clear();
    });
    const started = new Promise((resolve, reject) => this.#waiting.set(0, { resolve, reject }));
    child.send(this.#options as object);
    await started;
  }

  #onReply({ id, value, problem }: OrderReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (problem === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.id}: ${problem}`));
  }

  /** Has it carry out an order. */
  do<Name extends keyof Orders & string>(
    name: Name,
    ...args: Orders[Name] extends (...given: infer Given) => unknown ? Given : never
  ): Promise<Orders[Name] extends (...given: never[]) => infer Value ? Awaited<Value> : never> {
    this.#lastId += 1;
    const message: OrderMessage = { id: this.#lastId, name, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, { resolve: resolve as (value: unknown) => void, reject });
      this.#child?.send(message);
    });
  }

  /** Ends it at once. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}
