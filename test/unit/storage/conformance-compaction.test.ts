import { describe, expect, it } from 'vitest';
import { storageCompactionCases } from '../../../src/testing/storage-compaction-cases.ts';
import { BrokenDisk, failedCases } from './broken-disk.ts';

/** The log starts with the term of the entry after its start. */
class OtherTermDisk extends BrokenDisk {
  override carryOut(apply: () => void): void {
    const { startIndex } = this.image.log;
    apply();
    const [first] = this.image.batches;
    const { log } = this.image;
    if (log.startIndex > startIndex && first !== undefined)
      this.image.log = { ...log, startTerm: first.term };
  }
}

describe('the conformance suite about the start of the log', () => {
  it('catches a storage that gives it the term of the entry after it', async () => {
    const failed = await failedCases(storageCompactionCases, () => new OtherTermDisk());

    expect(failed).toContain('keeps the term of the last index that is gone where another begins after it');
  });
});
