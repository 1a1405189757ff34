import type { Duplex } from 'node:stream';
import type { RawData, WebSocket } from 'ws';
import { watchAbort } from './abort-watch.ts';
import { detached } from './byte-reader.ts';
import { decodeClientMessage, encodeClientMessage } from './client/message-codec.ts';
import {
  type ClientFrame,
  type ClientHello,
  type ClientRefusal,
  clientProtocolVersion,
  type ReadFrame,
  type RefusedFrame,
  type StandingFrame,
  type Welcome,
  type WriteFrame,
  type WrittenFrame,
} from './client/protocol.ts';
import { type BacklogHost, ClientBacklog } from './client-backlog.ts';
import type { ClientEndpointLimits } from './client-endpoint-options.ts';
import { ClientFlow } from './client-flow.ts';
import { type AnsweredConnection, FrameAnswers } from './client-frame-answers.ts';
import { ClientLiveness } from './client-liveness.ts';
import { ClientOutbox, type EncodedAnswer } from './client-outbox.ts';
import { type Answering, refuseAll } from './client-work.ts';
import { closeCode, cutToFit } from './ws-socket.ts';

/** What a connection needs of its endpoint. */
export interface ClientHost extends BacklogHost {
  readonly limits: ClientEndpointLimits;
  readonly group: number;
  /** What a client that is let in is told. */
  welcome(): Welcome;
  /** Takes requests into account; says why they are too many, or `null`. */
  take(count: number, bytes: number): string | null;
  /** Requests are answered. */
  release(count: number, bytes: number): void;
  readonly isClosing: boolean;
  write(frame: WriteFrame, to: Answering): void;
  /** The connection has something to send at the end of this turn. */
  flushSoon(connection: ClientConnection): void;
  onGone(connection: ClientConnection): void;
}

/** The number of the ping in {@link ClientConnection.caughtUp}. */
const caughtUpNumber = 1;
/** What a client may send. */
const takenTypes: readonly ClientFrame['type'][] = ['write', 'read', 'ping', 'pong'];

/** One client: requests in, and the answers of each event-loop turn out in one message. */
export class ClientConnection implements AnsweredConnection {
  readonly #webSocket: WebSocket;
  readonly #host: ClientHost;
  #hasHello = false;
  #isGone = false;
  #gone: AbortController | null = null;
  readonly #outbox = new ClientOutbox();
  /** Requests without an answer. */
  #requests = 0;
  readonly #backlog: ClientBacklog;
  readonly #flow: ClientFlow;
  readonly #liveness: ClientLiveness;
  /** Answers of the message at hand that say no. */
  #refusals = 0;
  #whenCaughtUp = nobodyWaits;

