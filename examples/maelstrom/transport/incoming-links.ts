import type { NodeId } from 'rxraft';
import { type HandshakeRefusal, type Hello, otherVersion, protocolVersion } from 'rxraft/transport';
import { IncomingLink } from './incoming-link.ts';
import type { LinkBody } from './link-body.ts';
import { fromText, type LinkHost, toText } from './link-host.ts';

/**
 * The links that peers dialed: one a peer, a newer one in place of the older, and those whose dialer has not
 * shown yet that it heard our answer.
 */
export class IncomingLinks {
  readonly #host: LinkHost;
  readonly #onDialed: (id: NodeId) => void;
  /** By their random names, oldest first. */
  readonly #pending = new Map<string, IncomingLink>();
  readonly #admitted = new Map<NodeId, IncomingLink>();

  /** @param onDialed - told of each peer that was admitted. */
  constructor(host: LinkHost, onDialed: (id: NodeId) => void) {
    this.#host = host;
    this.#onDialed = onDialed;
  }

  isOpenTo(id: NodeId): boolean {
    return this.#admitted.has(id);
  }

  /** A node introduces itself, perhaps for the second time, perhaps long ago. */
  onHello(name: string, { link, data }: Extract<LinkBody, { type: 'rxraft_hello' }>): void {
    const known = this.#find(link);
    if (known !== undefined) return this.#welcome(known); // Our answer may have been lost.
    const message = fromText(data);
    if (message.type === 'otherVersion') {
      const refusal = otherVersion(this.#host.identity.hello(), message.protocolVersion);
      return this.#refuse({ name, link, id: null, refusal });
    }
    if (message.type !== 'hello') return; // Nobody that we know how to answer.
    const { hello } = message;
    if (this.#host.isPaused(hello.id)) return; // It says it again.
    const incoming = new IncomingLink({ link, name, hello }, this.#host);
    this.#pending.set(link, incoming);
    const refusal = this.#judge(hello);
    if (refusal !== null) {
      this.#pending.delete(link);
      return this.#refuse({ name, link, id: hello.id, refusal });
    }
    if (this.#pending.get(link) !== incoming) return; // Hung up on from inside the judgement.
    this.#dropOldest();
    this.#welcome(incoming);
  }

  #judge(hello: Hello): HandshakeRefusal | null {
    const { identity } = this.#host;
    if (hello.protocolVersion !== protocolVersion)
      return otherVersion(identity.hello(), hello.protocolVersion);
    return identity.admit(hello);
  }

  #welcome({ link, token, name }: IncomingLink): void {
    const data = toText({ type: 'hello', hello: this.#host.identity.hello() });
    this.#host.post(name, { type: 'rxraft_welcome', link, token, data });
  }

  #refuse(refused: { name: string; link: string; id: NodeId | null; refusal: HandshakeRefusal }): void {
    const { name, link, id, refusal } = refused;
    const data = toText({ type: 'refusal', refusal });
    this.#host.post(name, { type: 'rxraft_welcome', link, token: 'none', data });
    this.#host.emit({ type: 'refused', by: 'us', id, refusal });
  }

  #dropOldest(): void {
    if (this.#pending.size <= this.#host.limits.pendingMax) return;
    for (const link of this.#pending.keys()) {
      this.#pending.delete(link);
      return;
    }
  }

  /** Frames, or a question: the first that come are the end of the handshake. */
  onFrames(name: string, { link, token, seq, data }: Extract<LinkBody, { type: 'rxraft_frames' }>): void {
    const incoming = this.#find(link);
    if (incoming?.token !== token) {
      // Too late, or from before we restarted: a dialer that still holds on to this link is to dial anew.
      return this.#host.post(name, { type: 'rxraft_end', link, data: null });
    }
    if (this.#pending.has(link)) this.#admit(incoming);
    if (this.#find(link) === incoming) incoming.receive(seq, data);
  }

  /** Late handshakes of the same peer go, newer ones may yet take this one's place. */
  #admit(incoming: IncomingLink): void {
    const { id } = incoming.hello;
    for (const [link, pending] of [...this.#pending]) {
      if (pending.hello.id === id) this.#pending.delete(link);
      if (pending === incoming) break;
    }
    this.#admitted.get(id)?.close();
    this.#admitted.set(id, incoming);
    this.#host.emit({ type: 'up', hello: incoming.hello, direction: 'incoming' });
    this.#onDialed(id);
  }

  /** The dialer says that a link has ended, and perhaps why. */
  onEnd({ link, data }: Extract<LinkBody, { type: 'rxraft_end' }>): void {
    const incoming = this.#find(link);
    if (incoming === undefined) return;
    const message = data === null ? null : fromText(data);
    if (message?.type === 'refusal') {
      const { id } = incoming.hello;
      this.#host.emit({ type: 'refused', by: 'peer', id, refusal: message.refusal });
    }
    this.#leave(incoming);
  }

  /** Closes all links of that peer, handshakes included, and tells it. */
  hangUp(id: NodeId): void {
    const links = [...this.#pending.values(), ...this.#admitted.values()];
    for (const incoming of links) if (incoming.hello.id === id) this.#end(incoming);
  }

  /** Closes everything. */
  closeAll(): void {
    for (const incoming of [...this.#pending.values(), ...this.#admitted.values()]) this.#end(incoming);
  }

  /** Lets go of what has been silent for too long. */
  pulse(now: number): void {
    const { handshakeMsMax, silenceMsMax } = this.#host.limits;
    for (const [link, { heardMs }] of this.#pending)
      if (now - heardMs >= handshakeMsMax) this.#pending.delete(link);
    for (const incoming of [...this.#admitted.values()])
      if (now - incoming.heardMs >= silenceMsMax) this.#end(incoming);
  }

  #end(incoming: IncomingLink): void {
    const { name, link } = incoming;
    this.#host.post(name, { type: 'rxraft_end', link, data: null });
    this.#leave(incoming);
  }

  #leave(incoming: IncomingLink): void {
    const { id } = incoming.hello;
    incoming.close();
    this.#pending.delete(incoming.link);
    if (this.#admitted.get(id) !== incoming) return;
    this.#admitted.delete(id);
    this.#host.emitIfDown(id);
  }

  #find(link: string): IncomingLink | undefined {
    const pending = this.#pending.get(link);
    return pending ?? [...this.#admitted.values()].find((incoming) => incoming.link === link);
  }
}
