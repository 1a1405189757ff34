import { type NodeId, type State, step } from '../core/index.ts';
import { firstDifference } from './json-difference.ts';
import { type PayloadForm, toJson } from './recorded-bytes.ts';
import {
  damaged,
  decodeLine,
  digestOf,
  type GapLine,
  type RecordedLine,
  RecordingError,
  type StartLine,
  type StepLine,
} from './recorded-line.ts';

/** The core did not do what it did when it was recorded. */
export interface ReplayDifference {
  readonly node: NodeId;
  readonly seq: number;
  /** Counted from 1. */
  readonly line: number;
  /** Such as `outputs[0].message.term` or `after.commitIndex`. */
  readonly path: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

/** What a replay came to so far. */
export interface ReplaySummary {
  readonly steps: number;
  readonly nodes: number;
  /** Starts of nodes: more than nodes if some started again. */
  readonly starts: number;
  /** Steps that the recording says it lacks. */
  readonly missing: number;
  /** Lines that end in the middle, since their process ended while it wrote them. */
  readonly cutOff: number;
}

/** What a {@link Replay} can be told. */
export interface ReplayOptions {
  /** Told of each node's state at its start, with `seq` 0, and after each step. */
  readonly onState?: (at: { readonly node: NodeId; readonly seq: number; readonly state: State }) => void;
}

/** A node that is being replayed. */
interface Actor {
  readonly state: State;
  readonly seq: number;
  readonly payloads: PayloadForm;
}

interface Replayed {
  readonly state: State;
  readonly difference: ReplayDifference | null;
}

/**
 * Does again what a recording says was done, one line after the other: each recorded input is given to `step`, and
 * what comes is compared with what came then. Lines of several nodes may stand between each other, and a node may
 * start again. Keeps one state for each node, however long the recording.
 */
export class Replay {
  readonly #options: ReplayOptions;
  readonly #actors = new Map<NodeId, Actor>();
  #line = 0;
  readonly #counts = { steps: 0, starts: 0, missing: 0, cutOff: 0 };
  /** The error of an empty line, which is forgiven if nothing follows. */
  #blank: RecordingError | null = null;
  /** The error of the line before, which is forgiven if its process ended there. */
  #cut: RecordingError | null = null;

  constructor(options: ReplayOptions = {}) {
    this.#options = options;
  }

  /**
   * Takes the next line, without its line break; gives the first difference there, if any, and then is at its end.
   * What follows the last line break is a line too, as `split` has it: an empty one.
   *
   * Throws a {@link RecordingError} for a line that is damaged, missing or of another format. A line that ends in the
   * middle is no damage if nothing follows, not even a line break, or a node starts after it.
   */
  take(text: string): ReplayDifference | null {
    this.#line += 1;
    if (this.#blank !== null) throw this.#blank;
    if (text === '') return this.#skip();
    const line = this.#read(text);
    if (line === null) return null;
    return line.type === 'step' ? this.#step(line) : this.#enter(line);
  }

  /** No line follows. Throws a {@link RecordingError} if no node has started. */
  end(): ReplaySummary {
    if (this.#counts.starts === 0) throw this.#cut ?? nothing(); // Any file begins with half a line of something.
    if (this.#cut !== null) this.#forgive();
    return { ...this.#counts, nodes: this.#actors.size };
  }

  #read(text: string): RecordedLine | null {
    try {
      const line = decodeLine(text, this.#line);
      if (this.#cut !== null) {
        if (line.type !== 'start') throw this.#cut;
        this.#forgive();
      }
      return line;
    } catch (error) {
      if (this.#cut !== null || !isCutOff(error)) throw this.#cut ?? error;
      this.#cut = error;
      return null;
    }
  }

  #skip(): null {
    if (this.#cut !== null) throw this.#cut; // Whoever wrote the line had the time to end it.
    this.#blank = damaged(this.#line, 'it is empty');
    return null;
  }

  #forgive(): void {
    this.#cut = null;
    this.#counts.cutOff += 1;
  }

  /** A node starts, or its recording goes on after a gap. */
  #enter(line: StartLine | GapLine): null {
    const { node, seq, state } = line;
    const known = this.#actors.get(node);
    if (line.type === 'start') {
      this.#counts.starts += 1;
      this.#counts.missing += seq;
    } else {
      if (known === undefined) throw damaged(this.#line, `node ${node} has not started`);
      this.#expectSeq(known.seq + line.missing, line);
      this.#counts.missing += line.missing;
    }
    const payloads = line.type === 'start' ? line.payloads : (known?.payloads ?? 'checksums');
    this.#actors.set(node, { state, seq, payloads });
    this.#options.onState?.({ node, seq, state });
    return null;
  }

  #step(line: StepLine): ReplayDifference | null {
    const { node, seq } = line;
    const actor = this.#actors.get(node);
    if (actor === undefined) throw damaged(this.#line, `node ${node} has not started`);
    this.#expectSeq(actor.seq + 1, line);
    const { state, difference } = this.#replayed(actor, line);
    this.#counts.steps += 1;
    this.#actors.set(node, { ...actor, state, seq });
    this.#options.onState?.({ node, seq, state });
    return difference;
  }

  #expectSeq(expected: number, { node, seq }: StepLine | GapLine): void {
    if (seq === expected) return;
    throw damaged(this.#line, `it is step ${seq} of ${node}, and step ${expected} should come here`);
  }

  /** `step` answers any input, but not from any state: one that is damaged may have no role to speak of. */
  #replayed({ state: before, payloads }: Actor, line: StepLine): Replayed {
    try {
      const { state, outputs } = step(before, line.input);
      return { state, difference: this.#compare(line, { outputs, after: digestOf(state) }, payloads) };
    } catch (cause) {
      throw damaged(this.#line, 'there is no state that this step could begin from', cause);
    }
  }

  #compare(
    { node, seq, outputs, after }: StepLine,
    came: { readonly outputs: unknown; readonly after: unknown },
    payloads: PayloadForm,
  ): ReplayDifference | null {
    const recorded = toJson({ outputs, after }, payloads);
    const replayed = toJson(came, payloads);
    if (recorded === replayed) return null;
    const difference = firstDifference(JSON.parse(recorded), JSON.parse(replayed));
    if (difference === undefined) return null; // The same, with its names in another order.
    const { path, expected, actual } = difference;
    return { node, seq, line: this.#line, path, recorded: expected, replayed: actual };
  }
}

/** The error of a recording that holds nothing. */
function nothing(): RecordingError {
  return new RecordingError(
    'RAFT_RECORDING_DAMAGED',
    'The recording has no line that starts a node, so nothing was replayed. ' +
      'Take the file as it was written: each start of a node that records begins with such a line.',
  );
}

/** Half a line is no JSON. */
function isCutOff(error: unknown): error is RecordingError {
  return error instanceof RecordingError && error.cause instanceof SyntaxError;
}
