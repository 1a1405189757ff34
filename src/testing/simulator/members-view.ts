import { type Configuration, type Member, membersOf } from '../../core/index.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { SimProcess } from './sim-process.ts';

/** The members as whoever operates a cluster sees them, who can look at every machine. */
export class MembersView<Command, Result, Query, Answer> {
  readonly #cluster: SimCluster<Command, Result, Query, Answer>;

  constructor(cluster: SimCluster<Command, Result, Query, Answer>) {
    this.#cluster = cluster;
  }

  /** The configuration that the leader of the latest term has committed, if it leads still. */
  get configuration(): Configuration | undefined {
    const { leader, history } = this.#cluster;
    const state = leader?.state;
    const latest = state?.configurations.at(-1);
    if (state == null || latest === undefined || state.currentTerm < history.lastTerm) return undefined;
    return latest.index <= state.commitIndex ? latest.configuration : undefined;
  }

  /** Members that are known by another disk than they have, unless a change is under way. */
  get lost(): readonly Member[] {
    if ((this.configuration?.votersOutgoing ?? []).length > 0) return [];
    return this.#members.filter((member) => !this.#isOnDisk(member));
  }

  /**
   * Members on the disks that they are known by: as the leader knows them or, if nobody leads, as any node knows that they
   * are by now. Who is not where it was moved to may be the one whose vote is missing, and know of nothing.
   */
  get onTheirDisks(): readonly Member[] {
    const { leader, history } = this.#cluster;
    const committed = history.configurations.at(-1);
    const known =
      leader !== undefined || committed === undefined ? this.#members : membersOf(committed.configuration);
    return known.filter((member) => this.#isOnDisk(member));
  }

  /** Whether everybody whom the cluster counts is a process that runs on the store that it counts, where it is listed. */
  get isComplete(): boolean {
    const { configuration } = this;
    if (configuration === undefined || configuration.votersOutgoing.length > 0) return false;
    return this.#members.every(
      (member) =>
        this.#cluster.process(member.id)?.state != null &&
        this.#isOnDisk(member) &&
        this.#cluster.urlOf(member.id) === member.url,
    );
  }

  /** Whether a process is that of a member. */
  isMemberProcess({ id, disk }: SimProcess<Command, Result, Query, Answer>): boolean {
    const { storeId } = disk.image;
    return this.#members.some((member) => member.id === id && member.storeId === storeId);
  }

  get #members(): readonly Member[] {
    const { configuration } = this;
    return configuration === undefined ? [] : membersOf(configuration);
  }

  #isOnDisk({ id, storeId }: Member): boolean {
    return this.#cluster.disk(id).image.storeId === storeId;
  }
}
