import type { ReadFrame, RefusedFrame, WriteFrame, WrittenFrame } from './client/protocol.ts';
import type { EncodedAnswer } from './client-outbox.ts';
import type { Answering } from './client-work.ts';

/** A connection as it is told what is answered, and for how many bytes of requests that counts. */
export interface AnsweredConnection {
  readonly isGone: boolean;
  readonly goneSignal: AbortSignal;
  readonly hasRoom: boolean;
  whenRoom(answer: () => void): void;
  written(frame: WrittenFrame, requestBytes: number): void;
  answered(id: number, answer: EncodedAnswer, requestBytes: number): void;
  refused(frame: RefusedFrame, requestBytes: number): void;
  readRefused(frame: RefusedFrame, requestBytes: number): void;
  dropped(count: number, requestBytes: number): void;
}

/**
 * The requests of one frame that have no answer yet. Each gives its part of the frame's bytes back, and the last one
 * the rest: a connection that never falls silent would give nothing back if that waited for all of its requests.
 */
export class FrameAnswers implements Answering {
  readonly #connection: AnsweredConnection;
  #count: number;
  #bytes: number;

  constructor({ count, payload }: WriteFrame | ReadFrame, connection: AnsweredConnection) {
    this.#connection = connection;
    this.#count = count;
    this.#bytes = payload.byteLength;
  }

  get isGone(): boolean {
    return this.#connection.isGone;
  }

  get goneSignal(): AbortSignal {
    return this.#connection.goneSignal;
  }

  get hasRoom(): boolean {
    return this.#connection.hasRoom;
  }

  whenRoom(answer: () => void): void {
    this.#connection.whenRoom(answer);
  }

  written(frame: WrittenFrame): void {
    this.#connection.written(frame, this.#settle(frame.count));
  }

  answered(id: number, answer: EncodedAnswer): void {
    this.#connection.answered(id, answer, this.#settle(1));
  }

  refused(frame: RefusedFrame): void {
    this.#connection.refused(frame, this.#settle(frame.count));
  }

  readRefused(frame: RefusedFrame): void {
    this.#connection.readRefused(frame, this.#settle(1));
  }

  drop(count: number): void {
    this.#connection.dropped(count, this.#settle(count));
  }

  /** So many have no answer to wait for any more; returns their bytes. */
  #settle(count: number): number {
    const bytes = Math.floor((this.#bytes * count) / Math.max(1, this.#count));
    this.#count -= count;
    this.#bytes -= bytes;
    return bytes;
  }
}
