import { decodePayload } from '../core/index.ts';
import type { ReadFrame } from './client/protocol.ts';
import type { Answering } from './client-work.ts';

/** Whom a {@link ClientBacklog} is answered to. */
export interface BacklogClient {
  /** Nobody is there to hear an answer. */
  readonly isGone: boolean;
  /** Whether an answer may be encoded. */
  readonly hasRoom: boolean;
}

/** What a {@link ClientBacklog} needs of the endpoint. */
export interface BacklogHost {
  readonly limits: { readonly bufferedBytesMax: number };
  /** About the size of the largest answers lately, of all clients; a large guess until there were some. */
  answerBytes: number;
  /** Asks the node one query. */
  read(id: number, query: Uint8Array, frame: ReadFrame, to: Answering): void;
}

/** Queries of one frame, and how many of them the node has been asked. */
interface Reading {
  readonly frame: ReadFrame;
  readonly queries: readonly Uint8Array[];
  readonly to: Answering;
  asked: number;
}

/** Queries of one client that are asked at once, however large the answers are. */
export const readsMin = 16;
/** The size of an answer at least. */
const answerBytesMin = 128;
/** What the memory of a large answer loses with each smaller one. */
const answerBytesDecay = 0.95;

/**
 * What waits until one client has room for more: answers that are not encoded yet, and queries that the node has not been
 * asked. As many are asked at once as there is room for answers like those of lately.
 */
export class ClientBacklog {
  readonly #client: BacklogClient;
  readonly #host: BacklogHost;
  #answers: (() => void)[] = [];
  #readings: Reading[] = [];
  #readsUnderWay = 0;

  constructor(client: BacklogClient, host: BacklogHost) {
    this.#client = client;
    this.#host = host;
  }

  /** Takes queries. They are asked with {@link ClientBacklog.goOn}. */
  addReads(frame: ReadFrame, to: Answering): void {
    this.#readings.push({ frame, queries: decodePayload(frame.payload), to, asked: 0 });
  }

  /** Takes what encodes an answer. It is called with {@link ClientBacklog.goOn}. */
  addAnswer(answer: () => void): void {
    this.#answers.push(answer);
  }

  /** A query has its answer, of so many bytes. */
  onAnswered(byteLength: number): void {
    const host = this.#host;
    this.#readsUnderWay -= 1;
    host.answerBytes = Math.max(answerBytesMin, byteLength, host.answerBytes * answerBytesDecay);
  }

  /** A query gets no answer. */
  onRefused(): void {
    this.#readsUnderWay -= 1;
  }

  /** There may be room: answers first, and then queries. */
  goOn(): void {
    if (this.#answers.length === 0 && this.#readings.length === 0) return;
    this.#answer();
    if (this.#client.hasRoom) this.#ask();
  }

  #answer(): void {
    let count = 0;
    while (count < this.#answers.length && this.#client.hasRoom) this.#answers[count++]?.();
    if (count > 0) this.#answers = this.#answers.slice(count);
  }

  #ask(): void {
    const host = this.#host;
    const readsMax = Math.max(readsMin, host.limits.bufferedBytesMax / host.answerBytes);
    for (let reading = this.#readings[0]; reading !== undefined; reading = this.#readings[0]) {
      const { frame, queries, to } = reading;
      for (; reading.asked < queries.length; reading.asked++) {
        if (this.#client.isGone) return;
        if (this.#readsUnderWay >= readsMax) return;
        this.#readsUnderWay += 1;
        host.read(frame.firstId + reading.asked, queries[reading.asked] as Uint8Array, frame, to);
      }
      this.#readings.shift();
    }
  }

  /** The client is gone: no more is asked, and who encodes an answer finds that out. */
  drop(): void {
    for (const { queries, asked, to } of this.#readings) to.drop(queries.length - asked);
    this.#readings = [];
    for (const answer of this.#answers) answer();
    this.#answers = [];
  }
}
