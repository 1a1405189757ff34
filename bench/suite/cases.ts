import { clusterCase } from '../cases/cluster.ts';
import { codecCase } from '../cases/codec.ts';
import { gateCase } from '../cases/gate.ts';
import { stepCase } from '../cases/step.ts';
import type { BenchCase } from './bench-case.ts';

/** Every case, by the name that `npm run bench -- NAME` takes, in the order in which they run. */
export const cases: Readonly<Record<string, BenchCase>> = {
  step: stepCase,
  codec: codecCase,
  cluster: clusterCase,
  gate: gateCase,
};
