import type {
  OperationOutcome,
  RecordedOperation,
  RegisterOperation,
  RegisterResult,
} from '../../src/testing/index.ts';

/** What came of an operation on a key. */
export type KvOutcome = OperationOutcome<RegisterResult>;

/** An operation on a key, as its client saw it. */
export type KvRecorded = RecordedOperation<RegisterOperation, RegisterResult>;

/** `mixed`: everything is done to it. `list`: only appended to, so that even a stale read must be a beginning of it. */
export type KeyKind = 'mixed' | 'list';

/** A key is left alone after so many operations, or so many whose outcome is unknown: what is longer is hard to judge. */
const operationsMax = 250;
const unknownMax = 3;

/** A key, and everything that clients did to it. */
export class KeyRecord {
  readonly name: string;
  readonly kind: KeyKind;
  readonly history: KvRecorded[] = [];
  /** Answers of stale reads, with the time of the answer. */
  readonly staleReads: { readonly value: string | null; readonly at: number; readonly node: string }[] = [];
  /** What it was when last seen: what a swap expects. */
  lastSeen: string | null = null;
  #unknown = 0;

  constructor(name: string, kind: KeyKind) {
    this.name = name;
    this.kind = kind;
  }

  get isFull(): boolean {
    return this.history.length >= operationsMax || this.#unknown >= unknownMax;
  }

  add(recorded: Omit<KvRecorded, 'key'>): void {
    const { operation, outcome } = recorded;
    const isRead = operation.type === 'get';
    if (isRead && outcome.type !== 'ok') return; // It says nothing, and did nothing.
    if (outcome.type === 'unknown') this.#unknown += 1;
    this.history.push({ ...recorded, key: this.name });
    if (outcome.type === 'ok' && outcome.result.type === 'get') this.lastSeen = outcome.result.value;
    else if (outcome.type === 'ok' && operation.type === 'put') this.lastSeen = operation.value;
  }

  /** A stale read that showed what never was; `null` if there is none. `final`: what the key is at the end. */
  wrongStaleRead(final: string | null): string | null {
    for (const { value, at, node } of this.staleReads) {
      const isRight =
        this.kind === 'list' ? (final ?? '').startsWith(value ?? '') : this.#wasPossible(value, at);
      if (!isRight)
        return `a stale read of ${this.name} on ${node} showed ${JSON.stringify(value)}, which never was`;
    }
    return null;
  }

  /** Whether some write that had begun by then, and was not refused, brings this value or its end. */
  #wasPossible(value: string | null, at: number): boolean {
    if (value === null) return true;
    return this.history.some(
      ({ operation, invokedAt, outcome }) =>
        outcome.type !== 'notCommitted' &&
        invokedAt <= at &&
        'value' in operation &&
        value.endsWith(operation.value),
    );
  }
}
