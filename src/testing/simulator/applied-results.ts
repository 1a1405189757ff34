import type { NodeId } from '../../core/index.ts';
import type { LogPosition } from '../../streams/state-machine.ts';
import { expectThat } from '../violation.ts';
import { apart, readable, shown } from '../words-of.ts';

/** What a node did with one entry. */
export interface AppliedEntry {
  readonly request: number;
  readonly command: unknown;
  readonly result: unknown;
  /** The result as it would travel. */
  readonly bytes: Uint8Array;
}

interface Known extends AppliedEntry {
  readonly id: NodeId;
  readonly at: LogPosition;
}

/**
 * What every node has applied, and with what result: the same at the same index everywhere, whatever a node went
 * through in between. The first that applies an entry says what it is.
 */
export class AppliedResults {
  readonly #known = new Map<number, Known>();
  /** By index: what the first snapshot there held, and whose it was. */
  readonly #snapshots = new Map<number, { readonly id: NodeId; readonly text: string }>();

  /** A node has applied the entry at a position. Throws an `InvariantViolation` if another did otherwise. */
  check(id: NodeId, at: LogPosition, entry: AppliedEntry): void {
    const known = this.#known.get(at.index);
    if (known === undefined) {
      this.#known.set(at.index, { ...entry, id, at });
      return;
    }
    const { index } = at;
    expectThat(
      known.request === entry.request && known.at.term === at.term && known.at.logTimeMs === at.logTimeMs,
      () =>
        `${id} applies ${shown(entry.command)} at ${index}, where ${known.id} applied ${shown(known.command)}`,
    );
    expectThat(isSameBytes(known.bytes, entry.bytes), () => otherResult(id, known, entry));
  }

  /** What a node's snapshot holds at an index. Throws an `InvariantViolation` if another's holds something else. */
  checkSnapshot(id: NodeId, index: number, text: string): void {
    const known = this.#snapshots.get(index);
    if (known === undefined) this.#snapshots.set(index, { id, text });
    else expectThat(known.text === text, () => otherSnapshot(id, index, { known, text }));
  }

  /** The result at an index, if any node applied it. */
  at(index: number): AppliedEntry | undefined {
    return this.#known.get(index);
  }
}

function otherResult(id: NodeId, known: Known, { command, result, bytes }: AppliedEntry): string {
  const who = known.id === id ? 'after a restart' : id;
  const words = [shown(known.result), shown(result)];
  const [before, now] = words[0] === words[1] ? apart(readable(known.bytes), readable(bytes)) : words;
  const results = `${known.id} got ${before} and ${who} ${now}`;
  return (
    `the command ${shown(command)} at index ${known.at.index} has two results: ${results}.\n` +
    'apply must depend on nothing but the commands so far and their positions'
  );
}

function otherSnapshot(
  id: NodeId,
  index: number,
  { known, text }: { readonly known: { readonly id: NodeId; readonly text: string }; readonly text: string },
): string {
  const [before, now] = apart(known.text, text);
  return `after the same commands, through index ${index}, ${known.id} and ${id} hold different data: ${before} and ${now}`;
}

function isSameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && a.every((byte, at) => byte === b[at]);
}
