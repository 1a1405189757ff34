import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Logger, RaftError, raftNode } from 'rxraft';
import { lmdbStorage } from 'rxraft/storage';
import { DoubledRequests } from './doubled-requests.ts';
import { linKvMachine } from './lin-kv-machine.ts';
import { answerTo, type LinKvNode } from './lin-kv-service.ts';
import { type Body, errorBody, errorCode, type Message, messageOf } from './message.ts';
import { isLinkType } from './transport/link-body.ts';
import { MailTransport, urlOf } from './transport/mail-transport.ts';

/** What a {@link MaelstromNode} works with. */
export interface MaelstromNodeOptions {
  /** Writes a line to stdout. `isLossy`: it may be dropped where much waits already. */
  readonly write: (line: string, how: { readonly isLossy: boolean }) => void;
  /** Each node has a folder of its own in this one. */
  readonly folder: string;
  readonly electionMs: number;
  readonly heartbeatMs: number;
  /** How long a request may take, in milliseconds. */
  readonly timeoutMs: number;
  readonly logger: Logger;
  /** The node had to stop: its disk failed, say. */
  readonly onStopped: (error: unknown) => void;
}

/** Changes that are remembered, in case the network doubles them. */
const seenMax = 4_096;

/** Milliseconds between looks whether a store is free, and how long it is waited for. */
const storePollMs = 100;
const storeWaitMsMax = 10_000;

/** What a node is made of. */
interface Starting {
  readonly id: string;
  readonly ids: readonly string[];
  readonly transport: MailTransport;
}

/** A node as `init` made it. */
interface Started {
  readonly id: string;
  readonly transport: MailTransport;
  readonly node: Promise<LinKvNode>;
}

/** One node of Maelstrom: lines come in, lines go out, and `init` says who it is. No line does it harm. */
export class MaelstromNode {
  readonly #options: MaelstromNodeOptions;
  readonly #doubled = new DoubledRequests(seenMax);
  #started: Started | null = null;
  #isClosing = false;

  constructor(options: MaelstromNodeOptions) {
    this.#options = options;
  }

  /** A line came. */
  onLine(line: string): void {
    const message = messageOf(line);
    if (message === null) {
      this.#options.logger.warn({ line: line.slice(0, 200) }, 'a line is no message, and is left out');
      return;
    }
    const { type, in_reply_to: answered } = message.body;
    if (isLinkType(type)) return this.#started?.transport.receive(message.src, message.body);
    if (answered !== undefined) return; // An answer to nothing that we ask.
    if (type === 'init') void this.#onInit(message);
    else void this.#onRequest(message);
  }

  /** Ends the node. `handsOver`: somebody is still there who can take over. */
  async close(options: { readonly handsOver: boolean }): Promise<void> {
    this.#isClosing = true;
    const node = await this.#started?.node.catch(() => null);
    await node?.close(options);
  }

  async #onInit(message: Message): Promise<void> {
    const { node_id: id, node_ids: ids } = message.body;
    if (typeof id !== 'string' || !isNames(ids) || !ids.includes(id)) {
      const text = 'init needs node_id and node_ids, a list that has it';
      return this.#reply(message, errorBody(errorCode.malformed, text));
    }
    if (this.#started !== null && this.#started.id !== id) {
      const text = `this process is ${this.#started.id} already`;
      return this.#reply(message, errorBody(errorCode.malformed, text));
    }
    try {
      this.#started ??= this.#start(id, ids);
      await this.#started.node;
      this.#reply(message, { type: 'init_ok' });
    } catch (error) {
      this.#reply(message, errorBody(errorCode.crash, `the node was not started. ${textOf(error)}`));
      this.#options.onStopped(error);
    }
  }

  #start(id: string, ids: readonly string[]): Started {
    const transport = new MailTransport({
      post: (dest, body) => this.#send({ src: id, dest, body }, { isLossy: true }),
    });
    const node = this.#openWhenFree({ id, ids, transport });
    node
      .then(({ closed }) => closed)
      .catch((error: unknown) => {
        if (!this.#isClosing) this.#options.onStopped(error);
      });
    return { id, transport, node };
  }

  /** A process of this node that was killed a moment ago may still be letting go of the store. */
  async #openWhenFree(parts: Starting): Promise<LinKvNode> {
    for (let waitedMs = 0; ; waitedMs += storePollMs) {
      try {
        return await this.#open(parts);
      } catch (error) {
        const isInUse = error instanceof RaftError && error.code === 'RAFT_STORE_IN_USE';
        if (!isInUse || waitedMs >= storeWaitMsMax || this.#isClosing) throw error;
        await pause(storePollMs);
      }
    }
  }

  #open({ id, ids, transport }: Starting): Promise<LinKvNode> {
    const { folder, electionMs, heartbeatMs, timeoutMs, logger } = this.#options;
    return raftNode({
      id,
      members: ids.map((name) => ({ id: name, url: urlOf(name) })),
      machine: linKvMachine(),
      storage: lmdbStorage({ path: storePath(folder, id), nodeId: id }),
      transport,
      electionMs,
      heartbeatMs,
      timeoutMs,
      logger,
    });
  }

  async #onRequest(message: Message): Promise<void> {
    const started = this.#started;
    if (started === null) {
      return this.#reply(message, errorBody(errorCode.temporarilyUnavailable, 'init has not come yet'));
    }
    const { logger } = this.#options;
    try {
      const node = await started.node;
      const answer = await this.#doubled.answer(message, () => answerTo(node, message.body, logger));
      this.#reply(message, answer);
    } catch (error) {
      const text = `the node was not started. ${textOf(error)}`;
      this.#reply(message, errorBody(errorCode.temporarilyUnavailable, text));
    }
  }

  /** Answers a message, if it said under which number. */
  #reply({ src, dest, body }: Message, answer: Body): void {
    const { msg_id: answered } = body;
    if (!Number.isSafeInteger(answered)) return;
    const reply = { ...answer, in_reply_to: answered };
    this.#send({ src: this.#started?.id ?? dest, dest: src, body: reply }, { isLossy: false });
  }

  #send(message: Message, how: { readonly isLossy: boolean }): void {
    this.#options.write(JSON.stringify(message), how);
  }
}

/** Where a node keeps its store: `..` is a name as any other. */
export function storePath(folder: string, id: string): string {
  return join(folder, `node-${encodeURIComponent(id)}`);
}

function isNames(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((name) => typeof name === 'string');
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
