import { type Configuration, membersOf, type NodeId } from '../../core/index.ts';
import type { MembershipChange } from '../../streams/raft-node.ts';
import type { Dice } from '../dice.ts';
import type { Run } from './run.ts';
import type { SimProcess } from './sim-process.ts';

/** More nodes than the founders. */
const extraNodesMax = 2;

/** Who changes the members, and replaces nodes whose disks were lost. */
export class Operator<Command, Result, Query, Answer> {
  readonly #run: Run<Command, Result, Query, Answer>;
  /** Nodes that were started to join: they declare no members. */
  readonly #joiners = new Set<NodeId>();
  /** Nodes on an empty disk, until their cluster has taken them in again. */
  readonly #toReplace = new Set<NodeId>();
  #isChanging = false;

  constructor(run: Run<Command, Result, Query, Answer>) {
    this.#run = run;
  }

  isJoiner(id: NodeId): boolean {
    return this.#joiners.has(id);
  }

  /** Whether a change is under way, or a node has to be replaced yet. */
  get isBusy(): boolean {
    return this.#isChanging || this.#toReplace.size > 0;
  }

  /** The configuration that the leader of the latest term has committed, if it leads still. */
  get configuration(): Configuration | undefined {
    const { leader, history } = this.#run.cluster;
    const state = leader?.state;
    const latest = state?.configurations.at(-1);
    if (state == null || latest === undefined || state.currentTerm < history.lastTerm) return undefined;
    return latest.index <= state.commitIndex ? latest.configuration : undefined;
  }

  /**
   * Voters that may lose their disk: one at a time, and only while all the others are up, so that what was acknowledged
   * is held by a majority of those that are left.
   */
  get wipeable(): readonly NodeId[] {
    const { configuration } = this;
    if (this.isBusy || configuration === undefined || !this.isComplete) return [];
    const { voters } = configuration;
    return voters.length < 3 ? [] : voters.map(({ id }) => id);
  }

  /** After a while, removes a node whose disk was wiped, and adds it as the new one it is. */
  replaceLater(id: NodeId, afterMs: number): void {
    this.#toReplace.add(id);
    this.#run.last(afterMs, () => void this.#replace(id));
  }

  /** Replaces every member that is not there on the disk that the cluster knows it by. */
  repair(): void {
    const { cluster } = this.#run;
    for (const { id, storeId } of this.configuration === undefined ? [] : membersOf(this.configuration)) {
      const isThere = cluster.process(id)?.disk.image.storeId === storeId;
      if (!isThere && !this.#toReplace.has(id)) this.replaceLater(id, 0);
    }
  }

  async #replace(id: NodeId): Promise<void> {
    const { cluster } = this.#run;
    this.#joiners.add(id);
    let hasBegun = false;
    const { storeId } = cluster.disk(id).image;
    for (; cluster.failure === undefined; await this.#run.sleep(100)) {
      const { configuration } = this;
      if (configuration === undefined) continue;
      const known = membersOf(configuration).find((member) => member.id === id);
      if (known?.storeId === storeId) break;
      if (known !== undefined) {
        await this.#change({ type: 'remove', id });
        continue;
      }
      if (!hasBegun) cluster.end(id, (disk) => disk.kill());
      if (!hasBegun) cluster.start(id, { isJoining: true });
      hasBegun = true;
      await this.#change({ type: 'add', id, url: cluster.urlOf(id), storeId });
    }
    this.#toReplace.delete(id);
  }

  /** Adds or removes a node, or makes a voter of a learner. In words; `null` if nothing can be changed now. */
  changeMembers(dice: Dice): string | null {
    const { configuration } = this;
    if (this.isBusy || configuration === undefined) return null;
    const members = membersOf(configuration).map(({ id }) => id);
    const names = Array.from({ length: this.#run.settings.nodes + extraNodesMax }, (_, at) => `n${at + 1}`);
    const strangers = names.filter((id) => !members.includes(id));
    const canShrink = configuration.voters.length > Math.min(3, this.#run.settings.nodes);
    if (strangers.length > 0 && (!canShrink || dice.chance(60))) return this.#add(dice.pick(strangers), dice);
    if (!canShrink) return null;
    const id = dice.pick(members);
    void this.#remove(id);
    return `${id} is removed from the cluster`;
  }

  #add(id: NodeId, dice: Dice): string {
    const { cluster } = this.#run;
    const role = dice.pick(['voter', 'voter', 'learner'] as const);
    cluster.end(id, (disk) => disk.kill()); // One that was removed begins anew.
    const { storeId } = cluster.replaceDisk(id).image;
    this.#joiners.add(id);
    cluster.start(id, { isJoining: true });
    void this.#change({ type: 'add', id, url: cluster.urlOf(id), storeId, role });
    return `${id} is added to the cluster as a ${role}`;
  }

  async #remove(id: NodeId): Promise<void> {
    const isDone = await this.#change({ type: 'remove', id });
    if (isDone) this.#run.cluster.end(id, (disk) => disk.kill());
  }

  /** Whether the change was answered as done; if not, it may have been made all the same. */
  async #change(change: MembershipChange): Promise<boolean> {
    const asked = this.#anybody(change.id);
    if (asked?.node == null) return false;
    const { node } = asked;
    this.#isChanging = true;
    const isDone = await this.#run.request(asked, `${change.type} ${change.id}`, (options) =>
      node.changeMembers([change], options),
    );
    this.#isChanging = false;
    if (isDone) this.#run.count('members');
    if (isDone) this.#run.cluster.counts.membersChanged += 1;
    return isDone;
  }

  /** Somebody other than the node itself; the leader, if there is one. */
  #anybody(id: NodeId): SimProcess<Command, Result, Query, Answer> | undefined {
    const { leader, running } = this.#run.cluster;
    if (leader !== undefined && leader.id !== id) return leader;
    return running.find((process) => process.id !== id && !this.#toReplace.has(process.id));
  }

  /** Whether everybody whom the cluster counts is a process that runs on the store that it counts. */
  get isComplete(): boolean {
    const { configuration } = this;
    if (configuration === undefined || configuration.votersOutgoing.length > 0) return false;
    return membersOf(configuration).every(({ id, storeId }) => {
      const { disk, state } = this.#run.cluster.process(id) ?? {};
      return state != null && disk?.image.storeId === storeId;
    });
  }

  /** Whether a process is that of a member. */
  isMemberProcess({ id, disk }: SimProcess<Command, Result, Query, Answer>): boolean {
    const { storeId } = disk.image;
    const { configuration } = this;
    if (configuration === undefined) return false;
    return membersOf(configuration).some((member) => member.id === id && member.storeId === storeId);
  }
}
