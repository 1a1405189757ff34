import type {
  ApplyReq,
  InstallSnapshotReq,
  ReadStateMachineReq,
  Seq,
  TakeSnapshotReq,
} from '../core/index.ts';
import type { LogChange } from './bare-disk.ts';

/** What the log lane carries out, in order. */
export type LogWork = LogChange | InstallSnapshotReq;

/** What the machine lane carries out, in order. */
export type MachineWork = Apply | ReadStateMachineReq | TakeSnapshotReq | InstallSnapshotReq;

/** An `applyReq`, and what was asked of the disk before it. */
export interface Apply {
  readonly type: 'apply';
  readonly request: ApplyReq;
  readonly persistSeq: Seq;
}

/** The requests that join a lane. */
export type LaneRequest = LogWork | ApplyReq | ReadStateMachineReq | TakeSnapshotReq;

/**
 * The two ordered lanes of a node (design §3): requests wait in them, in the order in which the core emitted them, and
 * neither lane waits for the other. Only an `installSnapshotReq` is a barrier: it stands in both, and is carried out once
 * it is the oldest in both.
 */
export class BareLanes {
  readonly #log: LogWork[] = [];
  readonly #machine: MachineWork[] = [];

  /** The requests in the log lane, oldest first. */
  get log(): readonly LogWork[] {
    return this.#log;
  }

  /** The requests in the machine lane, oldest first. */
  get machine(): readonly MachineWork[] {
    return this.#machine;
  }

  /** What the log lane carries out next; `undefined` while it is empty, or waits at the barrier. */
  get nextOfLog(): LogWork | undefined {
    const next = this.#log[0];
    return next?.type === 'installSnapshotReq' && this.#machine[0] !== next ? undefined : next;
  }

  /** What the machine lane carries out next; `undefined` while it is empty, or waits at the barrier. */
  get nextOfMachine(): MachineWork | undefined {
    const next = this.#machine[0];
    return next?.type === 'installSnapshotReq' && this.#log[0] !== next ? undefined : next;
  }

  /** The newest `persistReq` that is not carried out; 0 if there is none. */
  get lastPersistSeq(): Seq {
    return this.#log.findLast((request) => request.type === 'persistReq')?.seq ?? 0;
  }

  /** Whether every `persistReq` through one is carried out. */
  hasPersisted(seq: Seq): boolean {
    return !this.#log.some((work) => work.type === 'persistReq' && work.seq <= seq);
  }

  /** A request joins the end of its lane. */
  add(request: LaneRequest): void {
    switch (request.type) {
      case 'persistReq':
      case 'compactLogReq':
        this.#log.push(request);
        break;
      case 'installSnapshotReq':
        this.#log.push(request);
        this.#machine.push(request);
        break;
      case 'applyReq':
        this.#machine.push({ type: 'apply', request, persistSeq: this.lastPersistSeq });
        break;
      case 'readStateMachineReq':
      case 'takeSnapshotReq':
        this.#machine.push(request);
        break;
    }
  }

  /** What was the next of a lane is carried out, and leaves it; a barrier leaves both. */
  finish(work: LogWork | MachineWork): void {
    if (this.#log[0] === work) this.#log.shift();
    if (this.#machine[0] === work) this.#machine.shift();
  }
}
