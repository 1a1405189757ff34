import {
  type Configuration,
  configurationOf,
  type Index,
  type Input,
  type NodeId,
  type Output,
  type Peer,
  RaftError,
  type Role,
  type State,
  type Term,
} from '../core/index.ts';
import { fromJson, type PayloadForm, toJson } from './recorded-bytes.ts';

/** The version of the recording's format. Raised when a reader of the one before would misread it. */
export const recordingFormat = 1;

/** A node begins, or is met for the first time. */
export interface StartLine {
  readonly type: 'start';
  readonly format: number;
  readonly node: NodeId;
  /** Steps missing before this line: 0, unless its first ones, or the last ones of its start before, could not be written. */
  readonly seq: number;
  /** Monotonic milliseconds, since any fixed moment. */
  readonly at: number;
  readonly payloads: PayloadForm;
  /** What the randomness came from, if that is known. The state holds what became of it. */
  readonly seed: number | null;
  /** The state before the next step; its `config` is the node's. */
  readonly state: State;
}

/** One step: what `step` was given and what it gave. */
export interface StepLine {
  readonly type: 'step';
  readonly node: NodeId;
  /** Counted from 1 since the node's start. */
  readonly seq: number;
  readonly at: number;
  readonly input: Input;
  readonly outputs: readonly Output[];
  readonly after: StateDigest;
}

/** Steps that could not be written down: the recording's own disk was too slow. */
export interface GapLine {
  readonly type: 'gap';
  readonly node: NodeId;
  /** The last step that is missing. */
  readonly seq: number;
  readonly at: number;
  readonly missing: number;
  /** The state after the last step that is missing. */
  readonly state: State;
}

/** One line of a recording (`docs/recording.md`). */
export type RecordedLine = StartLine | StepLine | GapLine;

/** A state at a glance. */
export interface StateDigest {
  readonly role: Role['type'];
  readonly term: Term;
  readonly votedFor: Peer | null;
  readonly commitIndex: Index;
  readonly lastIndex: Index;
  readonly configuration: Configuration;
}

/** A recording that can't be used: damaged, or of another format version. The message names the line. */
export class RecordingError extends RaftError {
  override readonly name = 'RecordingError';
}

/** What of a state stands in every line. */
export function digestOf(state: State): StateDigest {
  return {
    role: state.role.type,
    term: state.currentTerm,
    votedFor: state.votedFor,
    commitIndex: state.commitIndex,
    lastIndex: state.log.lastIndex,
    configuration: configurationOf(state),
  };
}

/** A state as JSON for people to read, with payloads by length and checksum. */
export function stateText(state: State): string {
  return JSON.stringify(JSON.parse(toJson(state, 'checksums')), null, 2);
}

/** A line as text, without the line break. Throws a `TypeError` for what JSON can't hold. */
export function encodeLine(line: RecordedLine, form: PayloadForm): string {
  return toJson(line, form);
}

/**
 * Reads a line. Takes any text: what is no line of a recording throws a {@link RecordingError}, which names it by
 * `lineNumber`. Inputs are not looked into, since `step` answers any; nor are states.
 */
export function decodeLine(text: string, lineNumber: number): RecordedLine {
  const line = parsed(text, lineNumber);
  const damage = damageIn(line);
  if (damage !== undefined) throw damaged(lineNumber, damage);
  const { type, format } = line as { readonly type: unknown; readonly format?: unknown };
  if (type === 'start' && format !== recordingFormat) {
    throw new RecordingError(
      'RAFT_RECORDING_VERSION',
      `Line ${lineNumber} begins a recording of format ${format}, and this version of rxraft reads format ` +
        `${recordingFormat}. Nothing is wrong with the file. Replay it with the version that wrote it.`,
    );
  }
  return line as RecordedLine;
}

/** The error of a line that is not what it should be. */
export function damaged(lineNumber: number, detail: string, cause?: unknown): RecordingError {
  return new RecordingError(
    'RAFT_RECORDING_DAMAGED',
    `Line ${lineNumber} of the recording is damaged: ${detail}. The lines before it have been replayed. ` +
      'Take the file as it was written, or look at what changed it.',
    { cause },
  );
}

function parsed(text: string, lineNumber: number): unknown {
  try {
    return fromJson(text);
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw damaged(lineNumber, `it is not JSON of a recording (${detail})`, cause);
  }
}

function damageIn(line: unknown): string | undefined {
  if (typeof line !== 'object' || line === null) return 'it is no object';
  const { type, node, seq, at } = line as Partial<RecordedLine>;
  if (type !== 'start' && type !== 'step' && type !== 'gap') return 'its type is not start, step or gap';
  if (typeof node !== 'string') return 'it names no node';
  if (!isCount(seq)) return 'its seq is no whole number';
  if (typeof at !== 'number') return 'its time is no number';
  return type === 'step' ? damageInStep(line) : damageInState(line);
}

function damageInStep(line: object): string | undefined {
  const { input, outputs, after } = line as Partial<StepLine>;
  if (typeof input !== 'object') return 'it has no input';
  if (!Array.isArray(outputs)) return 'it has no list of outputs';
  return typeof after === 'object' ? undefined : 'it does not say what came after';
}

function damageInState(line: object): string | undefined {
  const { state, payloads, missing } = line as Partial<StartLine & GapLine>;
  if (typeof state !== 'object' || state === null) return 'it has no state';
  if ((line as RecordedLine).type === 'gap') return isCount(missing) ? undefined : 'it counts no steps';
  return payloads === 'checksums' || payloads === 'whole'
    ? undefined
    : 'it does not say how payloads are written';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
