import { encodePayload } from '../core/index.ts';
import { type ClientFrame, type RefusedFrame, requestsPerFrameMax } from './client/protocol.ts';

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

/** Bytes of a refusal besides its code and its message, about. */
const refusalHeadBytes = 64;

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

  /** Takes a refusal; those of requests that follow each other, for one reason, share a frame. */
  refuse(frame: RefusedFrame): void {
    const last = this.#frames.at(-1);
    if (last?.type === 'refused' && isContinuedBy(last, frame))
      this.#frames[this.#frames.length - 1] = { ...last, count: last.count + frame.count };
    else this.push(frame, refusalHeadBytes + frame.code.length + frame.message.length);
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
    group.bytes += bytes.length;
    this.bytes += bytes.length;
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

function isContinuedBy(last: RefusedFrame, next: RefusedFrame): boolean {
  const isNext = next.firstId === last.firstId + last.count;
  const isLike = next.code === last.code && next.message === last.message && next.outcome === last.outcome;
  return (
    isNext && isLike && next.leaderId === last.leaderId && last.count + next.count <= requestsPerFrameMax
  );
}

function frameOf({ index, ageMs, ids, answers }: AnswerGroup): ClientFrame {
  return { type: 'answered', index, ageMs, ids, payload: encodePayload(answers) };
}
