import { describe, expect, it } from 'vitest';
import type { HardState } from '../../../src/core/index.ts';
import { storageVoteCases } from '../../../src/testing/storage-vote-cases.ts';
import { BrokenDisk, failedCases } from './broken-disk.ts';

/** What the broken disk keeps instead of a hard state, by the one that it had. */
const broken: Readonly<Record<string, (before: HardState, written: HardState) => HardState>> = {
  'drops a vote in a term that is on the disk already': (before, written) =>
    written.currentTerm === before.currentTerm ? before : written,
  'keeps the vote of an earlier term in a later one without': (before, written) => ({
    ...written,
    votedFor: written.votedFor ?? before.votedFor,
  }),
  'keeps another store than the one voted for': (_, written) => ({
    ...written,
    votedFor: written.votedFor && { ...written.votedFor, storeId: 'store-1' },
  }),
  'keeps the first vote': (before, written) => ({
    ...written,
    votedFor: before.votedFor ?? written.votedFor,
  }),
  'keeps the vote without the term': (before, written) => ({
    ...written,
    currentTerm: written.votedFor === null ? written.currentTerm : before.currentTerm,
  }),
};

describe('the conformance suite about votes', () => {
  it('passes a good disk', async () => {
    expect(await failedCases(storageVoteCases, () => new BrokenDisk())).toEqual([]);
  });

  for (const [what, keep] of Object.entries(broken)) {
    it(`catches a storage that ${what}`, async () => {
      class ForgetfulDisk extends BrokenDisk {
        override carryOut(apply: () => void): void {
          const before = this.image.hardState;
          apply();
          if (this.image.hardState !== before) this.image.hardState = keep(before, this.image.hardState);
        }
      }

      const failed = await failedCases(storageVoteCases, () => new ForgetfulDisk());

      expect(failed).toContain('keeps every term and every vote as it was written last');
      expect(failed).toContain('keeps every term and every vote that came with entries, or with others');
    });
  }
});
