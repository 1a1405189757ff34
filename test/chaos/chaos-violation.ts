import type { KeyRecord } from './key-record.ts';

/** Something that must not be. `keys` are those whose histories show it. */
export class ChaosViolation extends Error {
  override readonly name = 'ChaosViolation';
  readonly keys: readonly KeyRecord[];

  constructor(message: string, keys: readonly KeyRecord[] = []) {
    super(message);
    this.keys = keys;
  }
}
