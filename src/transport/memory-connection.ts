import type { NodeId } from '../core/index.ts';
import { isPiece, pieceBytes } from './frame-codec.ts';
import type { Network } from './memory-network.ts';
import type { MemoryTransport } from './memory-transport.ts';
import { decodePeerMessage, encodeFrames } from './message-codec.ts';
import type { Hello, PeerFrame } from './transport.ts';

/**
 * One connection, from the transport that dialed to the one that accepted; frames go that way only.
 *
 * Each end closes on its own: a process that is killed is noticed a moment later, a cut after `noticeMs`.
 */
export class MemoryConnection {
  /** How each end introduced itself. */
  readonly hellos: { readonly dialer: Hello; readonly acceptor: Hello };
  readonly openedMs: number;
  /** When the acceptor said its hello. */
  readonly answeredMs: number;
  private readonly network: Network;
  private readonly dialer: MemoryTransport;
  private readonly acceptor: MemoryTransport;
  private readonly isOpenAt = { dialer: true, acceptor: true };
  /** Frames that keep their order, the next to arrive first. */
  private readonly ordered: PeerFrame[] = [];
  private inFlight = 0;
  private inFlightPieceBytes = 0;
  private isAccepted = false;
  private lastArrivalMs: number;

  constructor(
    network: Network,
    ends: {
      dialer: MemoryTransport;
      acceptor: MemoryTransport;
      hellos: { dialer: Hello; acceptor: Hello };
      answeredMs: number;
    },
  ) {
    this.network = network;
    this.dialer = ends.dialer;
    this.acceptor = ends.acceptor;
    this.hellos = ends.hellos;
    this.answeredMs = ends.answeredMs;
    this.openedMs = network.scheduler.now();
    this.lastArrivalMs = this.openedMs + network.delayMs();
    network.add(this);
    network.after(this.lastArrivalMs - this.openedMs, () => this.accept());
  }

  /** Frames on their way. */
  get inFlightFrames(): number {
    return this.inFlight;
  }

  joins(a: NodeId, b: NodeId): boolean {
    const { dialer, acceptor } = this.hellos;
    return (dialer.id === a && acceptor.id === b) || (dialer.id === b && acceptor.id === a);
  }

  /** Sends a frame on its way; `false` if too much is. Loss on the way is not a drop. */
  send(frame: PeerFrame): boolean {
    const { network } = this;
    const isFull = this.inFlightPieceBytes >= network.inFlightSnapshotBytesMax;
    if (this.inFlight >= network.inFlightFramesMax || (isFull && isPiece(frame))) return false;
    if (this.isCut()) {
      network.counts.cut += 1;
      return true;
    }
    const sent = network.isEncoding ? throughBytes(frame) : frame;
    const { lossProbability, duplicateProbability, reorderProbability } = network.faults;
    const isLost = network.happens(lossProbability);
    const isOvertaken = network.happens(reorderProbability);
    const isDoubled = network.happens(duplicateProbability);
    if (isDoubled) this.carryApart(sent);
    if (!isLost && isOvertaken) this.carryApart(sent);
    if (!isLost && !isOvertaken) this.carryInOrder(sent);
    network.counts.lost += Number(isLost);
    network.counts.overtaken += Number(!isLost && isOvertaken);
    network.counts.doubled += Number(isDoubled);
    return true;
  }

  /** The dialer's end closes, for its own reasons; the other end hears of it. */
  closeFromDialer(): void {
    this.closeAt('dialer');
    this.network.after(this.noticeMs(), () => this.closeAt('acceptor'));
  }

  /** The acceptor's end closes, for its own reasons; the other end hears of it. */
  closeFromAcceptor(): void {
    this.closeAt('acceptor');
    this.network.after(this.noticeMs(), () => this.closeAt('dialer'));
  }

  /** Both ends notice that nothing gets through. */
  break(): void {
    this.closeAt('dialer');
    this.closeAt('acceptor');
  }

  /** Before the first frame, even where the timer of a frame fires first: timers of a busy process may. */
  private accept(): void {
    if (this.isAccepted) return;
    this.isAccepted = true;
    if (this.isOpenAt.acceptor) this.acceptor.onAccepted(this);
  }

  private closeAt(end: 'dialer' | 'acceptor'): void {
    if (!this.isOpenAt[end]) return;
    this.isOpenAt[end] = false;
    if (end === 'dialer') this.dialer.onOutgoingClosed(this);
    else this.acceptor.onIncomingClosed(this);
    if (!this.isOpenAt.dialer && !this.isOpenAt.acceptor) this.network.remove(this);
  }

  private noticeMs(): number {
    const { dialer, acceptor } = this.hellos;
    return this.network.isReachable(dialer.id, acceptor.id) ? this.network.delayMs() : this.network.noticeMs;
  }

  private isCut(): boolean {
    return this.network.isCut(this.hellos.dialer.id, this.hellos.acceptor.id);
  }

  private carryInOrder(frame: PeerFrame): void {
    const nowMs = this.network.scheduler.now();
    this.lastArrivalMs = Math.max(this.lastArrivalMs, nowMs + this.network.delayMs());
    this.ordered.push(frame);
    // Whatever timer fires first delivers the frame that was sent first.
    this.carry(frame, this.lastArrivalMs - nowMs, () => this.ordered.shift() as PeerFrame);
  }

  /** A frame that others may overtake: on its way for up to five times as long. */
  private carryApart(frame: PeerFrame): void {
    const handshakeMs = Math.max(0, this.openedMs - this.network.scheduler.now());
    const extraMs = Math.floor(this.network.random() * (this.network.faults.delayMsMax + 1) * 4);
    this.carry(frame, handshakeMs + this.network.delayMs() + extraMs, () => frame);
  }

  private carry(sent: PeerFrame, delayMs: number, next: () => PeerFrame): void {
    const bytes = pieceBytes(sent) ?? 0;
    this.inFlight++;
    this.inFlightPieceBytes += bytes;
    this.network.after(delayMs, () => {
      this.inFlight--;
      this.inFlightPieceBytes -= bytes;
      const frame = next();
      this.accept();
      if (this.isOpenAt.acceptor && !this.isCut()) this.acceptor.onFrame(this, frame);
    });
  }
}

/** A frame as the other end of a socket would get it: what its bytes say. */
function throughBytes(frame: PeerFrame): PeerFrame {
  const message = decodePeerMessage(encodeFrames([frame]));
  if (message.type === 'frames') return message.frames[0] as PeerFrame;
  throw new TypeError(`a ${frame.type} frame does not survive its byte form: ${JSON.stringify(message)}`);
}
