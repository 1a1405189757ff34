import type { SchedulerLike, Subscription } from 'rxjs';
import { decodePayload } from '../../core/index.ts';
import type { AnyCall } from './calls.ts';
import { decodeClientMessage, encodeClientMessage } from './message-codec.ts';
import { Progress } from './progress.ts';
import {
  type AnsweredFrame,
  type ClientFrame,
  clientProtocolVersion,
  type RefusedFrame,
  type StandingFrame,
  type Welcome,
  type WrittenFrame,
} from './protocol.ts';
import { SentCalls } from './sent-calls.ts';
import type { ClientSocket, ClientSocketConstructor } from './web-socket.ts';

/** What the owner of a {@link Link} is told. */
export interface LinkOwner {
  /** The server has let us in. */
  onWelcome(link: Link): void;
  /** The server has told what it knows of the leader, or that it closes. */
  onStanding(link: Link): void;
  /** The command is committed, at the index of the frame plus `offset`. */
  onWritten(call: AnyCall, frame: WrittenFrame, offset: number, result: Uint8Array): void;
  onAnswered(call: AnyCall, frame: AnsweredFrame, answer: Uint8Array): void;
  onRefused(call: AnyCall, frame: RefusedFrame): void;
  /** A refusal says, for the first time, that the node behind the server has closed or stopped. */
  onEnded(link: Link): void;
  /** A message has been dealt with. */
  onMessageDone(): void;
  /** The connection is gone, once; what `takeSent` still gives has no answer. */
  onClosed(link: Link, why: string): void;
}

/** How a {@link Link} connects. */
export interface LinkOptions {
  readonly WebSocket: ClientSocketConstructor;
  readonly url: string;
  readonly group: number;
  readonly scheduler: SchedulerLike;
  readonly owner: LinkOwner;
}

/** The codes with which a client closes: browsers let a page use no others. */
export const clientCloseCode = {
  normal: 1000,
  protocolError: 4102,
  silent: 4103,
  otherCluster: 4104,
} as const;

/** Refusals of a node that will not take anything any more. */
const endedCodes: readonly string[] = ['RAFT_CLOSED', 'RAFT_STOPPED'];

/** Pings in a row without a sign of life from the server, until the connection counts as dead. */
const silentPingsMax = 3;

/** Milliseconds that a server has to say goodbye too. `ws` gives it 30 seconds, for which the process stays up. */
const goodbyeMsMax = 500;

/** One connection to one server, and the requests that it has not answered yet. */
export class Link {
  readonly url: string;
  /** `null` until the server has let us in. */
  welcome: Welcome | null = null;
  leaderId: string | null = null;
  leaderUrl: string | null = null;
  /** The server takes no more requests. */
  isClosing = false;
  /**
   * A refusal said that the node has closed or stopped, which the server itself may tell much later: a node first lets
   * go of its disk. Another one is better, if there is one; it may have been said of a leader behind this server.
   */
  #hasEnded = false;
  readonly #owner: LinkOwner;
  readonly #socket: ClientSocket;
  readonly #scheduler: SchedulerLike;
  /** Cuts the connection if the server does not close its end. */
  #cutting: Subscription | null = null;
  readonly #sent = new SentCalls();
  readonly #progress: Progress;
  #isClosed = false;
  #hasHeard = false;
  #silentPings = 0;
  #why = '';

