import type { Subscription } from 'rxjs';
import { encodePayload, type GroupId, type NodeId, type Peer } from '../core/index.ts';
import { type ForwardReplyFrame, resultsBytesMax } from '../transport/transport.ts';
import { badResult, type RequestError } from './errors.ts';
import { isOf, keyOf } from './peer-key.ts';

type Reply = ForwardReplyFrame['reply'];

/** Results of at most so many bytes leave in one frame, as nearly all do. */
const wholeBytesMax = 512 * 1024;
/** Bytes of others in a frame: few enough that a heartbeat does not wait for long behind one. */
const partBytesMax = 128 * 1024;
/** Milliseconds until the next attempt: twice as many each time that nothing left. */
const waitMsMin = 1;
const waitMsMax = 16;
/** What surrounds results in a frame, generously. */
const frameOverheadBytes = 1024;
/** Answers that are kept for one peer, whatever their size. */
const keptMax = 4096;

/** A request that another node passed on, and where its answer goes. */
export interface Forwarded {
  readonly from: Peer;
  readonly bootCounter: number;
  readonly seq: number;
  /** When its sender gives it up. */
  readonly deadlineMs: number;
}

/** Where the first command of a write stands in the log. */
interface Place {
  readonly index: number;
  readonly term: number;
}

/** An answer that the transport did not take. */
interface Note {
  readonly to: Forwarded;
  readonly reply: Reply;
}

/** Results of a committed write that the transport has not taken yet. */
interface Results extends Place {
  readonly to: Forwarded;
  /** All of them, each with its length in front. */
  readonly bytes: Uint8Array;
  readonly count: number;
  /** So many of these the transport has taken. */
  offset: number;
}

/** What is kept for one peer. */
interface Kept {
  notes: Note[];
  results: Results[];
  /** Of so many of the results, the first ones, the peer has been told that they come. */
  announced: number;
  /** Of all results. */
  bytes: number;
}

/** What {@link OutgoingReplies} work with. */
export interface OutgoingRepliesOptions {
  readonly group: GroupId;
  /** Sends an answer; `false`: it did not leave. */
  readonly reply: (to: Peer, frame: ForwardReplyFrame) => boolean;
  /** The largest frame that ever leaves, in bytes. */
  readonly frameBytesMax: number;
  /** Whether a peer that passed something on is still connected: else there is nobody who waits. */
  readonly isConnected: (peer: Peer) => boolean;
  /** Does something in so many milliseconds. */
  readonly later: (work: () => void, delayMs: number) => Subscription;
}

/**
 * Answers on their way to the nodes that passed requests on. What the transport has no room for is kept, up to a limit for
 * each peer, until there is room or its sender has given the request up. Large results are announced, and then leave in
 * parts, which wait behind everything else: heartbeats do not wait for them.
 */
export class OutgoingReplies {
  readonly #options: OutgoingRepliesOptions;
  readonly #wholeBytesMax: number;
  readonly #partBytesMax: number;
  /** By name and store: nobody waits behind a namesake. */
  readonly #kept = new Map<string, Kept>();
  #looking: Subscription | null = null;
  #waitMs = waitMsMin;
  /** As long as something leaves, the rest may follow soon. */
  readonly #look = (): void => {
    this.#looking = null;
    let count = 0;
    for (const kept of this.#kept.values()) count += this.#sendKept(kept);
    this.#waitMs = count > 0 ? waitMsMin : Math.min(2 * this.#waitMs, waitMsMax);
    this.#lookSoon();
  };

  constructor(options: OutgoingRepliesOptions) {
    this.#options = options;
    const largest = Math.max(1, options.frameBytesMax - frameOverheadBytes);
    this.#wholeBytesMax = Math.min(wholeBytesMax, largest);
    this.#partBytesMax = Math.min(partBytesMax, largest);
  }

