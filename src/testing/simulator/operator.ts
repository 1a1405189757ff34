import { membersOf, type NodeId } from '../../core/index.ts';
import type { MembershipChange } from '../../streams/raft-node.ts';
import type { Dice } from '../dice.ts';
import { addChanges, kindOf, noChanges } from './change-counts.ts';
import { drawChange, inWords, type Part } from './draw-change.ts';
import { checkMade } from './made-changes.ts';
import { MembersView } from './members-view.ts';
import type { Run } from './run.ts';
import type { SimProcess } from './sim-process.ts';

/** More nodes than the founders. */
const extraNodesMax = 2;
/** A member that moves is away for so many milliseconds. */
const movingMs = 100;
/** It begins to move at most so many after it is listed elsewhere. */
const lateMsMax = 1000;

/** Who changes the members, and replaces nodes whose disks were lost. */
export class Operator<Command, Result, Query, Answer> {
  /** What it knows of the members. */
  readonly view: MembersView<Command, Result, Query, Answer>;
  readonly changes = noChanges();
  readonly #run: Run<Command, Result, Query, Answer>;
  /** Nodes that were started to join: they declare no members. */
  readonly #joiners = new Set<NodeId>();
  /** Nodes on an empty disk, until their cluster has taken them in again. */
  readonly #toReplace = new Set<NodeId>();
  #isChanging = false;

  constructor(run: Run<Command, Result, Query, Answer>) {
    this.#run = run;
    this.view = new MembersView(run.cluster);
  }

  isJoiner(id: NodeId): boolean {
    return this.#joiners.has(id);
  }

  /** Whether a change is under way, or a node has to be replaced yet. */
  get isBusy(): boolean {
    return this.#isChanging || this.#toReplace.size > 0;
  }

  /**
   * Voters that may lose their disk: one at a time, and only while all the others are up, so that what was acknowledged
   * is held by a majority of those that are left.
   */
  get wipeable(): readonly NodeId[] {
    const { configuration, isComplete } = this.view;
    if (this.isBusy || configuration === undefined || !isComplete) return [];
    const { voters } = configuration;
    return voters.length < 3 ? [] : voters.map(({ id }) => id);
  }

  /** After a while, removes a node whose disk was wiped, and adds it as the new one it is: then, or in the same change. */
  replaceLater(
    id: NodeId,
    { afterMs, isOneChange }: { readonly afterMs: number; readonly isOneChange: boolean },
  ): void {
    this.#toReplace.add(id);
    this.#run.last(afterMs, () => void this.#replace(id, isOneChange));
  }

  /** Replaces every member that is not there on the disk that the cluster knows it by, or not where it is listed. */
  repair(): void {
    for (const { id } of this.view.lost)
      if (!this.#toReplace.has(id)) this.replaceLater(id, { afterMs: 0, isOneChange: false });
    this.settle();
  }

  async #replace(id: NodeId, isOneChange: boolean): Promise<void> {
    const { cluster } = this.#run;
    this.#joiners.add(id);
    let hasBegun = false;
    const { storeId } = cluster.disk(id).image;
    for (; cluster.failure === undefined; await this.#run.sleep(100)) {
      const { configuration } = this.view;
      if (configuration === undefined) continue;
      const known = membersOf(configuration).find((member) => member.id === id);
      if (known?.storeId === storeId) break;
      if (known !== undefined && !isOneChange) {
        await this.#change([{ type: 'remove', id }]);
        continue;
      }
      if (!hasBegun) cluster.end(id, (disk) => disk.kill());
      if (!hasBegun) cluster.start(id, { isJoining: true });
      hasBegun = true;
      const add = { type: 'add', id, url: cluster.urlOf(id), storeId } as const;
      if (known === undefined) await this.#change([add]);
      else await this.#change([{ type: 'remove', id }, add], { isStoreTold: false });
    }
    this.#toReplace.delete(id);
  }

