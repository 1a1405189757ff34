import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { atExit } from '../harness/at-exit.ts';
import { until } from '../harness/until.ts';
import type { BenchNodeOptions, OrderMessage, OrderReply, Orders } from './orders.ts';

const script = fileURLToPath(new URL('bench-node.js', import.meta.url));

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

/** A process with a node in it, from this side. */
export class NodeProcess {
  readonly id: string;
  readonly #options: BenchNodeOptions;
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcess | null = null;
  #lastId = 0;

  constructor(options: BenchNodeOptions) {
    this.id = options.id;
    this.#options = options;
  }

  /** Resolves when its node has opened its store and listens. */
  async start(): Promise<void> {
    const child = fork(script, { serialization: 'advanced' });
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
    child.send(this.#options);
    await started;
  }

  #onReply({ id, value, problem }: OrderReply): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (problem === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.id}: ${problem}`));
  }

  /** Has it carry out an order. */
  do<Name extends keyof Orders>(
    name: Name,
    ...args: Parameters<Orders[Name]>
  ): Promise<Awaited<ReturnType<Orders[Name]>>> {
    this.#lastId += 1;
    const message: OrderMessage = { id: this.#lastId, name, args };
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.id, {
        resolve: (value) => resolve(value as Awaited<ReturnType<Orders[Name]>>),
        reject,
      });
      this.#child?.send(message);
    });
  }

  /** Closes its node, and ends it. */
  async stop(): Promise<void> {
    const child = this.#child;
    await this.do('close');
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.kill('SIGKILL');
    await ended;
  }
}

/** Waits until the first of them leads and all have applied the same; hands leadership to it if need be. */
export async function leads(first: NodeProcess, all: readonly NodeProcess[]): Promise<void> {
  await until(`${first.id} leads`, async () => {
    const statuses = await Promise.all(all.map((node) => node.do('status')));
    const at = statuses.findIndex(({ role }) => role === 'leader');
    const isEven = new Set(statuses.map(({ lastApplied }) => lastApplied)).size === 1;
    if (at < 0 || !isEven || statuses.some(({ leaderId }) => leaderId !== statuses[at]?.id)) return false;
    if (all[at] === first) return true;
    await all[at]?.do('transfer', first.id);
    return false;
  });
}
