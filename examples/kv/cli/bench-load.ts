import { setTimeout as pause } from 'node:timers/promises';
import { type ClientError, type RaftClient, raftClient } from 'rxraft/client';
import { ClientWebSocket } from 'rxraft/transport';
import { clientPath } from '../client-port.ts';
import { type KvCommand, kvCommandCodec } from '../kv-command.ts';
import type { KvAnswer, KvQuery } from '../kv-machine.ts';
import { kvAnswerCodec, kvQueryCodec } from '../kv-query.ts';
import { type KvExecuted, kvExecutedCodec } from '../kv-result.ts';
import { Latencies } from './latencies.ts';

/** A client of the key-value server. */
export type KvClient = RaftClient<KvCommand, KvExecuted, KvQuery, KvAnswer>;

/** What a measurement puts on a cluster. */
export interface Load {
  /** Connections, each of a client with a session of its own. */
  readonly connections: number;
  /** Requests under way at once, over all connections. */
  readonly outstanding: number;
  /** Bytes of a value. */
  readonly bytes: number;
  /** The part of requests that are linearizable reads, in per cent. */
  readonly reads: number;
  readonly timeoutMs: number;
  /** Whether writes go through a session, and are applied once. */
  readonly hasSession: boolean;
}

/** The keys that are written and read; they are removed again. */
const keyCount = 1_000;
const keys = Array.from({ length: keyCount }, (_, at) => Buffer.from(`rxraft-bench/${at}`));
/** After a refusal, so that a cluster that is overloaded is not asked as fast as it can refuse. */
const retryMs = 10;

/** What came of requests. */
export class Counts {
  readonly latencies = new Latencies();
  writes = 0;
  reads = 0;
  readonly outcomes = { notCommitted: 0, unknown: 0 };
  readonly codes = new Map<string, number>();
  readonly #startedMs = performance.now();
  #endedMs: number | null = null;

  /** How long it has been counted, or was. */
  get seconds(): number {
    return ((this.#endedMs ?? performance.now()) - this.#startedMs) / 1_000;
  }

  get answered(): number {
    return this.writes + this.reads;
  }

  end(): this {
    this.#endedMs = performance.now();
    return this;
  }

  refused({ code, outcome }: ClientError): void {
    this.outcomes[outcome] += 1;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }
}

/** Clients of a cluster that keep so many requests under way, until they are told to stop. */
export class BenchLoad {
  /** Everything since `measure`. */
  total = new Counts();
  /** The same since the last look. */
  recent = new Counts();
  readonly clients: readonly KvClient[];
  readonly #load: Load;
  readonly #value: Uint8Array;
  #isStopped = false;

  constructor(urls: readonly string[], load: Load) {
    this.#load = load;
    this.#value = Buffer.alloc(load.bytes, 'x');
    this.clients = Array.from({ length: load.connections }, () => clientOf(urls, load));
  }

  /** Resolves once every client has written; rejects with the first that could not. */
  async ready(): Promise<void> {
    await Promise.all(this.clients.map((client, at) => this.#write(client, at)));
  }

  /** Puts the load on. Resolves after `stop`, when everything is answered. */
  async run(): Promise<void> {
    const { outstanding } = this.#load;
    await Promise.all(Array.from({ length: outstanding }, (_, at) => this.#work(at)));
  }

  /** Counts from now on. */
  measure(): void {
    this.total = new Counts();
    this.recent = new Counts();
  }

  /** What has been counted since the last look. */
  look(): Counts {
    const { recent } = this;
    this.recent = new Counts();
    return recent.end();
  }

  /** Begins no further request. Returns what has been counted; answers that are still to come are not. */
  stop(): Counts {
    this.#isStopped = true;
    const { total } = this;
    this.total = new Counts();
    return total.end();
  }

  /** Removes the keys, and closes the clients. */
  async close(): Promise<void> {
    const ops = keys.map((key) => ({ type: 'delete', key }) as const);
    const [client] = this.clients;
    await client?.write({ type: 'batch', ops }).catch(() => undefined);
    await Promise.all(this.clients.map((each) => each.close()));
  }

  async #work(at: number): Promise<void> {
    const client = this.clients[at % this.clients.length] as KvClient;
    for (let turn = at; !this.#isStopped; turn++) await this.#one(client, turn);
  }

  async #one(client: KvClient, turn: number): Promise<void> {
    const startedMs = performance.now();
    const isRead = Math.random() * 100 < this.#load.reads;
    try {
      if (isRead) await client.read({ type: 'get', key: keyOf(turn) });
      else await this.#write(client, turn);
      this.#count(performance.now() - startedMs, isRead);
    } catch (error) {
      this.total.refused(error as ClientError);
      this.recent.refused(error as ClientError);
      await pause(retryMs);
    }
  }

  #write(client: KvClient, turn: number): Promise<unknown> {
    return client.write({ type: 'put', key: keyOf(turn), value: this.#value });
  }

  #count(ms: number, isRead: boolean): void {
    for (const counts of [this.total, this.recent]) {
      counts.latencies.add(ms);
      if (isRead) counts.reads += 1;
      else counts.writes += 1;
    }
  }
}

function keyOf(turn: number): Uint8Array {
  return keys[turn % keyCount] as Uint8Array;
}

function clientOf(urls: readonly string[], { timeoutMs, hasSession }: Load): KvClient {
  return raftClient({
    urls: urls.map((url) => `${url.replace(/^http/, 'ws')}${clientPath}`),
    command: kvCommandCodec,
    result: kvExecutedCodec,
    query: kvQueryCodec,
    answer: kvAnswerCodec,
    session: hasSession,
    timeoutMs,
    WebSocket: ClientWebSocket,
  });
}
