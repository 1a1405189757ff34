import { setTimeout as pause } from 'node:timers/promises';
import type { Body } from '../../../examples/maelstrom/message.ts';
import type { Dice } from './dice.ts';
import type { LinKvOperation, LinKvRecord, LinKvResult } from './lin-kv-history.ts';
import type { MaelstromNetwork } from './maelstrom-network.ts';
import type { MaelstromProcess } from './maelstrom-process.ts';

/** How long a client waits for an answer: longer than a node takes to say that it does not know. */
const timeoutMs = 5_000;

/** Clients of lin-kv, each with one request under way, and the history that they record. */
export class LinKvClients {
  readonly history: LinKvRecord[] = [];
  /** The keys of this moment; a history of many unknown answers to one key takes long to judge. */
  keys: readonly string[] = [];
  /** How often there was each of the answers that there ought to be. `22`: a `cas` that met another value. */
  readonly answers = { read_ok: 0, write_ok: 0, cas_ok: 0, 22: 0 };
  /** And each of the others. */
  readonly others: Record<string, number> = {};
  readonly #network: MaelstromNetwork;
  readonly #dice: Dice;
  /** What somebody has last read or set of each key: a good guess for a `cas`. */
  readonly #lastKnown = new Map<string, number>();
  readonly #clients: Promise<void>[] = [];
  #isStopped = false;
  #lastId = 0;
  #lastValue = 0;

  constructor(network: MaelstromNetwork, dice: Dice) {
    this.#network = network;
    this.#dice = dice;
  }

  start(count: number): void {
    for (let at = 0; at < count; at++) this.#clients.push(this.#work(`c${at + 1}`));
  }

  /** Begins nothing more, and resolves when all is answered. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#clients);
  }

  async #work(name: string): Promise<void> {
    while (!this.#isStopped) {
      const node = this.#dice.pick(this.#network.nodes);
      const key = this.#dice.pick(this.keys);
      if (node.isRunning) await this.ask(node, { name, key, operation: this.#draw(key) });
      await pause(this.#dice.upTo(10));
    }
  }

  #draw(key: string): LinKvOperation {
    const luck = this.#dice.roll();
    if (luck < 0.4) return { type: 'read' };
    const value = ++this.#lastValue;
    if (luck < 0.65) return { type: 'write', value };
    return { type: 'cas', from: this.#lastKnown.get(key) ?? 0, to: value };
  }

  /** Asks for one thing, and records what came of it. */
  async ask(
    node: MaelstromProcess,
    { name, key, operation }: { name: string; key: string; operation: LinKvOperation },
  ): Promise<LinKvResult | null> {
    const invokedAt = performance.now();
    const body = { ...operation, key, msg_id: ++this.#lastId };
    const answer = await this.#network.ask(node, { src: name, body, timeoutMs });
    const outcome = outcomeOf(operation, answer);
    this.#count(answer === null ? 'silence' : String(answer['code'] ?? answer['type']));
    this.history.push({ process: name, key, operation, invokedAt, returnedAt: performance.now(), outcome });
    if (outcome.type !== 'ok') return null;
    const { result } = outcome;
    const value = valueAfter(operation, result);
    if (value !== null) this.#lastKnown.set(key, value);
    return result;
  }

  #count(kind: string): void {
    if (kind in this.answers) this.answers[kind as keyof LinKvClients['answers']] += 1;
    else this.others[kind] = (this.others[kind] ?? 0) + 1;
  }
}

/** The value that a key had when this was answered, or a moment before; `null` if that does not follow. */
function valueAfter(operation: LinKvOperation, result: LinKvResult): number | null {
  if (result.type === 'read') return result.value;
  if (result.type !== 'done' || operation.type === 'read') return null;
  return operation.type === 'write' ? operation.value : operation.to;
}

/** What an answer means, by Maelstrom's table: errors but 0 and 13 promise that nothing happened. */
function outcomeOf({ type }: LinKvOperation, answer: Body | null): LinKvRecord['outcome'] {
  if (answer === null) return { type: type === 'read' ? 'notCommitted' : 'unknown' }; // A read has no effect.
  const { type: answered, code, value } = answer;
  if (answered === 'read_ok') return { type: 'ok', result: { type: 'read', value: value as number } };
  if (answered === `${type}_ok`) return { type: 'ok', result: { type: 'done' } };
  if (code === 20 && type === 'read') return { type: 'ok', result: { type: 'read', value: null } };
  if (code === 20) return { type: 'ok', result: { type: 'missing' } };
  if (code === 22) return { type: 'ok', result: { type: 'differs' } };
  return { type: code === 0 || code === 13 ? 'unknown' : 'notCommitted' };
}
