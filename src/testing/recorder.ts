import type { NodeId, State } from '../core/index.ts';
import type { Stepped } from '../streams/step-with.ts';
import type { PayloadForm } from './recorded-bytes.ts';
import { digestOf, encodeLine, type RecordedLine, recordingFormat } from './recorded-line.ts';

/** How a {@link recorder} writes. */
export interface RecorderOptions {
  /** Default `checksums`: payloads are the application's, and may be long or secret. */
  readonly payloads?: PayloadForm;
  /** What the randomness came from, noted for whoever reads it. */
  readonly seed?: number;
  /** Monotonic milliseconds. Default: the latest tick that any of the nodes has had. */
  readonly clock?: () => number;
  /**
   * Whether `write` may take a line now. While it says no, steps are missing and nothing is encoded for them: a gap
   * holds a whole state, which would otherwise be made anew for each step of a node whose disk is slow. Default: yes.
   */
  readonly canWrite?: () => boolean;
}

/** What is known of a node that is being recorded. */
interface Track {
  /** After its last step, written or not. */
  readonly state: State;
  /** Steps since its start, and those that are missing before it. */
  readonly seq: number;
  /** Whether its start has been written. */
  readonly hasStart: boolean;
  /** Its latest steps that could not be written. */
  readonly missing: number;
}

/**
 * Writes down each step that the function it gives is told of, of one node or of several: as the `onStep` of
 * `raftNode`, or of a simulation. A state that does not follow from the node's last one is a start.
 *
 * `write` is given one line at a time, without a line break. It may give `false` for a line that it can't take, such
 * as when a disk is too slow: before the next step that it takes a line says how many are missing, and where the node
 * stood. What JSON can't hold is missing too. Keeps one state for each node, and no lines.
 */
export function recorder(
  write: (line: string) => unknown,
  options: RecorderOptions = {},
): (stepped: Stepped) => void {
  const recording = new Recording(write, options);
  return (stepped) => recording.take(stepped);
}

/** A node starts. The steps that its last start still lacks are missing before this one. */
function trackFrom(state: State, last: Track | undefined): Track {
  const missing = last?.missing ?? 0;
  return { state, seq: missing, hasStart: false, missing };
}

class Recording {
  readonly #write: (line: string) => unknown;
  readonly #options: RecorderOptions;
  readonly #tracks = new Map<NodeId, Track>();
  #latestTick = 0;

  constructor(write: (line: string) => unknown, options: RecorderOptions) {
    this.#write = write;
    this.#options = options;
  }

  take(stepped: Stepped): void {
    const { before, state } = stepped;
    const node = state.self.id;
    this.#latestTick = Math.max(this.#latestTick, state.now);
    const at = Math.round((this.#options.clock?.() ?? this.#latestTick) * 1000) / 1000;
    const known = this.#tracks.get(node);
    const track = known?.state === before ? known : trackFrom(before, known);
    const isOpen = this.#options.canWrite?.() !== false && this.#begin(track, { node, at });
    const isWritten = isOpen && this.#writeStep(stepped, { node, at, seq: track.seq + 1 });
    this.#tracks.set(node, {
      state,
      seq: track.seq + 1,
      hasStart: track.hasStart || isOpen,
      missing: isWritten ? 0 : isOpen ? 1 : track.missing + 1,
    });
  }

  /** Writes what must stand before the next step, if anything. */
  #begin({ state, seq, hasStart, missing }: Track, { node, at }: { node: NodeId; at: number }): boolean {
    if (!hasStart) {
      const { payloads = 'checksums', seed = null } = this.#options;
      return this.#put({ type: 'start', format: recordingFormat, node, seq, at, payloads, seed, state });
    }
    return missing === 0 || this.#put({ type: 'gap', node, seq, at, missing, state });
  }

  #writeStep(
    { input, outputs, state }: Stepped,
    { node, at, seq }: { node: NodeId; at: number; seq: number },
  ): boolean {
    return this.#put({ type: 'step', node, seq, at, input, outputs, after: digestOf(state) });
  }

  #put(line: RecordedLine): boolean {
    const text = this.#textOf(line);
    return text !== null && this.#write(text) !== false;
  }

  #textOf(line: RecordedLine): string | null {
    try {
      return encodeLine(line, this.#options.payloads ?? 'checksums');
    } catch {
      return null; // Not plain data, such as a `bigint` from plain JavaScript.
    }
  }
}
