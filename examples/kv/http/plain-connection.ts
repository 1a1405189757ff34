import type { Socket } from 'node:net';
import { lastAnswerOf } from './client-errors.ts';
import type { KvServices } from './context.ts';
import { malformed } from './errors.ts';
import type { PlainAnswer } from './plain-answer.ts';
import { type PlainRequest, plainRequestOf } from './plain-request.ts';
import { answerPlain, isWelcome } from './plain-routes.ts';

/** One request at a time. What comes before that is answered makes the connection Node's, after the answer. */
export class PlainConnection {
  /** Takes the socket over, with what it has been given back. */
  onLeave: () => void = () => undefined;
  readonly #socket: Socket;
  readonly #services: KvServices;
  readonly #keepAliveMs: number;
  #isBusy = false;
  #hasAnswered = false;
  #hasLeft = false;
  #isSilent = false;
  /** Whether the client sends nothing more, or need not. */
  #isOver = false;
  /** What has come of a request that is not whole, or too early. */
  #held: Buffer | null = null;

  constructor(socket: Socket, services: KvServices, keepAliveMs: number) {
    this.#socket = socket;
    this.#services = services;
    this.#keepAliveMs = keepAliveMs;
    socket.setTimeout(keepAliveMs);
    socket.on('data', this.#onData).on('end', this.#onEnd);
    socket.on('timeout', this.#onTimeout).on('error', ignore);
  }

  /** Whether it waits for a request: nothing of one has come, and all that was answered has gone. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#held === null && this.#socket.writableLength === 0;
  }

  end(): void {
    this.#socket.destroy();
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#isOver) return; // It has been told that nothing more is answered.
    this.#isSilent = false;
    const held = this.#held;
    const received = held === null ? bytes : Buffer.concat([held, bytes]);
    if (this.#isBusy) {
      this.#held = received;
      return void this.#socket.pause();
    }
    const request = plainRequestOf(received);
    if (request === null || this.#socket.writableLength > 0 || !isWelcome(request, this.#services))
      return this.#leave(received);
    const end = request.bodyAt + request.bodyBytes;
    if (received.byteLength === end) {
      this.#held = null;
      return void this.#answer(request, received.subarray(request.bodyAt));
    }
    const isFirstPart = held === null && received.byteLength < end;
    if (!isFirstPart) return this.#leave(received); // Who sends little by little is for Node to be patient with.
    this.#held = received; // Many clients send a head, and then the value.
  };

  async #answer(request: PlainRequest, body: Uint8Array): Promise<void> {
    this.#isBusy = true;
    const answer = await answerPlain(request, body, this.#services);
    this.#isBusy = false;
    this.#isSilent = false; // It has had to wait for this.
    this.#hasAnswered = true;
    this.#isOver ||= this.#services.closing.aborted;
    this.#send(answer);
    if (this.#isOver) this.#socket.end();
    else if (this.#held !== null) this.#leave(this.#held);
  }

  #send({ head, body }: PlainAnswer): void {
    const seconds = Math.floor(this.#keepAliveMs / 1000);
    const connection = this.#isOver ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${seconds}`;
    const text = `${head}Connection: ${connection}\r\n\r\n`;
    if (typeof body === 'string') return void this.#socket.write(`${text}${body}`);
    this.#socket.cork();
    this.#socket.write(text, 'latin1');
    this.#socket.write(body);
    this.#socket.uncork();
  }

  readonly #onEnd = (): void => {
    this.#isOver = true;
    if (this.#isBusy) return;
    if (this.#held === null) this.#socket.end();
    else this.#socket.end(lastAnswerOf(malformed('the body ended too early')));
  };

  /**
   * What came while this process was held up is read before anybody is taken to be silent. Who has not read its answer
   * yet has as long as with Node, and nothing to ask.
   */
  readonly #onTimeout = (): void => {
    if (this.#isBusy || this.#socket.writableLength > 0) return;
    this.#isSilent = true;
    setImmediate(() => this.#onSilence());
  };

  #onSilence(): void {
    if (this.#isBusy || !this.#isSilent || this.#hasLeft) return;
    if (this.#hasAnswered && this.#held === null) this.end();
    else this.#leave(this.#held); // Node knows what to say to who is too slow.
  }

  #leave(unread: Buffer | null): void {
    const socket = this.#socket;
    this.#hasLeft = true;
    this.#held = null;
    if (socket.destroyed) return; // Node would wait for its end, which has been.
    socket.off('data', this.#onData).off('end', this.#onEnd);
    socket.off('timeout', this.#onTimeout).off('error', ignore);
    socket.setTimeout(0).pause();
    if (unread !== null) socket.unshift(unread);
    this.onLeave();
    socket.resume();
  }
}

/** What breaks a connection also closes it. */
function ignore(): void {}
