import type {
  GroupId,
  Index,
  Input,
  InstallSnapshotReq,
  Peer,
  SendSnapshotReq,
  TakeSnapshotReq,
} from '../core/index.ts';
import type { SnapshotView, Storage } from '../storage/storage.ts';
import type {
  PeerFrame,
  SnapshotAckFrame,
  SnapshotChunkFrame,
  SnapshotOfferFrame,
  TransportEvent,
} from '../transport/transport.ts';
import { requestError } from './errors.ts';
import { growingPauseMs } from './growing-pause.ts';
import type { LogLane } from './log-lane.ts';
import type { LaneView } from './machine-lane.ts';
import type { Logger } from './raft-node.ts';
import { Reminders } from './reminders.ts';
import { NoSnapshotError, piecesIn, saveMachine } from './saved-machine.ts';
import { SnapshotReceiver } from './snapshot-receiver.ts';
import {
  type GivenUpTransfer,
  type MalformedTransfer,
  SnapshotSender,
  standstillMsMax,
} from './snapshot-sender.ts';
import type { StateMachine } from './state-machine.ts';

/** What {@link Snapshots} works with. */
export interface SnapshotsOptions {
  readonly group: GroupId;
  // biome-ignore lint/suspicious/noExplicitAny: no queries are asked here.
  readonly machine: StateMachine<any, any, any, any>;
  readonly storage: Storage;
  readonly log: LogLane;
  readonly commitIndex: () => Index;
  /** Looks at the machine in its lane's turn, between two batches, and says where it is then. */
  readonly inLane: (look: (view: LaneView) => void) => void;
  readonly send: (to: Peer, frame: PeerFrame) => boolean;
  readonly input: (input: Input) => void;
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
  readonly logger: Logger;
}

