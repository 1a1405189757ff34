import {
  type ApplyReq,
  type Config,
  type ConfigurationAt,
  decodePayload,
  type EntryBatch,
  type Index,
  type Input,
  index,
  index0,
  initialState,
  lastOf,
  type Output,
  type Peer,
  type PersistReq,
  type ReadStateMachineReq,
  type Seq,
  type State,
  step,
} from '../core/index.ts';
import { batchesFrom, type Disk, lastIndexOf, logIndexOf, persisted } from './disk.ts';
import { expectThat } from './violation.ts';

/** How a bare node is put together. */
export interface BareNodeOptions {
  readonly self: Peer;
  readonly config: Config;
  readonly configurations: readonly ConfigurationAt[];
  readonly seed: number;
  readonly disk: Disk;
  /** Whether what the state machine applied survives a crash. In memory it begins at 0 again. */
  readonly isMachineDurable: boolean;
}

/** A command that the state machine has applied. */
export interface Applied {
  readonly index: Index;
  readonly command: string;
}

interface LogRead {
  readonly seq: Seq;
  readonly batches: readonly EntryBatch[];
}

/** An `applyReq`, and what was asked of the disk before it. */
interface Apply {
  readonly request: ApplyReq;
  readonly persistSeq: Seq;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The commands of a batch, as text. */
export function commandsOf(batch: EntryBatch): readonly string[] {
  return batch.kind === 'command' ? decodePayload(batch.payload).map((bytes) => decoder.decode(bytes)) : [];
}

/**
 * A core with a disk and a state machine that do what they are told, when they are told. Nothing happens by
 * itself: a write is on disk after {@link BareNode.flush}, a commit is applied after {@link BareNode.apply}.
 */
export class BareNode {
  readonly #options: BareNodeOptions;
  #state: State;
  #isUp = true;
  #boot = 1;
  #durable: Disk;
  #written: Disk;
  #unflushed: PersistReq[] = [];
  #logReads: LogRead[] = [];
  #lane: (Apply | ReadStateMachineReq)[] = [];
  #applied: Applied[] = [];
  #appliedIndex = index0;
  /** What the machine applied and has not flushed, with the disk request that must not come later. */
  #unflushedApplies: { readonly index: Index; readonly persistSeq: Seq }[] = [];

  constructor(options: BareNodeOptions) {
    this.#options = options;
    this.#durable = options.disk;
    this.#written = options.disk;
    this.#applyThrough(options.disk.appliedIndex);
    this.#state = this.#start();
  }

  /** Its name and its store. */
  get self(): Peer {
    return this.#options.self;
  }

  /** Its core, as it is now. */
  get state(): State {
    return this.#state;
  }

  /** Whether it runs: a node that crashed waits for {@link BareNode.restart}. */
  get isUp(): boolean {
    return this.#isUp;
  }

  /** How often it has started: a completion of an earlier run never arrives. */
  get boot(): number {
    return this.#boot;
  }

  /** What a power cut leaves. */
  get durable(): Disk {
    return this.#durable;
  }

  /** What the process has written, flushed or not. */
  get written(): Disk {
    return this.#written;
  }

  /** Disk requests that are not flushed, in order. */
  get unflushed(): readonly PersistReq[] {
    return this.#unflushed;
  }

  /** How many `readLogReq` wait to be answered. */
  get logReads(): number {
    return this.#logReads.length;
  }

  /** How many requests wait in the machine lane. */
  get laneLength(): number {
    return this.#lane.length;
  }

  /** What the state machine holds. */
  get applied(): readonly Applied[] {
    return this.#applied;
  }

  /** How far the state machine is. */
  get appliedIndex(): Index {
    return this.#appliedIndex;
  }

