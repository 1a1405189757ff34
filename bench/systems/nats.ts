import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '../harness/free-ports.ts';
import { Program } from '../harness/program.ts';
import { until } from '../harness/until.ts';
import { cpuMsOf } from '../harness/usage.ts';
import { LoadProcess } from '../load/load-process.ts';
import { NatsConnection, natsStream } from '../load/nats-client.ts';
import { programVersion } from '../suite/versions.ts';
import { drivenBy } from './driven.ts';
import type { RunningSystem, System } from './system.ts';

const names = ['n1', 'n2', 'n3'];

/** NATS JetStream: a stream with three replicas, in files. */
export const nats: System = {
  name: 'nats',
  driver: 'clients',
  flushes: 'answered by a majority BEFORE it is flushed, which its servers do every two minutes; not counted',
  missing: () =>
    programVersion('nats-server', ['--version']) === null
      ? 'no program `nats-server`; on Debian, `apt-get install nats-server`'
      : null,
  operations: ['write'],
  async start(folder, bytes): Promise<RunningSystem> {
    const ports = await freePorts(2 * names.length);
    const routes = names.map((_, at) => `nats://127.0.0.1:${ports[2 * at + 1]}`);
    const nodes = names.map((name, at) => {
      const file = join(folder, `${name}.conf`);
      mkdirSync(join(folder, name), { recursive: true });
      writeFileSync(
        file,
        `server_name: ${name}\nlisten: 127.0.0.1:${ports[2 * at]}\n` +
          `jetstream { store_dir: "${join(folder, name)}" }\n` +
          `cluster { name: bench, listen: 127.0.0.1:${ports[2 * at + 1]}, routes: [${routes.join(', ')}] }\n`,
      );
      return Program.start('nats-server', ['-c', file]);
    });
    const urls = names.map((_, at) => `nats://127.0.0.1:${ports[2 * at]}`);
    const leader = await createStream(urls);
    const load = await LoadProcess.start('nats', [leader], bytes);
    return {
      ...drivenBy(load),
      usage: async () => ({ cpuMs: nodes.reduce((sum, { pid }) => sum + cpuMsOf(pid), 0), flushes: null }),
      end: async () => void (await Promise.all([load, ...nodes].map((each) => each.kill()))),
    };
  },
};

/** Makes the stream once the servers have found each other. Resolves with where its leader listens. */
async function createStream(urls: readonly string[]): Promise<string> {
  const { name, subject } = natsStream;
  // No limit on messages: to drop the oldest ones costs it more than half of its rate.
  const stream = { name, subjects: [`${subject}.*`], retention: 'limits', storage: 'file', num_replicas: 3 };
  const connection = await until('nats-server listens', () => NatsConnection.open(urls[0] ?? '', 0));
  const leader = await until('the stream has a leader', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      setTimeout(reject, 2_000, new Error('no answer')).unref();
      connection.ask(`$JS.API.STREAM.CREATE.${name}`, Buffer.from(JSON.stringify(stream)), resolve);
    });
    const { cluster } = JSON.parse(answer) as { cluster?: { leader?: string } };
    return cluster?.leader;
  });
  connection.close(); // Before its server ends, which would be an error.
  return urls[names.indexOf(leader)] ?? '';
}
