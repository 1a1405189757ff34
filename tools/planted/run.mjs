// One range of seeds for planted.mjs, in a process of its own: prints the first that fails, as JSON, or `{}`.
// A seed that did not exercise what it was to shows nothing: the next has its turn, and `unexercised` tells of it.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const { copy, from, seeds, simulator, options } = JSON.parse(process.argv[2]);
const testing = await import(pathToFileURL(join(copy, 'src/testing/index.js')).href);
const nodesOf = (seed) => (seed % 2 === 0 ? 5 : 3);

/** Simulates one seed; throws where it fails. */
const simulators = {
  core: (seed) =>
    testing.simulateCore({ seed, nodes: nodesOf(seed), steps: 5000, shrinks: false, ...options }),
  runtime: (seed) => testing.simulate({ seed, shrink: false, ...options }),
};

console.log(JSON.stringify(await firstFailure()));

async function firstFailure() {
  let unexercised;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      await simulators[simulator](seed);
    } catch (error) {
      const [problem] = String(error.cause?.message ?? error.message).split('\n');
      if (error.cause?.name === 'NotExercised') {
        unexercised ??= `${seed}: ${problem}`;
        continue;
      }
      const isViolation = error.name === 'SimulationFailure' && error.cause?.name === 'InvariantViolation';
      const { step } = error;
      return { seed, step, problem, isViolation, unexercised };
    }
  }
  return { unexercised };
}
