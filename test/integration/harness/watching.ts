import { eventsIn } from '../../../examples/kv/cli/event-reader.ts';
import { open } from './http.ts';

/** An event of `/watch`, its data read. */
export interface WatchedEvent {
  readonly id: string | null;
  readonly data: Readonly<Record<string, unknown>>;
}

/** A connection to `/watch`. */
export interface Watching extends AsyncDisposable {
  /** The next events, so many of them. Rejects if the stream ends before, or after a while. */
  take(count: number): Promise<readonly WatchedEvent[]>;
}

const takeMsMax = 10_000;

/** Begins to watch; resolves once the server has begun to answer. */
export async function watching(
  url: string,
  path: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Watching> {
  const response = await open(url, `GET ${path}`, { headers });
  if (response.statusCode !== 200) throw new Error(`GET ${path} answers ${response.statusCode}`);
  const events = eventsIn(response);
  return {
    async take(count) {
      const timer = setTimeout(() => response.destroy(new Error(`not ${count} events came`)), takeMsMax);
      const taken: WatchedEvent[] = [];
      while (taken.length < count) {
        const next = await events.next();
        if (next.done === true) throw new Error(`the stream ended after ${taken.length} of ${count} events`);
        taken.push({ id: next.value.id, data: JSON.parse(next.value.data) });
      }
      clearTimeout(timer);
      return taken;
    },
    async [Symbol.asyncDispose]() {
      response.destroy();
    },
  };
}
