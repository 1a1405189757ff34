import { expect, it } from 'vitest';
import { flushesIn } from '../../../bench/systems/etcd.ts';

it('counts the flushes of etcd: one for its log, two for a commit of its database', () => {
  const metrics = [
    '# TYPE etcd_disk_wal_fsync_duration_seconds histogram',
    'etcd_disk_wal_fsync_duration_seconds_count 7',
    'etcd_disk_backend_commit_duration_seconds_sum 0.5',
    'etcd_disk_backend_commit_duration_seconds_count 3',
  ].join('\n');

  expect(flushesIn(metrics)).toBe(7 + 2 * 3);
});
