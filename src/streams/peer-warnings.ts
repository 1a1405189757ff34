import type { NodeId } from '../core/index.ts';
import type { TransportEvent } from '../transport/transport.ts';
import type { Settings } from './options.ts';
import { Reminders } from './reminders.ts';

/** What the log says of peers that are not let in, let this node not in, or break the protocol: now and then. */
export class PeerWarnings {
  readonly #logger: Settings['logger'];
  readonly #refusals: Reminders;
  /** Kept when a peer connects: one that goes on breaking the protocol does so after every handshake. */
  readonly #violations: Reminders;

  constructor({ logger, clock }: Pick<Settings, 'logger' | 'clock'>) {
    this.#logger = logger;
    this.#refusals = new Reminders(clock);
    this.#violations = new Reminders(clock);
  }

  /** A connection with this peer is open: a refusal that comes after it is news. */
  onUp(id: NodeId): void {
    this.#refusals.forget(id);
  }

  onRefused({ id, by, refusal }: Extract<TransportEvent, { type: 'refused' }>): void {
    const message = `a connection was refused by ${by}: ${refusal.reason}`;
    if (this.#refusals.isDue(id, message)) this.#logger.warn({ peer: id, ...refusal }, message);
  }

  /** This node closed the connection, for a reason that is not the protocol's. */
  onHungUp(id: NodeId, reason: string): void {
    const message = `${id} was hung up on: ${reason}`;
    if (this.#violations.isDue(id, message)) this.#logger.warn({ peer: id }, message);
  }

  onProtocolError({ id, detail }: Extract<TransportEvent, { type: 'protocolError' }>): void {
    const message = `a peer broke the protocol: ${detail}`;
    if (this.#violations.isDue(id, message)) this.#logger.warn({ peer: id }, message);
  }
}
