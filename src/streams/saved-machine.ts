import { type Index, putUint32 } from '../core/index.ts';
import { encodeChunk } from '../storage/snapshot-chunk.ts';
import type { MachineStore, SnapshotStage, Storage } from '../storage/storage.ts';
import { textOf } from './errors.ts';
import type { LogLane } from './log-lane.ts';
import type { LaneView } from './machine-lane.ts';
import type { StateMachine } from './state-machine.ts';

/**
 * The state machine threw where it was to give a snapshot, or gave something else. Nothing is lost: what was saved before is
 * there, and so is the log since then.
 */
export class NoSnapshotError extends Error {
  override readonly name = 'NoSnapshotError';

  constructor(cause: unknown) {
    super(`the state machine gave no snapshot: ${textOf(cause)}`, { cause });
  }
}

/**
 * Saves the snapshot of a machine outside the store: each piece as a value of the machine store, under its
 * number, staged beside what was saved before and then switched to. Resolves with the index it stands for. Rejects with a
 * {@link NoSnapshotError} if the machine gives none.
 */
export async function saveMachine(
  // biome-ignore lint/suspicious/noExplicitAny: no queries are asked here.
  machine: StateMachine<any, any, any, any>,
  {
    view,
    stageIsFree,
    storage,
    log,
  }: {
    readonly view: LaneView;
    /** What a leader sent is not being staged any more. */
    readonly stageIsFree: Promise<void>;
    readonly storage: Storage;
    readonly log: LogLane;
  },
): Promise<Index> {
  const pieces = piecesOf(machine);
  const transferId = `own-${crypto.randomUUID()}`;
  await stageIsFree;
  const stage = await storage.stage(transferId);
  await fill(stage, pieces);
  const { index, logTimeMs } = view;
  const isSaved = await log.install({ transferId, index, logTimeMs, log: null });
  return isSaved ? index : storage.machineStore.appliedIndex;
}

type Pieces = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

// biome-ignore lint/suspicious/noExplicitAny: no queries are asked here.
function piecesOf(machine: StateMachine<any, any, any, any>): AsyncIterable<Uint8Array> {
  try {
    if (machine.snapshot === undefined) throw new TypeError('it has no snapshot()');
    return checked(machine.snapshot());
  } catch (cause) {
    throw new NoSnapshotError(cause);
  }
}

/** What fails in here is the machine's doing, and not the disk's. */
async function* checked(pieces: Pieces): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of pieces) {
      if (!(piece instanceof Uint8Array))
        throw new TypeError(`a piece of it is ${typeof piece}, expected a Uint8Array`);
      yield piece;
    }
  } catch (cause) {
    throw new NoSnapshotError(cause);
  }
}

async function fill(stage: SnapshotStage, pieces: AsyncIterable<Uint8Array>): Promise<void> {
  let number = 0;
  let last: Uint8Array = encodePiece(0, new Uint8Array(0));
  for await (const piece of pieces) {
    if (number > 0) await stage.append({ number: number - 1, bytes: last, isLast: false });
    last = encodePiece(number, piece);
    number += 1;
  }
  await stage.append({ number: Math.max(0, number - 1), bytes: last, isLast: true });
}

function encodePiece(number: number, piece: Uint8Array): Uint8Array {
  const key = new Uint8Array(4);
  putUint32(key, 0, number);
  return encodeChunk([[key, piece]]);
}

/** The pieces that {@link saveMachine} saved, or that came with the snapshot of another node. */
export function* piecesIn(store: MachineStore): Generator<Uint8Array> {
  for (const [, value] of store.range({})) yield value;
}
