import { setTimeout as pause } from 'node:timers/promises';
import { Latencies } from '../harness/latencies.ts';
import type { Client, Operation } from './client.ts';

/** What a load came to within a window of time. */
export interface Sample {
  readonly served: number;
  readonly refused: number;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Milliseconds of processor time that clients in a process of their own took. */
  readonly clientsCpuMs?: number;
}

/** Orders of a process that makes load. */
export interface LoadOrders {
  /** Begins: so many requests are outstanding at any time. */
  startLoop(operation: Operation, outstanding: number): void;
  /** Counts for so many milliseconds. */
  sample(ms: number): Promise<Sample>;
  /** Resolves when nothing is outstanding any more. */
  stopLoop(): Promise<void>;
}

/** Keys that are written to and read, in turn. */
const keysMax = 1_000;

/** Writes in so many requests of a mixed load. */
const mixedEvery = 10;

/** A load of so many requests outstanding: as one is answered, the next is sent. */
export class ClosedLoop implements LoadOrders {
  readonly #client: Client;
  #operation: Operation = 'write';
  #isOver = true;
  #sent = 0;
  #outstanding = 0;
  #served = 0;
  #refused = 0;
  #latencies = new Latencies();
  #ended: () => void = () => undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  startLoop(operation: Operation, outstanding: number): void {
    this.#operation = operation;
    this.#isOver = false;
    this.#outstanding = outstanding;
    const now = performance.now();
    for (let caller = 0; caller < outstanding; caller++) this.#send(caller, now);
  }

  #send(caller: number, sentAt: number): void {
    this.#sent += 1;
    const key = this.#sent % keysMax;
    const done = (isServed: boolean): void => this.#onDone(caller, sentAt, isServed);
    const operation = this.#operation;
    if (operation === 'write' || (operation === 'mixed' && this.#sent % mixedEvery === 0))
      this.#client.write(key, done, caller);
    else this.#client.read(key, operation === 'mixed' ? 'read' : operation, done, caller);
  }

  #onDone(caller: number, sentAt: number, isServed: boolean): void {
    const now = performance.now();
    if (isServed) {
      this.#served += 1;
      this.#latencies.add(now - sentAt);
    } else this.#refused += 1;
    if (!this.#isOver) return this.#send(caller, now);
    this.#outstanding -= 1;
    if (this.#outstanding === 0) this.#ended();
  }

  async sample(ms: number): Promise<Sample> {
    this.#served = 0;
    this.#refused = 0;
    this.#latencies = new Latencies();
    const startedAt = performance.now();
    await pause(ms);
    const seconds = (performance.now() - startedAt) / 1000;
    return {
      served: this.#served,
      refused: this.#refused,
      perSecond: this.#served / seconds,
      p50Ms: this.#latencies.percentile(50),
      p99Ms: this.#latencies.percentile(99),
    };
  }

  stopLoop(): Promise<void> {
    if (this.#outstanding === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#ended = resolve;
      this.#isOver = true;
    });
  }
}