  constructor({ WebSocket, url, group, scheduler, owner }: LinkOptions) {
    this.url = url;
    this.#owner = owner;
    this.#scheduler = scheduler;
    this.#socket = new WebSocket(url);
    this.#socket.binaryType = 'arraybuffer';
    this.#progress = new Progress(this.#socket);
    this.#socket.onopen = () => {
      const hello = { protocolVersion: clientProtocolVersion, group };
      this.#send(encodeClientMessage({ type: 'hello', hello }));
    };
    this.#socket.onmessage = ({ data }: { data: unknown }) => this.#onMessage(data);
    this.#socket.onerror = ({ message }: { message?: string }) => {
      this.#why ||= message ?? 'the connection failed';
    };
    this.#socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
      this.#cutting?.unsubscribe();
      this.#finish(reason || this.#why || `closed with ${code}`);
    };
  }

  /** Whether the node behind it leads. */
  get leads(): boolean {
    return this.welcome !== null && this.leaderId === this.welcome.nodeId;
  }

  /** Whether any other server would be better. */
  get isOver(): boolean {
    return this.isClosing || this.#hasEnded;
  }

  /** Requests without an answer. */
  get outstanding(): number {
    return this.#sent.size;
  }

  /** Bytes handed over that have not left. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** How many more requests the server takes now. */
  get room(): number {
    return this.welcome === null || this.isClosing ? 0 : this.welcome.requestsMax - this.#sent.size;
  }

  /** The requests without an answer. */
  get sent(): Iterable<AnyCall> {
    return this.#sent;
  }

  /** Notes requests as sent; returns the id of the first. */
  take(calls: readonly AnyCall[]): number {
    for (const call of calls) call.isSent = true;
    return this.#sent.add(calls);
  }

  /** Sends frames as one message, or each by itself where the server would not take one so long. */
  send(frames: readonly ClientFrame[]): void {
    let bytes = 0;
    for (const frame of frames) bytes += 'payload' in frame ? frame.payload.byteLength + 64 : 64;
    const isTooLong = bytes > (this.welcome?.frameBytesMax ?? 0);
    for (const part of isTooLong ? frames.map((frame) => [frame]) : [frames])
      this.#send(encodeClientMessage({ type: 'frames', frames: part }));
  }

  /** Takes away the requests that `isWanted`: whatever the server still says about them is not heard. */
  takeSent(isWanted: (call: AnyCall) => boolean): readonly AnyCall[] {
    return this.#sent.takeAll(isWanted);
  }

  /**
   * Now and then: asks a server that says nothing whether it is there, and hangs up if it says nothing still and nothing
   * moves. A ping waits behind a long request, and its answer behind a long answer.
   */
  pulse(): void {
    if (this.#isClosed || this.welcome === null) return;
    const isThere = this.#progress.hasMoved() || this.#hasHeard;
    this.#silentPings = isThere ? 0 : this.#silentPings + 1;
    this.#hasHeard = false;
    if (this.#silentPings > silentPingsMax) this.close(clientCloseCode.silent, 'the server does not answer');
    else this.send([{ type: 'ping', number: this.#silentPings }]);
  }

  /** Closes it. Its owner hears of it at once. */
  close(code: number, reason: string): void {
    if (this.#isClosed) return;
    try {
      this.#socket.close(code, reason);
    } catch {
      this.#socket.close(); // The reason was too long for it.
    }
    this.#cutSoon(code);
    this.#finish(reason);
  }

  /** A server that has gone says no goodbye; neither does one that hangs. */
  #cutSoon(code: number): void {
    const socket = this.#socket;
    if (socket.terminate === undefined) return;
    if (code === clientCloseCode.silent) socket.terminate();
    else this.#cutting = this.#scheduler.schedule(() => socket.terminate?.(), goodbyeMsMax);
  }

  #send(bytes: Uint8Array): void {
    if (this.#isClosed) return;
    this.#progress.onSend(bytes.byteLength);
    this.#socket.send(bytes as Uint8Array<ArrayBuffer>);
  }

  #onMessage(data: unknown): void {
    if (this.#isClosed) return;
    this.#hasHeard = true;
    if (!(data instanceof ArrayBuffer)) return this.#breakOff('a message arrived that is not binary');
    const message = decodeClientMessage(new Uint8Array(data));
    switch (message.type) {
      case 'error':
        return this.#breakOff(`byte ${message.offset}: ${message.kind}, ${message.detail}`);
      case 'welcome':
        return this.#onWelcome(message.welcome);
      case 'refusal':
        return this.close(clientCloseCode.normal, message.refusal.reason);
      case 'frames':
        return this.#onFrames(message.frames);
      default:
        return this.#breakOff(`a message of type ${message.type} arrived`);
    }
  }

  #onWelcome(welcome: Welcome): void {
    if (this.welcome !== null) return this.#breakOff('a second welcome arrived');
    this.welcome = welcome;
    this.leaderId = welcome.leaderId;
    this.leaderUrl = welcome.leaderUrl;
    this.#owner.onWelcome(this);
  }

  #onFrames(frames: readonly ClientFrame[]): void {
    if (this.welcome === null) return this.#breakOff('frames arrived before a welcome');
    for (const frame of frames) {
      if (this.#isClosed) return; // From inside an answer.
      this.#onFrame(frame);
    }
    this.#owner.onMessageDone();
  }

  #onFrame(frame: ClientFrame): void {
    switch (frame.type) {
      case 'written':
        return this.#onWritten(frame);
      case 'answered':
        return this.#onAnswered(frame);
      case 'refused':
        return this.#onRefused(frame);
      case 'standing':
        return this.#onStanding(frame);
      case 'ping':
        return this.send([{ type: 'pong', number: frame.number }]);
      case 'pong':
        return;
      default:
        return this.#breakOff(`a frame of type ${frame.type} arrived`);
    }
  }

  #onWritten(frame: WrittenFrame): void {
    const results = decodePayload(frame.payload);
    for (let at = 0; at < results.length; at++) {
      const call = this.#sent.take(frame.firstId + at);
      if (call !== undefined) this.#owner.onWritten(call, frame, at, results[at] as Uint8Array);
    }
  }

  #onAnswered(frame: AnsweredFrame): void {
    const answers = decodePayload(frame.payload);
    for (let at = 0; at < answers.length; at++) {
      const call = this.#sent.take(frame.ids[at] as number);
      if (call !== undefined) this.#owner.onAnswered(call, frame, answers[at] as Uint8Array);
    }
  }

  #onRefused(frame: RefusedFrame): void {
    for (let at = 0; at < frame.count; at++) {
      const call = this.#sent.take(frame.firstId + at);
      if (call !== undefined) this.#owner.onRefused(call, frame);
    }
    if (this.#hasEnded || !endedCodes.includes(frame.code)) return;
    this.#hasEnded = true;
    this.#owner.onEnded(this);
  }

  #onStanding({ isClosing, leaderId, leaderUrl }: StandingFrame): void {
    this.isClosing = isClosing;
    this.leaderId = leaderId;
    this.leaderUrl = leaderUrl;
    this.#owner.onStanding(this);
  }

  #breakOff(detail: string): void {
    this.close(
      clientCloseCode.protocolError,
      `${this.url} does not speak the client protocol: ${detail}`.slice(0, 120),
    );
  }

  #finish(why: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.onClosed(this, why);
  }
}
