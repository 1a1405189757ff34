import type { BenchCase } from '../suite/bench-case.ts';
import { systems } from '../systems/systems.ts';
import { runClusters } from './cluster.ts';

const bytes = 128;

/**
 * The peers beside ours and the prototype. Nothing is installed: what is missing is named, with the command that
 * installs it.
 */
export const peersCase: BenchCase = {
  title: 'Peers: the same loads on etcd, NATS JetStream, the prototype and ours',
  isDefault: true,
  run: (options, findings) => {
    const wanted = systems.filter(
      ({ name, driver }) =>
        driver !== 'embedded' &&
        (options.systems?.includes(name) ?? true) &&
        (options.drivers?.includes(driver) ?? true),
    );
    return runClusters(
      wanted,
      { ...options, bytes: options.bytes ?? [bytes], operations: options.operations ?? ['write', 'read'] },
      findings,
    );
  },
};