  constructor({ webSocket, tcp }: { webSocket: WebSocket; tcp: Duplex }, host: ClientHost) {
    this.#webSocket = webSocket;
    this.#liveness = new ClientLiveness(tcp);
    this.#host = host;
    this.#backlog = new ClientBacklog(this, host);
    this.#flow = new ClientFlow(webSocket, host.limits, () => this.#backlog.goOn());
    webSocket.on('message', (data, isBinary) => this.#onMessage(data, isBinary));
    webSocket.on('pong', () => this.#liveness.onPong());
    webSocket.on('error', () => undefined); // Always followed by 'close'.
    webSocket.on('close', () => this.#onGone());
  }

  /** Whether the client has introduced itself. */
  get hasHello(): boolean {
    return this.#hasHello;
  }

  get isGone(): boolean {
    return this.#isGone || this.#webSocket.readyState !== this.#webSocket.OPEN;
  }

  /** Aborts once the client is gone. */
  get goneSignal(): AbortSignal {
    this.#gone ??= goneController();
    if (this.#isGone) this.#gone.abort();
    return this.#gone.signal;
  }

  /** Tells the client what has changed about the node. */
  stand(frame: StandingFrame): void {
    if (this.#hasHello) this.#push(frame, 0);
  }

  /**
   * Resolves once all has come that the client sent before it heard the last that it was told, or it is gone.
   *
   * The client itself answers this ping, which it reads after that. A WebSocket's own ping would tell less: a browser
   * answers it while its page has yet to hear what came before.
   */
  caughtUp(): Promise<void> {
    if (!this.#hasHello || this.isGone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenCaughtUp = resolve;
      this.#push({ type: 'ping', number: caughtUpNumber }, 0);
    });
  }

  written(frame: WrittenFrame, requestBytes: number): void {
    this.#answered(frame.count, requestBytes);
    if (this.#isGone) return;
    const { byteLength } = frame.payload;
    this.#flow.allow(byteLength);
    this.#outbox.push(frame, byteLength);
    this.#host.flushSoon(this); // There was room for it, as for an answer.
  }

  refused(frame: RefusedFrame, requestBytes: number): void {
    this.#answered(frame.count, requestBytes);
    this.#refuse(frame);
  }

  dropped(count: number, requestBytes: number): void {
    this.#answered(count, requestBytes);
  }

  readRefused(frame: RefusedFrame, requestBytes: number): void {
    this.#backlog.onRefused();
    this.refused(frame, requestBytes);
  }

  answered(id: number, answer: EncodedAnswer, requestBytes: number): void {
    this.#answered(1, requestBytes);
    const { byteLength } = answer.bytes;
    this.#backlog.onAnswered(byteLength);
    this.#flow.allow(byteLength);
    if (this.#isGone) return;
    this.#outbox.answer(id, answer);
    this.#host.flushSoon(this); // We asked for it: a client is not cut off for what is in its bounds.
  }

  get hasRoom(): boolean {
    return this.#flow.hasRoom(this.#outbox.bytes);
  }

  whenRoom(answer: () => void): void {
    this.#backlog.addAnswer(answer);
  }

  /** The end of the turn: what was answered leaves. */
  flush(): void {
    const messages = this.#outbox.take();
    if (this.#isGone || messages.length === 0) return;
    for (const frames of messages) this.#flow.send(encodeClientMessage({ type: 'frames', frames }));
    this.#flow.check();
    this.#backlog.goOn();
  }

  /** Now and then: asks whether the client is there. */
  pulse(): void {
    if (!this.#liveness.countPing()) return this.#webSocket.terminate();
    if (this.#webSocket.readyState === this.#webSocket.OPEN) this.#webSocket.ping();
  }

  /**
   * More often: says something to a client whose long message is arriving. Its pings wait behind that message, and it
   * takes a server that says nothing for dead.
   */
  assure(): void {
    const isReceiving = this.#liveness.isReceiving();
    if (isReceiving && this.#hasHello) this.#push({ type: 'pong', number: 0 }, 0);
  }

  /** Does not let the client in. */
  refuse(refusal: ClientRefusal): void {
    this.#webSocket.send(encodeClientMessage({ type: 'refusal', refusal }));
    this.close(closeCode.policy, refusal.code);
  }

  close(code: number, reason: string): void {
    this.#webSocket.close(code, cutToFit(reason));
  }

  /** Cuts it without a word. */
  terminate(): void {
    this.#webSocket.terminate();
  }

  #onMessage(data: RawData, isBinary: boolean): void {
    if (this.isGone) return;
    this.#liveness.onMessage();
    this.#refusals = 0;
    if (!isBinary) return this.#breakOff('a text message arrived, only binary ones are sent');
    const buffer = data as Buffer; // `binaryType` is 'nodebuffer'.
    const bytes = detached(new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength));
    const message = decodeClientMessage(bytes);
    switch (message.type) {
      case 'error':
        return this.#breakOff(`byte ${message.offset}: ${message.kind}, ${message.detail}`);
      case 'otherVersion':
        return this.refuse({ code: 'protocolVersion', reason: otherVersion(message.protocolVersion) });
      case 'hello':
        return this.#onHello(message.hello);
      case 'frames':
        return this.#onFrames(message.frames);
      default:
        return this.#breakOff(`a message of type ${message.type} arrived`);
    }
  }

  #onHello({ group }: ClientHello): void {
    if (this.#hasHello) return this.#breakOff('a second hello arrived');
    if (group !== this.#host.group) {
      const reason = `this server has the group ${this.#host.group}, not ${group}`;
      return this.refuse({ code: 'noSuchGroup', reason });
    }
    if (this.#host.isClosing) return this.close(closeCode.goingAway, 'this node is closing');
    this.#hasHello = true;
    const welcome = this.#host.welcome();
    this.#webSocket.send(encodeClientMessage({ type: 'welcome', welcome }));
  }

  /** A message is looked through before any of it is acted on: one frame that is not for a server spoils all. */
  #onFrames(frames: readonly ClientFrame[]): void {
    if (!this.#hasHello) return this.#breakOff('frames arrived before a hello');
    for (const { type } of frames)
      if (!takenTypes.includes(type)) return this.#breakOff(`a frame of type ${type} arrived`);
    for (const frame of frames) {
      if (this.isGone) return; // Broken off by what came before.
      this.#onFrame(frame);
    }
  }

  #onFrame(frame: ClientFrame): void {
    switch (frame.type) {
      case 'write':
        if (this.#take(frame)) this.#host.write(frame, new FrameAnswers(frame, this));
        return;
      case 'read':
        if (this.#take(frame)) this.#backlog.addReads(frame, new FrameAnswers(frame, this));
        return this.#backlog.goOn();
      case 'ping':
        return this.#push({ type: 'pong', number: frame.number }, 0);
      case 'pong':
        if (frame.number === caughtUpNumber) this.#whenCaughtUp();
    }
  }

  /** Whether there is room for these requests; if not, they are answered. */
  #take(frame: WriteFrame | ReadFrame): boolean {
    const { count, payload } = frame;
    const { requestsMax } = this.#host.limits;
    if (this.#host.isClosing) {
      this.#refuse(refuseAll(frame, 'RAFT_CLOSED', 'This node is closing.'));
      return false;
    }
    const problem =
      this.#requests + count > requestsMax
        ? `${this.#requests} requests of this connection wait for their answer and ${count} more came, the limit is ${requestsMax}.`
        : this.#host.take(count, payload.byteLength);
    if (problem === null) {
      this.#requests += count;
      return true;
    }
    this.#refuse(refuseAll(frame, 'RAFT_OVERLOADED', problem));
    return false;
  }

  #answered(count: number, requestBytes: number): void {
    this.#requests -= count;
    this.#host.release(count, requestBytes);
  }

  /** A client that keeps to `requestsMax` never has more refusals in one message: another one is not served. */
  #refuse(frame: RefusedFrame): void {
    if (this.isGone) return;
    this.#refusals += 1;
    if (this.#refusals > this.#host.limits.requestsMax)
      return this.#breakOff(`${this.#refusals} requests of one message are refused`);
    this.#outbox.refuse(frame);
    this.#leaveSoon();
  }

  #push(frame: ClientFrame, bytes: number): void {
    if (this.#isGone) return;
    this.#outbox.push(frame, bytes);
    this.#leaveSoon();
  }

  #leaveSoon(): void {
    if (this.#outbox.bytes > this.#host.limits.bufferedBytesCut) this.terminate();
    else this.#host.flushSoon(this);
  }

  #breakOff(detail: string): void {
    this.close(closeCode.protocolError, detail);
  }

  #onGone(): void {
    this.#isGone = true;
    this.#gone?.abort();
    this.#whenCaughtUp();
    this.#backlog.drop();
    this.#outbox.clear();
    this.#host.onGone(this);
  }
}

function nobodyWaits(): void {}

/** Watched from the beginning: to begin and end that with each request costs more than the request's own watch. */
function goneController(): AbortController {
  const controller = new AbortController();
  watchAbort(controller.signal, () => undefined);
  return controller;
}

function otherVersion(version: number): string {
  return `this server speaks version ${clientProtocolVersion} of the client protocol, and the client version ${version}: use the same release of rxraft`;
}
