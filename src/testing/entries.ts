import { crc32, decodePayload, type EntryBatch, encodePayload, index, term } from '../core/index.ts';
import { decodeText } from './text.ts';

const encoder = new TextEncoder();
const none: readonly string[] = [];
/** Every node of a cluster holds the same bytes, and asks again and again what they say. */
const decoded = new WeakMap<Uint8Array, readonly string[]>();

/** A batch of commands, given as text: at least one. */
export function commandBatch(
  at: { index: number; term: number },
  ...commands: readonly string[]
): EntryBatch {
  const payload = encodePayload(commands.map((command) => encoder.encode(command)));
  return {
    group: 0,
    index: index(at.index),
    term: term(at.term),
    count: commands.length,
    kind: 'command',
    logTimeMs: 0,
    payload,
    payloadChecksum: crc32(payload),
  };
}

/** A log from index 1 on, whose entries have these terms: each a batch of its own, with a text that names it. */
export function entriesOf(...terms: readonly number[]): readonly EntryBatch[] {
  return terms.map((inTerm, at) => commandBatch({ index: at + 1, term: inTerm }, `${at + 1}@${inTerm}`));
}

/** The commands of a batch, as text; none if it is of another kind. */
export function commandsOf({ kind, payload }: EntryBatch): readonly string[] {
  if (kind !== 'command') return none;
  const known = decoded.get(payload);
  if (known !== undefined) return known;
  const commands = decodePayload(payload).map(decodeText);
  decoded.set(payload, commands);
  return commands;
}
