// `node tools/rules-page.mjs`: writes docs/rules.md from the list of mutants. A test sees to it that it was done.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mutants } from './mutant-list.mjs';
import { ruleNames } from './mutants/rule-names.mjs';

const path = fileURLToPath(new URL('../docs/rules.md', import.meta.url));

const introduction = `# The rules, their tests, and what happens without them

The 22 rules that every change keeps. Each claim that a rule makes has a test that carries it as its name, and a
*mutant*: the rule deleted or inverted in the source. \`npm run mutants\` plants the mutants one by one in a copy and fails
if a named test does not notice, on an assertion; \`npm run mutants -- 8 9\` takes the rules 8 and 9 only. What the mutants
are stands in \`tools/mutants\`; this page is written from them by \`node tools/rules-page.mjs\`.
`;

/** The page as it should be. */
export function rulesPage() {
  return [introduction, ...Object.keys(ruleNames).map(Number).map(sectionOf)].join('\n');
}

function sectionOf(rule) {
  const own = mutants.filter((mutant) => mutant.rule === rule);
  const file = own[0]?.test;
  const rows = own.map(({ name, test, claim }) => {
    const elsewhere = test === file ? '' : ` (\`${test}\`)`;
    return `| ${name} | ${claim}${elsewhere} |`;
  });
  const head = [`\`${file}\``, '', '| without it | the test that notices |', '|---|---|'];
  return [`## ${rule}. ${ruleNames[rule]}`, '', ...head, ...rows, ''].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(path, rulesPage());
