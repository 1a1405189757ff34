import { LiveSession } from './live-session.ts';
import { decodeSession, sessionKey, type TableStore } from './session-rows.ts';

/** What a session and the sequence of a result take in memory, in bytes, roughly. */
const sessionBytes = 512;
const sequenceBytes = 48;

/**
 * The sessions that are in use, in memory in front of their rows: each command asks for its session and for a result of
 * it, and forgets others, and to ask the store for all that takes ten times as long.
 *
 * {@link settle} writes the rows of those that were asked for since the last time. Whoever was asked for least lately makes
 * room.
 */
export class LiveSessions {
  readonly #store: TableStore;
  readonly #bytesMax: number;
  /** Those asked for least lately first, with the bytes that each was counted with. */
  readonly #sessions = new Map<number, LiveSession>();
  readonly #bytesOf = new Map<LiveSession, number>();
  readonly #asked = new Set<LiveSession>();
  #bytes = 0;

  /** @param bytesMax - beyond this, sessions are in their rows only. */
  constructor(store: TableStore, { bytesMax }: { readonly bytesMax: number }) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  /** A session, from memory or from its row. */
  get(id: number): LiveSession | undefined {
    const session = this.#sessions.get(id) ?? this.#load(id);
    if (session !== undefined) this.#asked.add(session);
    return session;
  }

  #load(id: number): LiveSession | undefined {
    const row = this.#store.get(sessionKey(id));
    if (row === undefined) return undefined;
    const session = new LiveSession(this.#store, id, decodeSession(row));
    this.#sessions.set(id, session);
    return session;
  }

  /** Begins a new one. */
  open(id: number, nowMs: number): void {
    const session = LiveSession.open(this.#store, id, nowMs);
    this.#sessions.set(id, session);
    this.#asked.add(session);
  }

  /** Deletes one, and returns how many rows are gone by that. */
  delete(session: LiveSession): number {
    this.#asked.delete(session);
    this.#letGo(session);
    return session.delete();
  }

  /** Writes the rows of those that were asked for, and lets go of some. */
  settle(): void {
    for (const session of this.#asked) {
      session.write();
      this.#letGo(session);
      this.#sessions.set(session.id, session);
      const bytes = sessionBytes + sequenceBytes * session.knownCount;
      this.#bytesOf.set(session, bytes);
      this.#bytes += bytes;
    }
    this.#asked.clear();
    for (const session of this.#sessions.values()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#letGo(session);
    }
  }

  #letGo(session: LiveSession): void {
    this.#sessions.delete(session.id);
    this.#bytes -= this.#bytesOf.get(session) ?? 0;
    this.#bytesOf.delete(session);
  }
}