/** Snapshots of a node: taken, sent, received and installed (§7; design §6). */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  readonly #sender: SnapshotSender;
  readonly #receiver: SnapshotReceiver;
  /** Views that wait until the machine's data are durable far enough. */
  #waiting: { readonly index: Index; readonly go: () => void }[] = [];
  #durableAppliedIndex: number;
  /** The snapshot of a machine outside the store that is being saved; one at a time. */
  #saving: Promise<Index> | null = null;
  /** The machine gave none the last time: when and after what pause the log is to be compacted again. */
  #failure: { readonly untilMs: number; readonly pauseMs: number } | null = null;
  /** Why the last snapshot that the core asked for was not taken; `null` if it was. */
  #notTaken: NoSnapshotError | null = null;

  constructor(options: SnapshotsOptions) {
    const { group, machine, storage, commitIndex, send, input, now, onError } = options;
    const refusals = new Reminders(now);
    this.#options = options;
    this.#durableAppliedIndex = storage.machineStore.appliedIndex;
    this.#sender = new SnapshotSender({
      group,
      view: (from) => this.#view(from),
      send,
      input,
      now,
      onError,
      onGivenUp: (transfer) => logGivenUp(options.logger, transfer),
      onMalformed: (transfer) => logMalformed(options.logger, transfer),
    });
    this.#receiver = new SnapshotReceiver({
      group,
      storage,
      isEntry: machine.isSnapshotEntry?.bind(machine),
      commitIndex,
      send: (to, frame) => void send(to, frame),
      now,
      onRefused: ({ id }, { code, message }) => {
        if (refusals.isDue(id, code)) options.logger.warn({ peer: id, code }, message);
      },
      onError,
    });
  }

  /** The core wants a snapshot; its view is that of this moment. */
  take({ seq }: TakeSnapshotReq, view: LaneView): void {
    this.#options.log.noteSnapshot();
    const done = (index: Index) => this.#options.input({ type: 'takeSnapshotRes', seq, index });
    this.#notTaken = null;
    if (this.#options.machine.keeps === 'store') this.#whenDurable(view.index, () => done(view.index));
    else this.#save(view).then(done, (error) => this.#onNotTaken(error, done));
  }

  /** The core goes on with the snapshot that it had, and the whole log since then. */
  #onNotTaken(error: unknown, done: (index: Index) => void): void {
    if (!(error instanceof NoSnapshotError)) return this.#options.onError(error);
    this.#notTaken = error;
    done(this.#options.storage.machineStore.appliedIndex);
  }

  /** What comes of the machine's failure to give one, if it did the last time: a pause, and then another try. */
  get afterFailure(): 'none' | 'pause' | 'retry' {
    if (this.#failure === null) return 'none';
    return this.#options.now() < this.#failure.untilMs ? 'pause' : 'retry';
  }

  /** Throws if the machine gave none the last time that the core asked for one. */
  checkTaken(): void {
    if (this.#notTaken === null) return;
    const { message, cause } = this.#notTaken;
    throw requestError('RAFT_SNAPSHOT_FAILED', 'notCommitted', `${capitalized(message)}.`, { cause });
  }

  /** Whether a snapshot may be taken now: the disk stages one thing at a time. */
  get isBusy(): boolean {
    return this.#receiver.isReceiving || this.#saving !== null;
  }

  /** The core wants a follower to get a snapshot. */
  send(request: SendSnapshotReq): void {
    this.#sender.begin(request);
  }

  async #view(from: Index): Promise<SnapshotView> {
    const { machine, storage } = this.#options;
    if (machine.keeps === 'store') await new Promise<void>((go) => this.#whenDurable(from, go));
    else while (storage.machineStore.appliedIndex < from) await this.#saveInLane(); // One under way may be older.
    return storage.viewMachine();
  }

  #saveInLane(): Promise<Index> {
    return new Promise((resolve, reject) => {
      this.#options.inLane((view) => this.#save(view).then(resolve, reject));
    });
  }

  /** Machines in the store: their durable data are the snapshot. */
  #whenDurable(index: Index, go: () => void): void {
    if (this.#durableAppliedIndex >= index) return go();
    this.#waiting.push({ index, go });
    this.#options.log.flushMachine();
  }

  /** Other machines: what `snapshot()` gives is saved in the store, beside the log. */
  #save(view: LaneView): Promise<Index> {
    if (this.#saving !== null) return this.#saving;
    const { machine, storage, log } = this.#options;
    const stageIsFree = this.#receiver.settle(); // And no offer is taken up meanwhile.
    this.#saving = saveMachine(machine, { view, stageIsFree, storage, log })
      .then((index) => {
        this.#failure = null;
        return index;
      })
      .catch((error: unknown) => {
        if (error instanceof NoSnapshotError) this.#noteFailure(error);
        throw error;
      })
      .finally(() => {
        this.#saving = null;
      });
    return this.#saving;
  }

  #noteFailure(error: NoSnapshotError): void {
    const isPausing = this.afterFailure === 'pause'; // Somebody asked for one meanwhile: that makes no pause longer.
    if (!isPausing || this.#failure === null) {
      const pauseMs = growingPauseMs(this.#failure?.pauseMs);
      this.#failure = { untilMs: this.#options.now() + pauseMs, pauseMs };
    }
    const pauseMs = Math.ceil(this.#failure.untilMs - this.#options.now());
    this.#options.logger.error(
      { err: error.cause },
      `${error.message}. Nothing is lost, and the node goes on: it keeps the whole log, which grows until a snapshot is taken, and ` +
        `is replayed at each start. It tries again in ${pauseMs} ms. Correct the state machine, or its state's codec`,
    );
  }

  /** A transaction is done: the machine's data in the store are durable through here. */
  onFlushed(durableAppliedIndex: Index): void {
    if (durableAppliedIndex <= this.#durableAppliedIndex) return;
    this.#durableAppliedIndex = durableAppliedIndex;
    const ready = this.#waiting.filter(({ index }) => index <= durableAppliedIndex);
    this.#waiting = this.#waiting.filter(({ index }) => index > durableAppliedIndex);
    for (const { go } of ready) go();
  }

  /** Switches disk and machine to a snapshot whose chunks have arrived. Gives whether they had. */
  async install({ transferId, snapshot, keepsSuffix }: InstallSnapshotReq): Promise<boolean> {
    const { machine, storage, log } = this.#options;
    const { index, term, logTimeMs, configuration } = snapshot;
    if (machine.keeps !== 'store' && machine.restore === undefined) throw noRestore(index);
    await this.#saving?.catch(() => undefined); // What is saved is older, and must not be switched to after this.
    await this.#receiver.settle();
    const isInstalled = await log.install({
      transferId,
      index,
      logTimeMs,
      log: { term, configuration, keepsSuffix },
    });
    if (!isInstalled) return false;
    this.onFlushed(index);
    if (machine.keeps === 'store') await machine.open(storage.machineStore);
    else await machine.restore?.(piecesIn(storage.machineStore), index);
    return true;
  }

  /** What the transport saw. */
  onEvent(event: TransportEvent): void {
    if (event.type === 'up' && event.direction === 'outgoing') return this.#sender.onUp(event.hello.id);
    if (event.type !== 'frame') return;
    const { from, frame } = event;
    if (frame.type === 'snapshotAck' || frame.type === 'snapshotOffer' || frame.type === 'snapshotChunk') {
      if (frame.group === this.#options.group) this.#onFrame(from, frame);
    }
  }

  #onFrame(from: Peer, frame: SnapshotAckFrame | SnapshotOfferFrame | SnapshotChunkFrame): void {
    if (frame.type === 'snapshotAck') this.#sender.onAck(from, frame);
    else if (frame.type === 'snapshotOffer' && this.#saving === null)
      this.#receiver.onOffer(from, frame); // Else: offered again.
    else if (frame.type === 'snapshotChunk') this.#receiver.onChunk(from, frame);
  }

  onTick(): void {
    this.#sender.onTick();
  }

  /** This node does not lead any more, or closes: it sends nothing. */
  stopSending(): void {
    this.#sender.close();
  }
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}

function noRestore(index: Index): TypeError {
  return new TypeError(
    `a snapshot of ${index} came, and this state machine can't restore one: it has no restore()`,
  );
}

function logGivenUp(logger: Logger, { to, transferId, index, nextChunk }: GivenUpTransfer): void {
  const where = nextChunk === null ? 'it never answered' : `the next piece is ${nextChunk}`;
  logger.warn(
    { peer: to.id, transferId, index, nextChunk },
    `gave up sending ${to.id} a snapshot of ${index}, since it got no further for ${standstillMsMax} ms: ${where}. ` +
      'A new transfer begins',
  );
}

function logMalformed(logger: Logger, { to, transferId, index, pauseMs }: MalformedTransfer): void {
  logger.warn(
    { peer: to.id, transferId, index },
    `${to.id} refused a snapshot of ${index}: a piece of it is nothing that its state machine can have written. It keeps the ` +
      `data that it has, and gets another snapshot in ${pauseMs} ms. If it goes on, the two nodes run versions that do not ` +
      "fit, or this node's data are damaged: hand leadership over to another node",
  );
}
