import {
  type AdminResult,
  type Index,
  type NodeId,
  type Output,
  plus,
  type RequestId,
} from '../core/index.ts';
import type { Request } from './operation.ts';
import { decodeText } from './text.ts';
import { expectThat } from './violation.ts';

interface Pending {
  readonly type: Request['type'];
  readonly commands: readonly string[];
  /** The highest index that anybody had been told of when it began. */
  readonly floor: number;
}

/** How requests ended. */
export interface AnswerCounts {
  committed: number;
  notCommitted: number;
  unknown: number;
  reads: number;
  refused: number;
  lost: number;
  membersChanged: number;
  transfers: number;
  compactions: number;
  adminRefused: number;
  adminUnknown: number;
}

type WriteAnswer = Extract<Output, { type: 'writeRes' }>['result'];
type ReadAnswer = Extract<Output, { type: 'readRes' }>['result'];

const noBytes = new Uint8Array(0);
const noCommands: readonly string[] = [];

/**
 * What clients were told, and whether it was true: exactly one answer each (rule 22), committed writes stay,
 * refused ones never happened, and reads and writes take effect between their beginning and their answer
 * (linearizability, with the index as the clock). It is told of every commit, and compares with the committed log.
 */
export class ClientOracle {
  readonly #counts: AnswerCounts;
  /** By node: the requests that wait for an answer, by the names that their callers gave them. */
  readonly #waiting = new Map<NodeId, Map<RequestId, Pending>>();
  /** The committed log: by command where it stands, and by index what stands there. */
  readonly #places = new Map<string, Index>();
  readonly #log = new Map<Index, string>();
  /** Commands that were answered `notCommitted`. */
  readonly #refused = new Set<string>();
  #toldIndex = 0;

  /** Counts answers in `counts`. */
  constructor(counts: AnswerCounts) {
    this.#counts = counts;
  }

  /** Whether a node has nobody waiting under this name. */
  isFree(at: NodeId, id: RequestId): boolean {
    return this.#waiting.get(at)?.has(id) !== true;
  }

  /** A client asks. Commands must all be different. */
  begin(request: Request): void {
    const { type, at, id } = request;
    const commands = type === 'write' ? request.commands : noCommands;
    this.#waitingAt(at).set(id, { type, commands, floor: this.#toldIndex });
  }

  /** A node has answered, if this is an answer. */
  observe(at: NodeId, output: Output): void {
    if (output.type !== 'writeRes' && output.type !== 'readRes' && output.type !== 'adminRes') return;
    const waiting = this.#waitingAt(at);
    const request = waiting.get(output.id);
    const { type } = output.result;
    expectThat(
      request !== undefined,
      () => `${at} answers request ${output.id}: ${type}, and nobody waits for that`,
    );
    waiting.delete(output.id);
    if (output.type === 'writeRes') this.#onWrite(request as Pending, output.result);
    else if (output.type === 'readRes') this.#onRead(request as Pending, output.result);
    else this.#onAdmin(request as Pending, output.result);
  }

  /** A node died; its clients are left without an answer. */
  lose(at: NodeId): void {
    const waiting = this.#waitingAt(at);
    this.#counts.lost += waiting.size;
    waiting.clear();
  }

  /** A command is in the log for good. */
  commit(index: Index, command: string): void {
    const other = this.#places.get(command);
    expectThat(other === undefined, () => `${command} is committed at ${index}, and at ${other} already`);
    const isRefused = this.#refused.has(command);
    expectThat(!isRefused, () => `${command} is committed at ${index}, and was answered notCommitted`);
    this.#places.set(command, index);
    this.#log.set(index, command);
  }

  /** Throws if somebody still waits: for the end. */
  checkAllAnswered(): void {
    for (const [at, waiting] of this.#waiting) {
      for (const [id, { type }] of waiting) {
        expectThat(false, () => `${type} ${id} at ${at} is never answered`);
      }
    }
  }

  #waitingAt(at: NodeId): Map<RequestId, Pending> {
    const known = this.#waiting.get(at);
    if (known !== undefined) return known;
    const waiting = new Map<RequestId, Pending>();
    this.#waiting.set(at, waiting);
    return waiting;
  }

  #onWrite({ commands, floor }: Pending, result: WriteAnswer): void {
    this.#counts[result.type] += 1;
    if (result.type === 'notCommitted') this.#refuse(commands);
    if (result.type !== 'committed') return;
    const { index } = result;
    expectThat(index > floor, () => `a write is at ${index}, and began after ${floor} was told`);
    commands.forEach((command, at) => {
      const held = this.#log.get(plus(index, at));
      expectThat(held === command, () => `${command}, acknowledged at ${index + at}, is ${held}`);
    });
    this.#toldIndex = Math.max(this.#toldIndex, index + commands.length - 1);
  }

  #refuse(commands: readonly string[]): void {
    for (const command of commands) {
      this.#refused.add(command);
      const place = this.#places.get(command);
      expectThat(place === undefined, () => `${command} is answered notCommitted, and committed at ${place}`);
    }
  }

  #onRead({ floor }: Pending, result: ReadAnswer): void {
    if (result.type === 'refused') {
      this.#counts.refused += 1;
      return;
    }
    this.#counts.reads += 1;
    const seen = Number(decodeText(result.payload ?? noBytes));
    expectThat(seen >= floor, () => `a read saw ${seen}, and began after ${floor} was told`);
    this.#toldIndex = Math.max(this.#toldIndex, seen);
  }

  #onAdmin({ type }: Pending, result: AdminResult): void {
    if (result.type === 'refused') this.#counts.adminRefused += 1;
    else if (result.type === 'unknown') this.#counts.adminUnknown += 1;
    else if (type === 'changeMembers') this.#counts.membersChanged += 1;
    else if (type === 'transferLeadership') this.#counts.transfers += 1;
    else this.#counts.compactions += 1;
  }
}
