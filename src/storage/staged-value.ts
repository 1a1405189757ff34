import { damaged } from './damage.ts';
import { type KeyText, keyBytes, keyText } from './key-text.ts';
import type { MachineBase, MachineWrites } from './machine-overlay.ts';
import type { StageState, StageWrites } from './medium.ts';
import { decodePiece } from './snapshot-piece.ts';

/** What a chunk does to the stage: one transaction. */
export interface StageStep {
  readonly state: StageState;
  readonly entries: StageWrites['entries'];
  /** Kept until the value is whole. */
  readonly pieces?: MachineWrites;
}

/** The generation in which a stage keeps the pieces of a value that is not whole yet. */
export function piecesOf({ generation }: StageState): number {
  return generation + 1;
}

/**
 * Takes a piece of a value that no chunk holds. Pieces are on the disk, each under its number, so that a restart
 * goes on with them and none is held in memory; the last one makes them the value. The next large value is
 * written over them. `undefined` if it is not the piece that is next.
 */
export function takePiece(
  state: StageState,
  chunk: Uint8Array,
  machineOf: (generation: number) => MachineBase,
): StageStep | undefined {
  const piece = decodePiece(chunk);
  if (piece === undefined) return undefined;
  const { key, bytes, isEnd } = piece;
  const lastKey = keyText(key);
  const isNext = state.unfinished === null ? lastKey > state.lastKey : lastKey === state.lastKey;
  if (!isNext) return undefined;
  if (isEnd) {
    const value = wholeValue(state, bytes, machineOf(piecesOf(state)));
    return { state: { ...state, lastKey, unfinished: null }, entries: [[key, value]] };
  }
  const before = state.unfinished ?? { pieces: 0, bytes: 0 };
  const unfinished = { pieces: before.pieces + 1, bytes: before.bytes + bytes.byteLength };
  const entry = [pieceText(before.pieces), bytes] as const;
  const pieces = {
    generation: piecesOf(state),
    entries: [entry],
    bytes: bytes.byteLength,
    state: null,
  };
  return { state: { ...state, lastKey, unfinished }, entries: [], pieces };
}

function wholeValue({ unfinished }: StageState, last: Uint8Array, pieces: MachineBase): Uint8Array {
  const before = unfinished ?? { pieces: 0, bytes: 0 };
  const value = new Uint8Array(before.bytes + last.byteLength);
  let at = 0;
  for (let number = 0; number < before.pieces; number++) {
    const piece = pieces.get(keyBytes(pieceText(number)));
    if (piece === undefined) throw damaged(`piece ${number} of a value of a snapshot is gone`);
    value.set(piece, at);
    at += piece.byteLength;
  }
  value.set(last, at);
  return value;
}

function pieceText(number: number): KeyText {
  return String(number);
}
