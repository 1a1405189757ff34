import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** `rxraft/core` and its like mean src, as in tsconfig.json: tests of src need no build. */
const source = { resolve: { conditions: ['source'] }, ssr: { resolve: { conditions: ['source'] } } };

/** All cores; vitest would leave one of them idle. */
const maxWorkers = '100%';

/** For what hangs, not for what is slow: on a busy machine a test may take ten times as long as alone. */
const patience = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } };

/** What replaces modules or counts memory has its modules to itself. */
const alone = [
  'test/unit/core/cost.test.ts',
  'test/unit/core/simulation-failure.test.ts',
  'test/unit/storage/full-disk.test.ts',
  'test/unit/streams/work.test.ts',
  'test/unit/streams/work-on-disk.test.ts',
];

/** The files of a worker share what they import, which is not loaded and compiled anew for each: a third of the time less. */
const together = { isolate: false, maxWorkers, ...patience };

/** What takes long and is short to read. On a fresh clone vitest goes by the size of files, and comes to these last. */
const long = [
  'test/unit/readme/examples.test.ts',
  'test/unit/core/simulation.test.ts',
  'test/unit/storage/conformance.test.ts',
  'test/integration/crash.test.ts',
  'test/integration/failover.test.ts',
  'test/integration/chaos.test.ts',
];

/** Begins with what is long, so that no core is idle while another one finishes it. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => long.some((path) => moduleId.endsWith(`/${path}`));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongFirst },
    projects: [
      {
        ...source,
        test: { name: 'unit', include: ['test/unit/**/*.test.ts'], exclude: alone, ...together },
      },
      { ...source, test: { name: 'paper', include: ['test/paper/**/*.test.ts'], ...together } },
      { ...source, test: { name: 'alone', include: alone, maxWorkers, ...patience } },
      {
        ...source,
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
          // When the others are done. These start processes, and wait for them for more than a third of the time:
          // one more at a time than there are cores here. Each has ports of its own, see test/ports.ts.
          maxWorkers: 3,
          sequence: { groupOrder: 1 },
        },
      },
    ],
    coverage: { provider: 'v8', include: ['src/**'], reporter: ['text-summary', 'html'] },
  },
});