  /** Something happens. The node's own disk and machine take their requests; all outputs are returned. */
  step(input: Input): readonly Output[] {
    const { state, outputs } = step(this.#state, input);
    this.#state = state;
    for (const output of outputs) this.#take(output);
    return outputs;
  }

  /** Puts the oldest `count` requests on disk, without saying so: {@link BareNode.complete} does. */
  sync(count = this.#unflushed.length): Seq {
    const done = this.#unflushed.splice(0, count);
    for (const request of done) this.#durable = persisted(this.#durable, request);
    const seq = done.at(-1)?.seq ?? 0;
    if (this.#options.isMachineDurable && done.length > 0) this.#flushMachine(seq);
    return seq;
  }

  /** The completion of what {@link BareNode.sync} did. */
  complete(seq: Seq): Input {
    return { type: 'persistRes', seq };
  }

  /** The answer to the oldest `readLogReq`. */
  readLog(): Input | undefined {
    const read = this.#logReads.shift();
    return read && { type: 'readLogRes', seq: read.seq, batches: read.batches };
  }

  /**
   * Carries out the oldest request of the machine lane, of an `applyReq` at most `count` entries. Its
   * completion is returned.
   */
  runMachine(count = Number.POSITIVE_INFINITY): Input | undefined {
    const next = this.#lane[0];
    if (next === undefined) return undefined;
    if (!('request' in next)) {
      this.#lane.shift();
      return this.#query(next);
    }
    const { seq, through } = next.request;
    const target = index(Math.min(through, this.#appliedIndex + count));
    if (target === through) this.#lane.shift();
    this.#applyThrough(target);
    this.#unflushedApplies.push({ index: target, persistSeq: next.persistSeq });
    return { type: 'applyRes', seq, appliedIndex: this.#appliedIndex, durableIndex: index0 };
  }

  /** The process dies. Of the unflushed requests the oldest `keep` had reached the disk: by default none. */
  crash(keep = 0): void {
    this.#isUp = false;
    this.sync(keep);
    this.#unflushed = [];
    this.#written = this.#durable;
    this.#logReads = [];
    this.#lane = [];
    this.#unflushedApplies = [];
    this.#applied = [];
    this.#appliedIndex = index0;
  }

  /** The process starts again, from what its disk holds. */
  restart(): void {
    this.#isUp = true;
    this.#boot += 1;
    if (this.#options.isMachineDurable) this.#applyThrough(this.#durable.appliedIndex);
    this.#state = this.#start();
  }

  #start(): State {
    const { self, config, configurations, seed } = this.#options;
    return initialState({
      self,
      group: 0,
      config,
      seed: seed + this.#boot,
      hardState: this.#durable.hardState,
      log: logIndexOf(this.#durable.batches),
      configurations,
      appliedIndex: this.#appliedIndex,
    });
  }

  #take(output: Output): void {
    switch (output.type) {
      case 'persistReq':
        this.#unflushed.push(output);
        this.#written = persisted(this.#written, output);
        break;
      case 'readLogReq':
        this.#logReads.push({ seq: output.seq, batches: batchesFrom(this.#written, output) });
        break;
      case 'applyReq':
        expectThat(
          output.through <= lastIndexOf(this.#written),
          () => `applyReq through ${output.through} comes before the persistReq that writes it`,
        );
        this.#lane.push({ request: output, persistSeq: this.#unflushed.at(-1)?.seq ?? 0 });
        break;
      case 'readStateMachineReq':
        this.#lane.push(output);
        break;
      default:
        break; // Not for this node's disk or machine.
    }
  }

  #query({ id, index: readIndex }: ReadStateMachineReq): Input {
    expectThat(
      this.#appliedIndex >= readIndex,
      () => `read ${id} of index ${readIndex} is asked when ${this.#appliedIndex} is applied`,
    );
    return { type: 'readStateMachineRes', id, payload: encoder.encode(String(this.#appliedIndex)) };
  }

  #applyThrough(through: Index): void {
    for (const batch of batchesFrom(this.#written, {
      from: index(this.#appliedIndex + 1),
      maxBytes: 2 ** 52,
    })) {
      if (batch.index > through) break;
      commandsOf(batch).forEach((command, at) => {
        const place = index(batch.index + at);
        if (place > this.#appliedIndex && place <= through) this.#applied.push({ index: place, command });
      });
      this.#appliedIndex = index(Math.min(lastOf(batch), through));
    }
  }

  /** The machine shares the log's transactions: through `index`, with every disk request before its `applyReq`. */
  #flushMachine(seq: Seq): void {
    const isFlushed = ({ persistSeq }: { readonly persistSeq: Seq }) => persistSeq <= seq;
    const flushed = this.#unflushedApplies.filter(isFlushed).at(-1);
    if (flushed === undefined) return;
    const { hardState, batches } = this.#durable;
    this.#durable = { hardState, batches, appliedIndex: batchEndAtOrBefore(this.#durable, flushed.index) };
    this.#written = { ...this.#written, appliedIndex: this.#durable.appliedIndex };
    this.#unflushedApplies = this.#unflushedApplies.filter((apply) => !isFlushed(apply));
  }
}

/** Durable applied indexes fall on batch ends (design §6). */
function batchEndAtOrBefore(disk: Disk, at: Index): Index {
  const ends = disk.batches.map(lastOf).filter((end) => end <= at);
  return ends.at(-1) ?? index0;
}
