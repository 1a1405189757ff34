import { EMPTY, type Observable } from 'rxjs';
import {
  type Configuration,
  configurationOf,
  membersOf,
  type NodeId,
  type Peer,
  type State,
} from '../core/index.ts';
import type { Founding } from '../storage/storage.ts';
import { judgeHello } from '../transport/founding.ts';
import {
  type HandshakeRefusal,
  type Hello,
  type LinkStatus,
  type MemberAddress,
  type PeerFrame,
  protocolVersion,
  type Transport,
  type TransportEvent,
} from '../transport/transport.ts';
import { textOf } from './errors.ts';
import type { Settings } from './options.ts';

/** What a {@link NodeNetwork} works with. */
export interface NodeNetworkOptions {
  /** None in a cluster of one. */
  readonly transport: Transport | undefined;
  readonly settings: Settings;
  readonly self: Peer;
  readonly bootCounter: number;
  /** What the store belongs to now. */
  readonly founding: () => Founding | null;
  readonly state: () => State | null;
}

/** The transport as one node uses it: who may speak with it, whom it speaks with, and what it says. */
export class NodeNetwork {
  readonly #options: NodeNetworkOptions;

  constructor(options: NodeNetworkOptions) {
    this.#options = options;
  }

  get event$(): Observable<TransportEvent> {
    return this.#options.transport?.event$ ?? EMPTY;
  }

  get links(): readonly LinkStatus[] {
    return this.#options.transport?.links() ?? [];
  }

  /** Begins to listen. */
  async open(): Promise<void> {
    await this.#options.transport?.open({
      hello: () => this.#hello(),
      admit: (hello) => this.#admit(hello),
    });
  }

  async close(): Promise<void> {
    await this.#options.transport?.close();
  }

  /** How this node introduces itself. */
  #hello(): Hello {
    const { settings, self, bootCounter, founding } = this.#options;
    return {
      protocolVersion,
      clusterId: founding()?.clusterId ?? null,
      id: self.id,
      storeId: self.storeId,
      bootCounter,
      members: settings.members,
    };
  }

  /** Judges how a peer introduces itself. */
  #admit(hello: Hello): HandshakeRefusal | null {
    const configuration = this.#configuration();
    const members = configuration === undefined ? [] : membersOf(configuration);
    return judgeHello({ hello: this.#hello(), members }, hello);
  }

  #configuration(): Configuration | undefined {
    const state = this.#options.state();
    return state === null ? this.#options.founding()?.configuration : configurationOf(state);
  }

  /** Keeps connections to these. Throws if one has an address that can't be dialed. */
  dial(members: readonly MemberAddress[]): void {
    const { transport, self } = this.#options;
    transport?.setPeers(members.filter((member) => member.id !== self.id));
  }

  /** Keeps connections to those of a configuration. A wrong address is no reason to lose a node. */
  dialMembers(configuration: Configuration): void {
    try {
      this.dial(membersOf(configuration));
    } catch (error) {
      const message = `the connections stay as they are: ${textOf(error)}`;
      this.#options.settings.logger.error({ error, configuration }, message);
    }
  }

  /** Lossy is fine, and no frame is worth the node: what can't be sent is dropped. */
  send(to: Peer, frame: PeerFrame): boolean {
    try {
      return this.#options.transport?.send(to, frame) ?? false;
    } catch (error) {
      const message = `a ${frame.type} frame could not be sent: ${textOf(error)}`;
      this.#options.settings.logger.error({ to: to.id, error }, message);
      return false;
    }
  }

  /** Sends to a member by its name. */
  sendTo(id: NodeId, frame: PeerFrame): boolean {
    const configuration = this.#configuration();
    const member = configuration && membersOf(configuration).find((candidate) => candidate.id === id);
    return member !== undefined && this.send(member, frame);
  }

  /** Closes the connections of a peer that broke the rules. */
  hangUp(id: NodeId, reason: string): void {
    this.#options.transport?.hangUp(id, reason);
  }
}
