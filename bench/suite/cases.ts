import { clusterCase } from '../cases/cluster.ts';
import { codecCase } from '../cases/codec.ts';
import { gateCase } from '../cases/gate.ts';
import { peersCase } from '../cases/peers.ts';
import { resourcesCase } from '../cases/resources.ts';
import { scripted } from '../cases/scripted.ts';
import { startupCase } from '../cases/startup.ts';
import { stepCase } from '../cases/step.ts';
import { storageCase } from '../cases/storage.ts';
import { streamsCase } from '../cases/streams.ts';
import { transportCase } from '../cases/transport.ts';
import type { BenchCase } from './bench-case.ts';

/** Every case, by the name that `npm run bench -- NAME` takes, in the order in which they run. */
export const cases: Readonly<Record<string, BenchCase>> = {
  step: stepCase,
  codec: codecCase,
  storage: storageCase,
  transport: transportCase,
  streams: streamsCase,
  cluster: clusterCase,
  peers: peersCase,
  'catch-up': scripted('catch-up', 'Catch-up under load', ['--entries', '50000', '--outstanding', '256']),
  snapshot: scripted('snapshot', 'A large snapshot over a bad connection', ['--megabytes', '20']),
  failover: scripted('failover', 'Failover', ['--rounds', '2', '--faults', 'none,kill']),
  startup: startupCase,
  resources: resourcesCase,
  gate: gateCase,
};
