import { backoffMs } from '../backoff.ts';
import { type Random, seededRandom } from '../random.ts';
import { openSessionBytes } from '../session-codec.ts';
import type { CallQueue } from './call-queue.ts';
import { type AnyCall, OpenCall, outcomeOf, type ReadCall, type WriteCall } from './calls.ts';
import { type ClientError, clientError } from './errors.ts';
import type { Link } from './link.ts';
import type { ClientSettings } from './options.ts';
import { type ClientFrame, requestsPerFrameMax, type Welcome } from './protocol.ts';
import { commandBytes, commandPayload, framedCount, queryPayload, type Wrapping } from './request-frames.ts';
import { SessionWindow } from './session-window.ts';

/** Bytes of a message of one frame besides the frame's payload, generously. */
const headBytes = 64;
/** The part of the time left that a server gets: it knows more about why time is over, and should say it first. */
const serverPart = 0.95;

/** Puts the requests that wait into frames, as far as server, network and session have room for them. */
export class Sending {
  readonly #queue: CallQueue;
  readonly #settings: ClientSettings;
  #session: SessionWindow | null = null;
  #opening: OpenCall | null = null;
  /** How often in a row no server had room for a session. */
  #openRefusals = 0;
  #opensAtMs = Number.NEGATIVE_INFINITY;
  readonly #random: Random;

  constructor(queue: CallQueue, settings: ClientSettings) {
    this.#queue = queue;
    this.#settings = settings;
    this.#random = seededRandom(settings.seed);
  }

  /** From when on a session may be opened, after one was not. */
  get opensAtMs(): number {
    return this.#opensAtMs;
  }

