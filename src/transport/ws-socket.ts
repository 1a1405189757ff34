import type { Socket } from 'node:net';
import type { SchedulerLike, Subscription } from 'rxjs';
import type { RawData, WebSocket } from 'ws';
import type { WsLimits } from './ws-options.ts';

/** What the owner of a {@link PeerSocket} is told. */
export interface SocketOwner {
  /** A binary message arrived. */
  onMessage(bytes: Uint8Array): void;
  /** Nothing arrives any more; once. `violation` says how the other end broke the WebSocket protocol, if it did. */
  onClosed(violation: string | null): void;
  /** The connection is gone, the other end's part of the closing included; once, after `onClosed`. */
  onGone(): void;
}

/** Close codes of RFC 6455 that are used here. */
export const closeCode = {
  normal: 1000,
  goingAway: 1001,
  protocolError: 1002,
  policy: 1008,
  tryLater: 1013,
} as const;

/** A message of at most so many bytes is mostly taken by the operating system at once. */
const promptBytesMax = 64 * 1024;

/** The longest reason that fits a close frame, in bytes. */
const reasonBytesMax = 123;

/**
 * A WebSocket as both ends use it: binary messages only, pings that measure and that notice a dead
 * connection, and a closing that takes effect at once for its owner and is bounded for the other end.
 */
export class PeerSocket {
  /** Milliseconds of the last ping's way there and back; `null` before the first. */
  rttMs: number | null = null;
  private readonly webSocket: WebSocket;
  private readonly limits: WsLimits;
  private readonly scheduler: SchedulerLike;
  private readonly owner: SocketOwner;
  /** The TCP socket below, once it is connected. */
  private tcp: Socket | null = null;
  private hasClosed = false;
  /** Whether the operating system has taken everything so far. */
  private isPrompt = true;
  private violation: string | null = null;
  private pings = 0;
  private pingSentMs = 0;
  private silentPings = 0;
  private bytesReadBefore = 0;
  private cutTimer: Subscription | null = null;

  constructor(
    webSocket: WebSocket,
    { limits, scheduler, owner }: { limits: WsLimits; scheduler: SchedulerLike; owner: SocketOwner },
  ) {
    this.webSocket = webSocket;
    this.limits = limits;
    this.scheduler = scheduler;
    this.owner = owner;
    webSocket.on('message', (data, isBinary) => this.onMessage(data, isBinary));
    webSocket.on('pong', (data) => this.onPong(data));
    webSocket.on('error', (error) => this.onError(error)); // Always followed by 'close'.
    webSocket.on('close', () => this.onClose());
  }

  /** Bytes handed over and not yet taken by the operating system. */
  get bufferedBytes(): number {
    return this.webSocket.bufferedAmount;
  }

  /** Whether the other end has ever answered a ping. */
  get hasAnswered(): boolean {
    return this.rttMs !== null;
  }

  /** Whether nothing arrives any more and nothing can be sent. */
  get isClosed(): boolean {
    return this.hasClosed;
  }

  /** Says which TCP socket is below; `ws` has set it to send without delay (`setNoDelay`). */
  connected(tcp: Socket): void {
    this.tcp = tcp;
  }

  /**
   * Sends one message: header and bytes leave in one system call, since `ws` corks the socket for the two. The bytes must
   * stay as they are until `onSent`, which is called once nobody reads them any more, perhaps at once, and perhaps not at all: if
   * sending fails, or if a small message has to wait though none had to before. To be called back takes a turn of the event loop.
   */
  send(bytes: Uint8Array, onSent: () => void = nothing): void {
    if (this.webSocket.readyState !== this.webSocket.OPEN) return;
    const isAwaited = onSent !== nothing && !(this.isPrompt && bytes.length <= promptBytesMax);
    this.webSocket.send(bytes, { binary: true }, isAwaited ? (error) => error || onSent() : undefined);
    this.isPrompt = this.bufferedBytes === 0;
    if (this.isPrompt && !isAwaited) onSent();
  }

  /** Closes with a reason for the other end, which is cut if it does not answer in time. */
  close(code: number, reason: string): void {
    if (this.webSocket.readyState === this.webSocket.CONNECTING) this.webSocket.terminate();
    else this.webSocket.close(code, cutToFit(reason));
    this.cutSoon();
    this.finish();
  }

  /** Cuts the connection without a word. */
  terminate(): void {
    this.webSocket.terminate();
    this.finish();
  }

  /** Every `pingMs`: asks whether anyone is there, and gives up after too many questions without a byte. */
  pulse(): void {
    if (this.hasClosed || this.tcp === null) return;
    const bytesRead = this.tcp.bytesRead; // Also of a long message that is still arriving.
    this.silentPings = bytesRead === this.bytesReadBefore ? this.silentPings + 1 : 0;
    this.bytesReadBefore = bytesRead;
    // Counted in pings, not in time: a process that slept must not cut a healthy connection on waking.
    if (this.silentPings > this.limits.silentPingsMax) return this.terminate();
    this.ping();
  }

  /** Asks whether anyone is there. */
  ping(): void {
    if (this.webSocket.readyState !== this.webSocket.OPEN) return;
    this.pings++;
    this.pingSentMs = performance.now();
    this.webSocket.ping(String(this.pings));
  }

  private onMessage(data: RawData, isBinary: boolean): void {
    if (this.hasClosed) return;
    if (!isBinary) {
      this.violation = 'a text message arrived, only binary ones are sent';
      return this.close(closeCode.protocolError, this.violation);
    }
    const bytes = data as Buffer; // `binaryType` is 'nodebuffer'.
    this.owner.onMessage(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  private onPong(data: Buffer): void {
    if (data.toString('latin1') === String(this.pings)) this.rttMs = performance.now() - this.pingSentMs;
  }

  private onError(error: Error & { code?: string }): void {
    if (!error.code?.startsWith('WS_ERR_')) return;
    this.violation ??= error.message; // `ws` has begun to close with the code that belongs to it.
    this.cutSoon();
    this.finish();
  }

  private onClose(): void {
    this.cutTimer?.unsubscribe();
    this.finish();
    this.owner.onGone();
  }

  private cutSoon(): void {
    this.cutTimer ??= this.scheduler.schedule(() => this.webSocket.terminate(), this.limits.closeTimeoutMs);
  }

  private finish(): void {
    if (this.hasClosed) return;
    this.hasClosed = true;
    this.owner.onClosed(this.violation);
  }
}

function nothing(): void {
  // Nobody wants to be told.
}

/** The longest part of a text that a close frame holds, cut between characters. */
export function cutToFit(reason: string): string {
  let end = Math.min(reason.length, reasonBytesMax);
  while (Buffer.byteLength(reason.slice(0, end)) > reasonBytesMax) end--;
  return reason.slice(0, end);
}
