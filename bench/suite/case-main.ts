/** The process of one case. */
import type { Finding } from './bench-case.ts';
import { cases } from './cases.ts';
import type { SuiteOptions } from './suite-options.ts';

const [name = '', options = '{}'] = process.argv.slice(2);
process.once('disconnect', () => process.exit(1));
let told: Promise<void> = Promise.resolve();
const tell = (finding: Finding): void => {
  told = new Promise((resolve) => process.send?.(finding, undefined, undefined, () => resolve()));
};
await cases[name]?.run(JSON.parse(options) as SuiteOptions, {
  row: (row) => tell({ type: 'row', row }),
  figure: (figure) => tell({ type: 'figure', figure }),
  bar: (bar) => tell({ type: 'bar', bar }),
  untold: (what) => tell({ type: 'untold', what }),
  note: (text) => tell({ type: 'note', text }),
  progress: (text) => tell({ type: 'progress', text }),
});
await told; // What is on its way would be lost.
process.exit();
