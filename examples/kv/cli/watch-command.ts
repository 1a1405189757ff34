import type { IncomingMessage } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonBytes } from '../json-bytes.ts';
import { toPercent } from '../percent.ts';
import { bodyOf, type ErrorText, errorIn, NoAnswer, open } from './client.ts';
import type { Cluster } from './cluster.ts';
import { eventsIn, type ServerEvent } from './event-reader.ts';
import type { Output } from './output.ts';
import { refuse } from './refusal.ts';

/** Where to begin, and of which keys. */
export interface WatchOptions {
  readonly from?: string;
  readonly prefix?: string;
}

const answerMsMax = 5_000;
const retryMs = 1_000;

/** The server will not go on, whichever node is asked. */
class Refused extends Error {
  override readonly name = 'Refused';
  readonly error: ErrorText;

  constructor(error: ErrorText) {
    super(`${error.code}: ${error.message}`);
    this.error = error;
  }
}

/**
 * `rxraft watch`: prints what is committed, until Ctrl-C. When a node goes away it goes on with the next one,
 * from where it was. It fails if none answers at the start, or if what it needs has been compacted.
 */
export async function watch({ urls, flags, output }: Cluster, options: WatchOptions): Promise<void> {
  process.once('SIGINT', () => process.exit(0));
  const path = pathOf(options);
  let seen: string | null = null;
  for (;;) {
    const before: string | null = seen;
    try {
      for (const url of urls) seen = await follow(url, { path, seen }, output);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      output.json({ error: error.error });
      output.fail(error.message);
      return output.next(`rxraft watch${flags} without --from shows what is committed from now on`);
    }
    if (seen === null) {
      refuse(output, { code: 'NO_ANSWER', message: 'nobody answers' });
      return output.next('npm start starts a cluster; --urls says where one is');
    }
    if (seen === before) await pause(retryMs);
  }
}

/** Prints the events of one node for as long as it gives any, and returns the index of the last one seen. */
async function follow(
  url: string,
  { path, seen }: { readonly path: string; readonly seen: string | null },
  output: Output,
): Promise<string | null> {
  let last = seen;
  try {
    const headers = last === null ? {} : { 'last-event-id': last };
    const response = await open(url, { method: 'GET', path, timeoutMs: answerMsMax, headers });
    await refuseError(url, response);
    output.say(`watching ${url}`);
    last ??= String(response.headers['rxraft-index']);
    for await (const event of eventsIn(response)) {
      if (event.type === 'end') throw new Refused(JSON.parse(event.data).error);
      print(event, output);
      last = event.id ?? last;
    }
    output.say(`${url} has ended the stream`);
  } catch (error) {
    if (error instanceof Refused) throw error;
    output.say(error instanceof NoAnswer ? error.message : `${url}: the stream broke off`);
  }
  return last;
}

async function refuseError(url: string, response: IncomingMessage): Promise<void> {
  if (response.statusCode === 200) return;
  const error = errorIn({ url, status: response.statusCode ?? 0, body: await bodyOf(response) });
  const isPassing = response.statusCode === 503 || response.statusCode === 429;
  throw isPassing ? new NoAnswer(`${url}: ${error.message}`, true) : new Refused(error);
}

function pathOf({ from, prefix }: WatchOptions): string {
  const query = [
    ...(from === undefined ? [] : [`from=${toPercent(Buffer.from(from))}`]),
    ...(prefix === undefined ? [] : [`prefix=${toPercent(Buffer.from(prefix))}`]),
  ];
  return query.length === 0 ? '/watch' : `/watch?${query.join('&')}`;
}

/** What an event says of one operation. */
interface EventOp {
  readonly op: string;
  readonly key?: JsonBytes;
  readonly expect?: JsonBytes | null;
  readonly value?: JsonBytes;
}

interface WatchEvent extends EventOp {
  readonly index: number;
  readonly ops?: readonly EventOp[];
  readonly session?: number;
  readonly sequence?: number;
}

function print({ data }: ServerEvent, output: Output): void {
  const event = JSON.parse(data) as WatchEvent;
  output.json(event);
  const { index, session, sequence, ops = [event] } = event;
  // Retried, a request is there again, and that is how to tell.
  const request = session === undefined ? '' : `  (request ${sequence} of session ${session})`;
  for (const op of ops) output.text(`${String(index).padStart(6)}  ${lineOf(op)}${request}`);
}

function lineOf({ op, key, expect, value }: EventOp): string {
  const words = [op.padEnd(6), shown(key)];
  if (expect !== undefined) words.push(expect === null ? '(nothing)' : shown(expect), '→');
  if (value !== undefined) words.push(shown(value));
  return words.join(' ').trimEnd();
}

/** Bytes for a terminal: quoted, so that nothing in them acts on it, and cut where they are many. */
function shown(bytes: JsonBytes | undefined): string {
  if (bytes === undefined) return '';
  const text = typeof bytes === 'string' ? JSON.stringify(bytes) : `base64:${bytes.base64}`;
  return text.length > shownMax ? `${text.slice(0, shownMax)}… (${text.length} characters)` : text;
}

const shownMax = 100;