  /** Answers a request with what is small. */
  send(to: Forwarded, reply: Reply): void {
    if (this.#send(to, reply)) return;
    if (!this.#mayKeep(to)) return; // Nobody is there, or nobody reads.
    this.#keptFor(to).notes.push({ to, reply });
    this.#lookSoon();
  }

  /** Answers a request that was not carried out, or of which that can't be known. */
  fail(to: Forwarded, error: RequestError): void {
    this.send(to, failureReply(error));
  }

  /** Answers a write that is committed. */
  sendResults(to: Forwarded, { index, term }: Place, results: readonly Uint8Array[]): void {
    let bytes = 0;
    for (const result of results) bytes += 4 + result.length;
    if (bytes <= this.#wholeBytesMax && this.#send(to, { type: 'committed', index, term, results })) return;
    const { id } = to.from;
    const waitingBytes = this.#kept.get(keyOf(to.from))?.bytes ?? 0;
    if (waitingBytes + bytes > resultsBytesMax || !this.#mayKeep(to)) {
      const what = `the writes that left together have ${bytes} bytes of results, ${waitingBytes} more wait to be sent to ${id}, and the limit is ${resultsBytesMax}`;
      return this.fail(to, badResult(index, what, results.length));
    }
    const kept = this.#keptFor(to);
    kept.results.push({ to, index, term, bytes: encodePayload(results), count: results.length, offset: 0 });
    kept.bytes += bytes;
    this.#sendKept(kept);
    this.#lookSoon();
  }

  #mayKeep({ from }: Forwarded): boolean {
    const { notes, results } = this.#kept.get(keyOf(from)) ?? { notes: [], results: [] };
    return notes.length + results.length < keptMax && this.#options.isConnected(from);
  }

  #keptFor({ from }: Forwarded): Kept {
    const key = keyOf(from);
    const kept = this.#kept.get(key) ?? { notes: [], results: [], announced: 0, bytes: 0 };
    this.#kept.set(key, kept);
    return kept;
  }

  #lookSoon(): void {
    for (const [key, { notes, results }] of this.#kept) {
      if (notes.length + results.length === 0) this.#kept.delete(key);
    }
    if (this.#kept.size > 0) this.#looking ??= this.#options.later(this.#look, this.#waitMs);
  }

  /** Gives up what nobody waits for any more. */
  expire(now: number): void {
    for (const kept of this.#kept.values()) giveUpLate(kept, now);
  }

  /** The connection to a peer has closed, and what was on its way may be lost: the results of a write begin anew. */
  onOutgoingDown(id: NodeId): void {
    for (const [key, kept] of this.#kept) {
      if (!isOf(key, id)) continue;
      kept.announced = 0;
      for (const results of kept.results) results.offset = 0;
    }
  }

  /** No connection is open with this peer: it has given up all that it passed on. */
  onDown(id: NodeId): void {
    for (const key of [...this.#kept.keys()]) if (isOf(key, id)) this.#kept.delete(key);
  }

  /** What leaves now, leaves. Of what does not, the peers are told that it is committed. */
  close(): void {
    this.#looking?.unsubscribe();
    for (const kept of this.#kept.values()) {
      this.#sendKept(kept);
      for (const { to, index, count } of kept.results)
        this.#send(to, failureReply(badResult(index, 'the node that had them closed', count)));
    }
    this.#kept.clear();
  }

  /** Sends what there is room for, the small before the large; returns how many frames that were. */
  #sendKept(kept: Kept): number {
    let count = this.#sendNotes(kept);
    if (kept.notes.length === 0) count += this.#announce(kept);
    if (kept.announced === kept.results.length) count += this.#sendParts(kept);
    return count;
  }

  #sendNotes({ notes }: Kept): number {
    let count = 0;
    for (const { to, reply } of notes) {
      if (!this.#send(to, reply)) break;
      count++;
    }
    notes.splice(0, count);
    return count;
  }

  #announce(kept: Kept): number {
    const before = kept.announced;
    for (const results of kept.results.slice(before)) {
      if (!this.#send(results.to, partOf(results, 0))) break;
      kept.announced++;
    }
    return kept.announced - before;
  }

  /** Of one write after the other, each in its order. */
  #sendParts(kept: Kept): number {
    let count = 0;
    for (; kept.announced > 0; count++) {
      const results = kept.results[0] as Results;
      const part = partOf(results, this.#partBytesMax);
      if (!this.#send(results.to, part)) break;
      results.offset += part.bytes.length;
      if (results.offset < results.bytes.length) continue;
      kept.results.shift();
      kept.announced--;
      kept.bytes -= results.bytes.length;
    }
    return count;
  }

  #send({ from, bootCounter, seq }: Forwarded, reply: Reply): boolean {
    const { group } = this.#options;
    return this.#options.reply(from, { type: 'forwardReply', group, bootCounter, seq, reply });
  }
}

/** The next bytes of these results, at most so many. */
function partOf(
  { index, term, bytes, offset }: Results,
  bytesMax: number,
): Extract<Reply, { type: 'results' }> {
  const part = bytes.subarray(offset, offset + bytesMax);
  return { type: 'results', index, term, totalBytes: bytes.length, offset, bytes: part };
}

function giveUpLate(kept: Kept, now: number): void {
  const isAwaited = ({ to }: { readonly to: Forwarded }): boolean => now < to.deadlineMs;
  kept.notes = kept.notes.filter(isAwaited);
  kept.announced = kept.results.slice(0, kept.announced).filter(isAwaited).length;
  kept.results = kept.results.filter(isAwaited);
  kept.bytes = kept.results.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function failureReply({ code, outcome, message, leaderId }: RequestError): Reply {
  return outcome === 'unknown'
    ? { type: 'unknown', code, message }
    : { type: 'notCommitted', code, message, leaderId };
}