  /** Sends one message with all that can go now. */
  flush(link: Link): void {
    const { welcome } = link;
    const isBlocked = link.bufferedBytes > this.#settings.limits.bufferedBytesMax;
    if (welcome === null || isBlocked) return;
    const { writes, reads } = this.#queue;
    const frames = writes.length === 0 ? [] : this.#writeFrames(link, welcome);
    if (reads.length > 0) frames.push(...this.#readFrames(link, welcome));
    if (frames.length > 0) link.send(frames);
  }

  #writeFrames(link: Link, welcome: Welcome): ClientFrame[] {
    const isOnce = this.#settings.wantsSession && welcome.hasSessions;
    if (isOnce && this.#session === null) return this.#openFrames(link);
    const calls =
      this.#session === null ? this.#queue.takeWrites(link.room) : this.#takeNumbered(link, this.#session);
    const wrapping = this.#wrapping(welcome);
    const bytesMax = welcome.frameBytesMax - headBytes;
    const bytesOf = (call: WriteCall): number => commandBytes(call, wrapping);
    return this.#framesOf(calls, { bytesMax, bytesOf }, (part, timeoutMs) => {
      const payload = commandPayload(part, wrapping);
      return { type: 'write', firstId: link.take(part), timeoutMs, count: part.length, payload };
    });
  }

  #wrapping({ hasSessions }: Welcome): Wrapping {
    if (!hasSessions) return { type: 'none' };
    if (this.#session === null) return { type: 'plain' };
    const { id: session, lowestUnanswered } = this.#session;
    return { type: 'once', session, lowestUnanswered };
  }

  /** Takes what the session has room for; what goes once more keeps its number. */
  #takeNumbered(link: Link, session: SessionWindow): WriteCall[] {
    const { writes } = this.#queue;
    let room = session.room;
    let count = 0;
    for (; count < writes.length && count < link.room; count++) {
      const { isDone, sequence } = writes[count] as WriteCall;
      if (isDone || sequence > 0) continue;
      if (room === 0) break;
      room -= 1;
    }
    const calls = this.#queue.takeWrites(count);
    for (const call of calls) if (call.sequence === 0) session.number(call);
    return calls;
  }

  #readFrames(link: Link, welcome: Welcome): ClientFrame[] {
    const bytesMax = welcome.frameBytesMax - headBytes;
    const frames: ClientFrame[] = [];
    for (const alike of runsAlike(this.#queue.takeReads(link.room))) {
      const { consistency, index } = alike[0] as ReadCall;
      const bytesOf = (read: ReadCall): number => 4 + read.bytes.length;
      const framesOfRun = this.#framesOf(alike, { bytesMax, bytesOf }, (part, timeoutMs) => {
        const payload = queryPayload(part);
        const firstId = link.take(part);
        return { type: 'read', firstId, timeoutMs, consistency, index, count: part.length, payload };
      });
      frames.push(...framesOfRun);
    }
    return frames;
  }

  /** Frames of as many requests as fit into each. One that fits into none is refused. */
  #framesOf<Call extends WriteCall | ReadCall>(
    calls: readonly Call[],
    { bytesMax, bytesOf }: { readonly bytesMax: number; readonly bytesOf: (call: Call) => number },
    frameOf: (part: readonly Call[], timeoutMs: number) => ClientFrame,
  ): ClientFrame[] {
    const frames: ClientFrame[] = [];
    const now = this.#settings.clock();
    for (let from = 0; from < calls.length; ) {
      const first = calls[from] as Call;
      const count = framedCount(calls, { from, countMax: requestsPerFrameMax, bytesMax, bytesOf });
      const part = count === calls.length ? calls : calls.slice(from, from + count);
      from += count;
      const bytes = bytesOf(first);
      if (bytes > bytesMax) this.#queue.reject(first, tooLarge(first, { bytes, bytesMax }));
      else frames.push(frameOf(part, remainingMs(part, now)));
    }
    return frames;
  }

  #openFrames(link: Link): ClientFrame[] {
    if (this.#opening !== null || link.room < 1) return [];
    const now = this.#settings.clock();
    if (now < this.#opensAtMs) return [];
    const deadlineMs = now + this.#settings.timeoutMs;
    this.#opening = new OpenCall(openSessionBytes, { deadlineMs, order: 0 });
    const payload = Uint8Array.of(0, 0, 0, openSessionBytes.length, ...openSessionBytes);
    const calls = [this.#opening];
    return [
      { type: 'write', firstId: link.take(calls), timeoutMs: remainingMs(calls, now), count: 1, payload },
    ];
  }

  /** The session is open, and commands go through it. */
  onOpened(session: number): void {
    this.#opening = null;
    this.#openRefusals = 0;
    this.#session = new SessionWindow(session, this.#settings.limits.sessionRequestsMax);
  }

  /** Nothing will be heard of the session that was asked for: it is tried again with the next connection. */
  onOpenLost(call: OpenCall): void {
    if (call === this.#opening) this.#opening = null;
  }

  /**
   * The session was not opened, as far as is known: it is tried again after a moment, since a server that is asked at once
   * refuses as often as the network allows; and after longer and longer ones where it was `refused` as such.
   */
  onOpenFailed(call: OpenCall, why: 'elsewhere' | 'refused'): void {
    if (call !== this.#opening) return;
    this.#opening = null;
    if (why === 'refused') this.#openRefusals += 1;
    const { limits, clock } = this.#settings;
    const failures = 1 + Math.max(1, this.#openRefusals);
    this.#opensAtMs = clock() + Math.max(1, backoffMs(failures, limits, this.#random));
  }

  /** The session has expired. What it may have carried out is told by `expired`; the rest goes into another one. */
  forget(id: number, expired: (call: WriteCall) => ClientError): void {
    if (id !== this.#session?.id) return;
    this.#session = null;
    for (const call of [...this.#queue.writes, ...this.#queue.held]) {
      if (call.type !== 'write') continue;
      if (call.session !== id || call.sequence === 0) continue;
      if (call.mayBeDone) this.#queue.reject(call, expired(call));
      else call.sequence = 0;
    }
  }

  /** A caller has an answer: its command is not sent again. */
  onDone(call: WriteCall | ReadCall): void {
    if (call.type === 'write' && call.sequence > 0 && call.session === this.#session?.id)
      this.#session.settle(call.sequence);
  }
}

/** Reads one after the other that promise the same. */
function runsAlike(reads: readonly ReadCall[]): readonly ReadCall[][] {
  const runs: ReadCall[][] = [];
  for (const read of reads) {
    const run = runs.at(-1);
    const isLike = run?.[0]?.consistency === read.consistency && run[0].index === read.index;
    if (run !== undefined && isLike) run.push(read);
    else runs.push([read]);
  }
  return runs;
}

/** How long the last of these callers goes on waiting: what a server is told, in whole milliseconds. */
function remainingMs(calls: readonly AnyCall[], now: number): number {
  let latestMs = now;
  for (const { deadlineMs } of calls) if (deadlineMs > latestMs) latestMs = deadlineMs;
  return Math.max(1, Math.min(0xffff_ffff, Math.floor((latestMs - now) * serverPart)));
}

function tooLarge(
  call: WriteCall | ReadCall,
  { bytes, bytesMax }: { readonly bytes: number; readonly bytesMax: number },
): ClientError {
  const what = `The request has ${bytes} bytes, and the server takes ${bytesMax}.`;
  return clientError('RAFT_COMMAND_TOO_LARGE', outcomeOf(call), what);
}
