/**
 * `npm run bench`: every case, each in a process of its own, and a report in Markdown.
 *
 *   npm run bench                       all cases
 *   npm run bench -- cluster step       these
 *   npm run bench -- --quick            smaller sizes, to try it
 *   npm run bench -- --json FILE        also as JSON; `--report FILE` writes the Markdown to a file too
 *
 * Progress goes to stderr. Ends with 1 if a bar is missed or a case fails.
 */
import { writeFileSync } from 'node:fs';
import { runCase } from './suite/case-process.ts';
import { cases } from './suite/cases.ts';
import { suiteOptions } from './suite/suite-options.ts';
import { SuiteReport } from './suite/suite-report.ts';

const flags = process.argv.slice(2);
const options = suiteOptions(flags);
const unknown = options.cases.filter((name) => !(name in cases));
if (unknown.length > 0) {
  console.error(`There is no case ${unknown.join(', ')}. There are: ${Object.keys(cases).join(', ')}`);
  process.exit(1);
}

const report = new SuiteReport(options, flags);
const startedAt = performance.now();
for (const [name, { title, isDefault }] of Object.entries(cases)) {
  const isWanted = options.cases.length === 0 ? isDefault : options.cases.includes(name);
  if (!isWanted) continue;
  say(name, title);
  report.begin(title);
  try {
    await runCase(name, options, (finding) => {
      if (finding.type === 'progress') say(name, finding.text);
      else report.add(finding);
    });
  } catch (error) {
    report.add({ type: 'note', text: `**Failed**: ${String(error)}.` });
    process.exitCode = 1;
  }
}
const markdown = report.markdown();
process.stdout.write(markdown);
if (options.report !== null) writeFileSync(options.report, markdown);
if (options.json !== null) writeFileSync(options.json, report.json());
if (!report.isMet) process.exitCode = 1;

function say(name: string, text: string): void {
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.error(`${seconds.padStart(5)} s  ${name}: ${text}`);
}
