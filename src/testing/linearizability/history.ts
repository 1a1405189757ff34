/** How an operation ended, as its client knows it. */
export type OperationOutcome<Result> =
  /** It was carried out, and answered this. */
  | { readonly type: 'ok'; readonly result: Result }
  /** It was not carried out, and never will be. */
  | { readonly type: 'notCommitted' }
  /** It may have been carried out, may yet be, or never. At most once. */
  | { readonly type: 'unknown' };

/** One operation of one client: what was asked, when, and what came of it. */
export interface RecordedOperation<Operation, Result> {
  /**
   * Who asked. A client with several operations under way at once counts as several: answered operations of one
   * process that overlap are refused. What ended `unknown` may overlap with what the process does next.
   */
  readonly process: string;
  /** The object that it is about. Each is judged by itself: linearizability composes. */
  readonly key: string;
  readonly operation: Operation;
  /**
   * Before it was sent, on a clock that all clients share; the unit is up to whoever records. The finer the better:
   * on a clock of milliseconds most operations of a fast cluster touch, and what touches may overlap.
   */
  readonly invokedAt: number;
  /** After its answer came, on the same clock. Of an unknown one it says when the client gave up, and is not used. */
  readonly returnedAt: number;
  readonly outcome: OperationOutcome<Result>;
}
