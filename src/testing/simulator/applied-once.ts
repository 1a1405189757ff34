import { expectThat } from '../violation.ts';
import { shown } from '../words-of.ts';
import type { OnceRecord } from './request-log.ts';

/** Where a command was carried out, and with what result, as text. */
interface Execution {
  readonly index: number;
  readonly result: string;
}

/** What the wrapped machine was really told of the writes through sessions, however often each was sent. */
export class AppliedOnce {
  readonly #executions = new Map<number, Execution>();

  /** A copy of a write was carried out. Throws an `InvariantViolation` if another one was before. */
  executed({ once, command }: Pick<OnceRecord, 'once' | 'command'>, execution: Execution): void {
    const before = this.#executions.get(once);
    expectThat(
      before === undefined,
      () =>
        `${shown(command)}, written once through a session, is carried out at ${before?.index} and at ${execution.index}`,
    );
    this.#executions.set(once, execution);
  }

  /** The log is at its end. Throws an `InvariantViolation` if a client was told otherwise. */
  checkAll(records: Iterable<OnceRecord>): void {
    for (const record of records) {
      const execution = this.#executions.get(record.once);
      const words = `${shown(record.command)}, written once through a session,`;
      expectThat(
        record.outcome !== 'notCommitted' || execution === undefined,
        () => `${words} was answered notCommitted, and is carried out at ${execution?.index}`,
      );
      if (record.outcome !== 'committed') continue;
      expectThat(
        execution !== undefined && execution.index <= record.index,
        () => `${words} was answered as committed at ${record.index}, and is not carried out by then`,
      );
      expectThat(
        execution?.result === record.result,
        () =>
          `${words} was answered ${record.result}, and gives ${execution?.result} where it is carried out`,
      );
    }
  }
}
