import { encodePayload } from '../core/index.ts';
import type { ClientFrame } from './client/protocol.ts';

/** The answer to a query. */
export interface EncodedAnswer {
  readonly index: number;
  readonly ageMs: number | null;
  readonly bytes: Uint8Array;
}

/** Answers to queries that reflect one index. */
interface AnswerGroup {
  readonly index: number;
  readonly ageMs: number | null;
  readonly ids: number[];
  readonly answers: Uint8Array[];
  bytes: number;
}

/** Bytes of a message of answers, from which on each frame goes into one of its own. */
const messageBytesMax = 1024 * 1024;

/** What one event-loop turn answers to one client, until it leaves. */
export class ClientOutbox {
  /** Bytes that wait for the end of the turn. */
  bytes = 0;
  #frames: ClientFrame[] = [];
  #answers: AnswerGroup[] = [];

  /** Takes a frame, whose payload has so many bytes. */
  push(frame: ClientFrame, bytes: number): void {
    this.#frames.push(frame);
    this.bytes += bytes;
  }

  /** Takes the answer to a query; those that reflect one index share a frame. */
  answer(id: number, { index, ageMs, bytes }: EncodedAnswer): void {
    const wholeMs = ageMs === null ? null : Math.ceil(ageMs);
    let group = this.#answers.at(-1);
    const isLike = group?.index === index && group.ageMs === wholeMs && group.bytes < messageBytesMax;
    if (group === undefined || !isLike) {
      group = { index, ageMs: wholeMs, ids: [], answers: [], bytes: 0 };
      this.#answers.push(group);
    }
    group.ids.push(id);
    group.answers.push(bytes);
    group.bytes += bytes.byteLength;
    this.bytes += bytes.byteLength;
  }

  /** Gives the frames of each message that is to leave, and forgets them. */
  take(): readonly (readonly ClientFrame[])[] {
    const frames = [...this.#frames, ...this.#answers.map(frameOf)];
    const isShort = this.bytes <= messageBytesMax;
    this.clear();
    if (frames.length === 0) return [];
    return isShort ? [frames] : frames.map((frame) => [frame]);
  }

  /** Forgets everything. */
  clear(): void {
    this.#frames = [];
    this.#answers = [];
    this.bytes = 0;
  }
}

function frameOf({ index, ageMs, ids, answers }: AnswerGroup): ClientFrame {
  return { type: 'answered', index, ageMs, ids, payload: encodePayload(answers) };
}
