import { termAt } from '../../core/index.ts';
import type { DiskImage } from '../../storage/memory-disk.ts';
import { DiskHonesty } from '../disk-honesty.ts';

/** {@link DiskHonesty} of nodes on disks in memory. */
export const imageHonesty = new DiskHonesty<DiskImage>({
  hardStateOf: ({ hardState }) => hardState,
  startOf: ({ log }) => log.startIndex,
  termOn: ({ log }, index) => termAt(log, index),
});
