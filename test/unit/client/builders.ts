import { onTestFinished } from 'vitest';
import { VirtualScheduler } from '../../../src/testing/virtual-scheduler.ts';
import {
  type ClientError,
  type Codec,
  type RaftClient,
  type RaftClientOptions,
  raftClient,
} from '../../../src/transport/client/index.ts';
import { FakeServers } from './fake-servers.ts';

const utf8: Codec<string> = {
  encode: (value) => new TextEncoder().encode(value),
  decode: (bytes) => new TextDecoder().decode(bytes),
};

type TestOptions = Partial<RaftClientOptions<string, string, string, string>>;

/** A client of texts, whose servers and whose time are the test's. */
export class Situation {
  readonly servers = new FakeServers();
  readonly time = new VirtualScheduler();
  readonly client: RaftClient<string, string, string, string>;

  constructor(options: TestOptions = {}) {
    this.client = raftClient({
      urls: ['ws://a'],
      command: utf8,
      result: utf8,
      query: utf8,
      answer: utf8,
      WebSocket: this.servers.WebSocket,
      timeScheduler: this.time,
      turnScheduler: this.time,
      seed: 1,
      ...options,
    });
    onTestFinished(() => this.client.close());
  }

  /** Lets so many milliseconds pass; 0 ends the turn. Promises that were settled have told. */
  async pass(ms = 0): Promise<void> {
    this.time.advanceTo(this.time.now() + ms);
    for (let hop = 0; hop < 5; hop++) await Promise.resolve();
  }

  /** Writes, and notes in words what becomes of it. */
  write(command: string, options?: Parameters<RaftClient<string, string, string, string>['write']>[1]): Told {
    return told(this.client.write(command, options).then(({ index, result }) => `${index}: ${result}`));
  }

  /** Reads, and notes in words what becomes of it. */
  read(query: string, options?: Parameters<RaftClient<string, string, string, string>['read']>[1]): Told {
    return told(
      this.client.read(query, options).then(({ index, value, ageMs }) => `${index}: ${value}, ${ageMs} ms`),
    );
  }
}

/** What became of a request: `null` while nothing has. */
export interface Told {
  words: string | null;
  message: string;
}

function told(answer: Promise<string>): Told {
  const note: Told = { words: null, message: '' };
  answer.then(
    (words) => {
      note.words = words;
    },
    (error: ClientError) => {
      note.words = `${error.code} ${error.outcome}`;
      note.message = error.message;
    },
  );
  return note;
}
