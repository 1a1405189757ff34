import { setTimeout as pause } from 'node:timers/promises';
import { ask } from './http.ts';
import type { ServerNode } from './server-node.ts';

const retryMs = 5;

/** How a {@link Load} is put on. */
export interface LoadOptions {
  readonly nodes: readonly ServerNode[];
  readonly prefix: string;
  readonly count: number;
  readonly outstanding: number;
}

/**
 * Keys being written by clients that go on with the next node when one fails them.
 *
 * Each key is written by one client, with one value, until it is acknowledged. So it does no harm to write it
 * again after an answer that leaves open what happened.
 */
export class Load {
  /** What was acknowledged, key and value. */
  readonly acknowledged = new Map<string, string>();
  /** Answers that said `notCommitted`, answers that said `unknown`, and connections that failed. */
  readonly refusals = { notCommitted: 0, unknown: 0, unreachable: 0 };
  /** The highest index that was acknowledged. */
  lastIndex = 0;
  /** Ends when every key is acknowledged, or soon after `stop`. Rejects on an answer that is no such thing. */
  readonly ended: Promise<void>;
  private readonly options: LoadOptions;
  private next = 0;
  private isStopped = false;

  constructor(options: LoadOptions) {
    this.options = options;
    this.ended = Promise.all(Array.from({ length: options.outstanding }, (_, at) => this.work(at))).then();
    this.ended.catch(() => undefined); // Whoever waits for it hears of it.
  }

  /** Begins no further attempt. */
  stop(): void {
    this.isStopped = true;
  }

  /** Resolves when so many keys are acknowledged, or rejects with what ended the load before. */
  async reaches(count: number): Promise<void> {
    while (this.acknowledged.size < count) {
      await Promise.race([pause(10), this.ended.then(() => this.endedEarly(count))]);
    }
  }

  private endedEarly(count: number): void {
    const { size } = this.acknowledged;
    if (size < count) throw new Error(`the load ended with ${size} of ${count} keys acknowledged`);
  }

  private async work(client: number): Promise<void> {
    const { prefix, count } = this.options;
    while (this.next < count && !this.isStopped) {
      const key = `${prefix}${String(this.next++).padStart(6, '0')}`;
      await this.put(key, { value: `${key} by client ${client}`, client });
    }
  }

  private async put(key: string, { value, client }: { value: string; client: number }): Promise<void> {
    const { nodes } = this.options;
    for (let attempt = client; !this.isStopped; attempt++) {
      const node = nodes[attempt % nodes.length] as ServerNode;
      const answer = await ask(node.url, `PUT /kv/${key}`, { body: value }).catch(() => null);
      if (answer?.status === 200) {
        this.acknowledged.set(key, value);
        this.lastIndex = Math.max(this.lastIndex, (answer.json as { index: number }).index);
        return;
      }
      if (answer === null) this.refusals.unreachable++;
      else if (answer.status === 503) this.refusals[answer.error.outcome]++;
      else throw new Error(`PUT /kv/${key} on ${node.id} answers ${answer.status}: ${answer.text}`);
      await pause(retryMs);
    }
  }
}

/** Entries of `expected` that are not in `found`. */
export function missing(
  expected: ReadonlyMap<string, string>,
  found: ReadonlyMap<string, string>,
): readonly string[] {
  return [...expected].filter(([key, value]) => found.get(key) !== value).map(([key]) => key);
}
