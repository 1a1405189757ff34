import type { AdminResult, EntryBatch, NodeId, Output, RequestId } from '../core/index.ts';
import { commandsOf } from './bare-node.ts';
import { expectThat } from './violation.ts';

/** What is asked of a node. */
export type RequestType = 'write' | 'read' | 'changeMembers' | 'transferLeadership' | 'compact';

interface Request {
  readonly type: RequestType;
  readonly at: NodeId;
  readonly commands: readonly string[];
  /** The highest index that anybody had been told of when it began. */
  readonly floor: number;
  answer: string | undefined;
  /** Its node died, so nobody will answer. */
  isLost: boolean;
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

const decoder = new TextDecoder();

/**
 * What clients were told, and whether it was true: exactly one answer each (rule 22), committed writes stay,
 * refused ones never happened, and reads and writes take effect between their beginning and their answer
 * (linearizability, with the index as the clock).
 */
export class ClientOracle {
  readonly counts: AnswerCounts = {
    committed: 0,
    notCommitted: 0,
    unknown: 0,
    reads: 0,
    refused: 0,
    lost: 0,
    membersChanged: 0,
    transfers: 0,
    compactions: 0,
    adminRefused: 0,
    adminUnknown: 0,
  };
  readonly #requests = new Map<RequestId, Request>();
  /** By index: the command that its client was told is there. */
  readonly #acknowledged = new Map<number, string>();
  readonly #refused = new Set<string>();
  #toldIndex = 0;

  /** A client asks. Commands must all be different. */
  begin(
    id: RequestId,
    { type, at, commands = [] }: { type: RequestType; at: NodeId; commands?: string[] },
  ): void {
    this.#requests.set(id, { type, at, commands, floor: this.#toldIndex, answer: undefined, isLost: false });
  }

  /** A node has answered, if this is an answer. */
  observe(output: Output): void {
    if (output.type !== 'writeRes' && output.type !== 'readRes' && output.type !== 'adminRes') return;
    const request = this.#requests.get(output.id);
    expectThat(
      request !== undefined && !request.isLost,
      () => `request ${output.id} is answered and was never made`,
    );
    const { answer } = request as Request;
    const { type } = output.result;
    expectThat(answer === undefined, () => `request ${output.id} is answered ${answer}, and then ${type}`);
    (request as Request).answer = type;
    if (output.type === 'writeRes') this.#onWrite(request as Request, output.result);
    else if (output.type === 'readRes') this.#onRead(request as Request, output.result);
    else this.#onAdmin(request as Request, output.result);
  }

  /** A node died; its clients are left without an answer. */
  lose(at: NodeId): void {
    for (const request of this.#requests.values()) {
      if (request.at !== at || request.answer !== undefined || request.isLost) continue;
      request.isLost = true;
      this.counts.lost += 1;
    }
  }

  /** Compares with a log that is committed: for the end, when all logs are the same. */
  checkLog(batches: readonly EntryBatch[]): void {
    const log = new Map<number, string>();
    for (const batch of batches) {
      commandsOf(batch).forEach((command, at) => {
        log.set(batch.index + at, command);
        expectThat(
          !this.#refused.has(command),
          () => `${command} is in the log, and was answered notCommitted`,
        );
      });
    }
    for (const [index, command] of this.#acknowledged) {
      expectThat(
        log.get(index) === command,
        () => `${command}, acknowledged at ${index}, is ${log.get(index)}`,
      );
    }
    const commands = [...log.values()];
    expectThat(new Set(commands).size === commands.length, () => 'a command is in the log twice');
  }

  /** Throws if somebody still waits: for the end. */
  checkAllAnswered(): void {
    for (const [id, { answer, isLost, at, type }] of this.#requests) {
      expectThat(answer !== undefined || isLost, () => `${type} ${id} at ${at} is never answered`);
    }
  }

  #onWrite(request: Request, result: Extract<Output, { type: 'writeRes' }>['result']): void {
    this.counts[result.type] += 1;
    if (result.type === 'notCommitted') for (const command of request.commands) this.#refused.add(command);
    if (result.type !== 'committed') return;
    const { index } = result;
    expectThat(
      index > request.floor,
      () => `a write is at ${index}, and began after ${request.floor} was told`,
    );
    request.commands.forEach((command, at) => {
      const other = this.#acknowledged.get(index + at);
      expectThat(other === undefined, () => `${command} and ${other} are both acknowledged at ${index + at}`);
      this.#acknowledged.set(index + at, command);
    });
    this.#toldIndex = Math.max(this.#toldIndex, index + request.commands.length - 1);
  }

  #onRead(request: Request, result: Extract<Output, { type: 'readRes' }>['result']): void {
    if (result.type === 'refused') {
      this.counts.refused += 1;
      return;
    }
    this.counts.reads += 1;
    const seen = Number(decoder.decode(result.payload));
    expectThat(seen >= request.floor, () => `a read saw ${seen}, and began after ${request.floor} was told`);
    this.#toldIndex = Math.max(this.#toldIndex, seen);
  }

  #onAdmin({ type }: Request, result: AdminResult): void {
    if (result.type === 'refused') this.counts.adminRefused += 1;
    else if (result.type === 'unknown') this.counts.adminUnknown += 1;
    else if (type === 'changeMembers') this.counts.membersChanged += 1;
    else if (type === 'transferLeadership') this.counts.transfers += 1;
    else this.counts.compactions += 1;
  }
}