  /** Changes the role or the address of a member, or who is one, of one or two at once. In words; `null` if that can't be now. */
  changeMembers(dice: Dice): string | null {
    this.settle();
    const { configuration } = this.view;
    if (this.isBusy || configuration === undefined || configuration.votersOutgoing.length > 0) return null;
    const members = membersOf(configuration).map(({ id }) => id);
    const names = Array.from({ length: this.#run.settings.nodes + extraNodesMax }, (_, at) => `n${at + 1}`);
    const strangers = names.filter((id) => !members.includes(id));
    const votersMin = Math.min(3, this.#run.settings.nodes);
    const parts = drawChange({ configuration, strangers, votersMin }, dice);
    if (parts === null) return null;
    const lateMs = dice.below(lateMsMax + 1);
    void this.#carryOut(parts, lateMs);
    const isMoving = parts.some(({ type }) => type === 'move');
    return isMoving ? `${inWords(parts)}, and starts there ${lateMs} ms later` : inWords(parts);
  }

  async #carryOut(parts: readonly Part[], lateMs: number): Promise<void> {
    const { cluster } = this.#run;
    const changes = parts.map((part) => (part.type === 'add' ? this.#prepared(part) : part));
    const isDone = await this.#change(changes);
    if (!isDone && this.#run.faults.members === undefined) this.#run.again('members');
    for (const { type, id } of changes)
      if (isDone && type === 'remove') cluster.end(id, (disk) => disk.kill());
    if (changes.some(({ type }) => type === 'move')) this.#run.last(lateMs, () => this.settle());
  }

  /** Starts a node that is to be added. */
  #prepared({ id, role }: Extract<Part, { readonly type: 'add' }>): MembershipChange {
    const { cluster } = this.#run;
    cluster.end(id, (disk) => disk.kill()); // One that was removed begins anew.
    const { storeId } = cluster.replaceDisk(id).image;
    this.#joiners.add(id);
    cluster.start(id, { isJoining: true });
    return { type: 'add', id, url: cluster.urlOf(id), storeId, role };
  }

  /** Starts members where they are listed, if they run elsewhere: also those whose move was not known to be committed. */
  settle(): void {
    const { cluster } = this.#run;
    for (const { id, url } of this.view.onTheirDisks) {
      if (cluster.urlOf(id) === url) continue;
      const isRunning = cluster.process(id) !== undefined;
      cluster.end(id, (disk) => disk.kill());
      cluster.move(id, url);
      if (isRunning) this.#run.startAgain(id, movingMs, { isJoining: this.#joiners.has(id) });
    }
  }

  /**
   * Whether the change was answered as done; if not, it may have been made all the same. Without the store of who is
   * added, that node is asked for it.
   */
  async #change(
    changes: readonly MembershipChange[],
    { isStoreTold = true }: { readonly isStoreTold?: boolean } = {},
  ): Promise<boolean> {
    const asked = this.#anybodyBut(changes.flatMap(({ type, id }) => (isComingOrGoing(type) ? [id] : [])));
    if (asked?.node == null) return false;
    const { node } = asked;
    this.#isChanging = true;
    const what = changes.map(({ type, id }) => `${type} ${id}`).join(' and ');
    const { history } = this.#run.cluster;
    const knownBefore = Math.max(0, history.configurations.length - 1);
    const told = isStoreTold ? changes : changes.map(withoutStore);
    const isDone = await this.#run.request(asked, what, (options) => node.changeMembers(told, options));
    this.#isChanging = false;
    addChanges(this.changes, { [kindOf(changes)]: { asked: 1, committed: Number(isDone) } });
    if (!isDone) return false;
    this.#run.count('members');
    this.#run.cluster.counts.membersChanged += 1;
    this.#run.cluster.guard(() => checkMade(changes, history.configurations.slice(knownBefore)));
    return true;
  }

  /** Somebody other than these; the leader, if there is one. */
  #anybodyBut(ids: readonly NodeId[]): SimProcess<Command, Result, Query, Answer> | undefined {
    const { leader, running } = this.#run.cluster;
    if (leader !== undefined && !ids.includes(leader.id)) return leader;
    return running.find((process) => !ids.includes(process.id) && !this.#toReplace.has(process.id));
  }
}

/** Who is started or ended for a change can't be asked for it. */
function isComingOrGoing(type: MembershipChange['type']): boolean {
  return type === 'add' || type === 'remove';
}

function withoutStore(change: MembershipChange): MembershipChange {
  if (change.type !== 'add') return change;
  const { storeId: _, ...others } = change;
  return others;
}
