import { join } from 'node:path';
import { freePorts } from '../harness/free-ports.ts';
import { ask } from '../harness/http.ts';
import { Program } from '../harness/program.ts';
import { until } from '../harness/until.ts';
import { cpuMsOf } from '../harness/usage.ts';
import { LoadProcess } from '../load/load-process.ts';
import { programVersion } from '../suite/versions.ts';
import { drivenBy } from './driven.ts';
import type { Driver, RunningSystem, System } from './system.ts';

const names = ['n1', 'n2', 'n3'];

/** What counts its flushes: one for the write-ahead log, two for a commit of its database, as with LMDB. */
const flushCounts: Readonly<Record<string, number>> = {
  etcd_disk_wal_fsync_duration_seconds_count: 1,
  etcd_disk_backend_commit_duration_seconds_count: 2,
};

/** etcd with default settings, over gRPC or over the gateway to it. */
export function etcd(driver: Exclude<Driver, 'embedded'>): System {
  return {
    name: 'etcd',
    driver,
    flushes:
      'flushed by a majority before it is answered; counted by etcd itself: one for each of its log, two for each commit of its database',
    missing: () =>
      programVersion('etcd', ['--version']) === null
        ? 'no program `etcd`; on Debian, `apt-get install etcd-server`'
        : null,
    operations: driver === 'http' ? ['write', 'read'] : ['write', 'read', 'stale', 'mixed'],
    async start(folder, bytes): Promise<RunningSystem> {
      const ports = await freePorts(2 * names.length);
      const urls = names.map((_, at) => `http://127.0.0.1:${ports[2 * at]}`);
      const peers = names.map((_, at) => `http://127.0.0.1:${ports[2 * at + 1]}`);
      const cluster = names.map((name, at) => `${name}=${peers[at]}`).join(',');
      const nodes = names.map((name, at) =>
        Program.start('etcd', [
          ...['--name', name, '--data-dir', join(folder, name), '--logger', 'zap', '--log-level', 'error'],
          ...['--listen-client-urls', urls[at] ?? '', '--advertise-client-urls', urls[at] ?? ''],
          ...['--listen-peer-urls', peers[at] ?? '', '--initial-advertise-peer-urls', peers[at] ?? ''],
          ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
        ]),
      );
      const leader = await leaderOf(urls);
      const load = await LoadProcess.start(driver === 'http' ? 'etcd-http' : 'etcd', [leader], bytes);
      return {
        ...drivenBy(load),
        usage: async (at) => {
          const flushesBefore = at === 'before' ? await flushesOf(urls) : null; // To be asked takes it time.
          const cpuMs = nodes.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0);
          return { cpuMs, flushes: flushesBefore ?? (await flushesOf(urls)) };
        },
        end: async () => void (await Promise.all([load, ...nodes].map((each) => each.kill()))),
      };
    },
  };
}

/** Where the leader answers, once there is one. */
async function leaderOf(urls: readonly string[]): Promise<string> {
  return until('etcd has a leader', async () => {
    for (const url of urls) {
      const { text } = await ask(url, 'POST /v3/maintenance/status', { body: '{}' });
      const { leader, header } = JSON.parse(text) as { leader?: string; header?: { member_id?: string } };
      if (leader !== undefined && leader === header?.member_id) return url;
    }
    return null;
  });
}

async function flushesOf(urls: readonly string[]): Promise<number> {
  const texts = await Promise.all(urls.map(async (url) => (await ask(url, 'GET /metrics')).text));
  return texts.reduce((sum, text) => sum + flushesIn(text), 0);
}

/** The flushes that a page of etcd's metrics tells of. */
export function flushesIn(metrics: string): number {
  let flushes = 0;
  for (const [name, each] of Object.entries(flushCounts))
    flushes += each * Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(metrics)?.[1]);
  return flushes;
}
