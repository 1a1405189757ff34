import { setTimeout as pause } from 'node:timers/promises';
import type { Dice } from '../../src/testing/dice.ts';
import type { RegisterOperation } from '../../src/testing/index.ts';
import type { KeyPool } from './key-pool.ts';
import type { KeyRecord, KvOutcome } from './key-record.ts';
import { openSession, request, staleRead } from './kv-request.ts';
import type { Slot } from './slot.ts';
import type { Tally } from './tally.ts';

/** A request of a session is sent again until its outcome is known, for so long. */
const retryMsMax = 10_000;
const retryPauseMs = 50;
/** After what was not carried out: the server is down, or has no leader. */
const restMs = 100;

/** What a client works with. */
export interface ClientOptions {
  readonly name: string;
  readonly slots: readonly Slot[];
  /** Which of them it asks first. */
  readonly home: number;
  readonly dice: Dice;
  readonly tally: Tally;
  readonly thinkMsMax: number;
}

/** Does one thing after the other, and writes down what it saw. */
export class Client {
  readonly #options: ClientOptions;
  #tokens = 0;
  #session: number | null = null;
  #sequence = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
  }

  /** Works until the signal; what it has begun by then it ends. */
  async work(keys: KeyPool, stopping: AbortSignal): Promise<void> {
    const { dice, thinkMsMax } = this.#options;
    while (!stopping.aborted) {
      const isDone = await this.#doOne(keys.pick());
      await pause(dice.below(thinkMsMax + 1) + (isDone ? 0 : restMs));
    }
  }

  /** Whether it was carried out. */
  async #doOne(key: KeyRecord): Promise<boolean> {
    const { dice } = this.#options;
    if (dice.chance(10)) return this.#readStale(key);
    const operation = this.#draw(key);
    const inSession = operation.type === 'append' && dice.chance(60);
    return this.#record(key, operation, () =>
      inSession ? this.#askInSession(key, operation) : this.#ask(key, operation),
    );
  }

  #draw(key: KeyRecord): RegisterOperation {
    const { dice, name } = this.#options;
    const value = `${name}.${++this.#tokens};`;
    const kinds =
      key.kind === 'list'
        ? (['get', 'append', 'append'] as const)
        : (['get', 'get', 'put', 'append', 'cas', 'cas', 'delete'] as const);
    const type = dice.pick<RegisterOperation['type']>(kinds);
    switch (type) {
      case 'get':
      case 'delete':
        return { type };
      case 'cas':
        return { type, expect: key.lastSeen, value };
      default:
        return { type, value };
    }
  }

  async #record(
    key: KeyRecord,
    operation: RegisterOperation,
    work: () => Promise<KvOutcome>,
  ): Promise<boolean> {
    const invokedAt = performance.now();
    const outcome = await work();
    const returnedAt = performance.now();
    const isUnanswered = operation.type === 'get' && outcome.type === 'unknown'; // It changed nothing.
    this.#options.tally.operation(operation.type, isUnanswered ? 'unanswered' : outcome.type);
    key.add({ process: this.#options.name, operation, invokedAt, returnedAt, outcome });
    return outcome.type === 'ok';
  }

  async #readStale(key: KeyRecord): Promise<boolean> {
    const { slots, dice, tally } = this.#options;
    const { url, node } = dice.pick(slots);
    const value = await staleRead(url, key.name);
    tally.operation('stale get', value === undefined ? 'unanswered' : 'ok');
    if (value !== undefined) key.staleReads.push({ value, at: performance.now(), node: node.id });
    return value !== undefined;
  }

  async #ask(key: KeyRecord, operation: RegisterOperation, stamp?: string): Promise<KvOutcome> {
    const stamped = stamp === undefined ? {} : { stamp };
    const { outcome, code } = await request(this.#url, { key: key.name, operation, ...stamped });
    this.#options.tally.answer(code);
    return outcome;
  }

  /** The same request again and again until somebody says what came of it: it must be carried out once at most. */
  async #askInSession(key: KeyRecord, operation: RegisterOperation): Promise<KvOutcome> {
    this.#session ??= await openSession(this.#url);
    if (this.#session === null) return { type: 'notCommitted' }; // It was not sent.
    const stamp = `${this.#session}-${++this.#sequence}`;
    const deadline = performance.now() + retryMsMax;
    let isUnknown = false;
    for (;;) {
      const outcome = await this.#ask(key, operation, stamp);
      if (outcome.type === 'ok') return outcome;
      isUnknown ||= outcome.type === 'unknown';
      if (performance.now() > deadline) return { type: isUnknown ? 'unknown' : 'notCommitted' };
      this.#options.tally.retried();
      await pause(retryPauseMs);
    }
  }

  /** Mostly the same server, and any now and then. */
  get #url(): string {
    const { slots, home, dice } = this.#options;
    const slot = dice.chance(70) ? slots[home % slots.length] : dice.pick(slots);
    return (slot as Slot).url;
  }
}
