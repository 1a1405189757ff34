import type { NodeId } from '../core/index.ts';
import type { ArrivingResults } from './arriving-results.ts';

/**
 * How long a leader of before has for its answer, once another one is known. One that lives answers all it took
 * when it steps down; one that hangs, or that no packet reaches, must not cost its callers their whole time.
 */
const lateAnswerMsMax = 100;

/** A request that has left, and is not answered. */
export interface Sent<Request> {
  readonly request: Request;
  /** The node it was passed on to; `null` for our own core. */
  readonly via: NodeId | null;
  /** Since when another node than `via` is known to lead; `null` while none is. */
  orphanedAtMs: number | null;
  /** Its results, since the first part of them came. */
  arriving: ArrivingResults | null;
}

/** The requests of a queue that have left, by their numbers. Whatever is taken is not here any more. */
export class SentRequests<Request> {
  readonly #sent = new Map<number, Sent<Request>>();

  get size(): number {
    return this.#sent.size;
  }

  /** Those that are here now. */
  get requests(): readonly Request[] {
    return this.all.map(({ request }) => request);
  }

  /** The same, and where they are. */
  get all(): readonly Sent<Request>[] {
    return [...this.#sent.values()];
  }

  /** It is about to leave. */
  add(id: number, request: Request, target: 'self' | NodeId): void {
    const via = target === 'self' ? null : target;
    this.#sent.set(id, { request, via, orphanedAtMs: null, arriving: null });
  }

  /** The one that our core answered, or that did not leave; `undefined` if it is not here. */
  take(id: number): Request | undefined {
    const sent = this.#sent.get(id);
    this.#sent.delete(id);
    return sent?.request;
  }

  /** The one that this node was asked; `undefined` if it was not, or is not any more. */
  askedOf(from: NodeId, id: number): Sent<Request> | undefined {
    const sent = this.#sent.get(id);
    return sent?.via === from ? sent : undefined;
  }

  /** The one that this node answered; `undefined` if it was not asked, or is not any more. */
  takeAnsweredBy(from: NodeId, id: number): Request | undefined {
    return this.askedOf(from, id) === undefined ? undefined : this.take(id);
  }

  /** All of which this is so. */
  takeAll(isTaken: (sent: Sent<Request>) => boolean): readonly Sent<Request>[] {
    const taken: Sent<Request>[] = [];
    for (const [id, sent] of this.#sent) {
      if (!isTaken(sent)) continue;
      this.#sent.delete(id);
      taken.push(sent);
    }
    return taken;
  }

  /** Those passed on to a leader of before that has had its time to answer. */
  takeOrphans(leader: 'self' | NodeId | null, now: number): readonly Sent<Request>[] {
    return this.takeAll((sent) => {
      const isOther = sent.via !== null && leader !== null && leader !== sent.via;
      sent.orphanedAtMs = isOther ? (sent.orphanedAtMs ?? now) : null;
      return sent.orphanedAtMs !== null && now - sent.orphanedAtMs >= lateAnswerMsMax;
    });
  }
}
