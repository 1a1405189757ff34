// Checks that docs/errors.md has one row for each stable name of an error, and no other rows.
//
//   node tools/errors.mjs          exits with 1 and says what is missing
//   node tools/errors.mjs --list   prints each name and the files that hold it
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const page = 'docs/errors.md';

/** Unions of string literals whose members are stable names, besides `RAFT_…` and `KV_…`. */
const unions = [
  { file: 'src/core/output.ts', after: 'export type FaultKind' },
  { file: 'src/transport/transport.ts', after: 'export interface HandshakeRefusal' },
];

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const used = namesUsed();
if (process.argv.includes('--list')) {
  for (const [name, files] of [...used].sort()) console.log(`${name}  ${[...files].join(' ')}`);
} else {
  const problems = findProblems();
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length > 0 ? 1 : 0;
}

function findProblems() {
  const rows = readRows();
  const problems = [];
  for (const [name, files] of used) {
    if (!rows.has(name)) problems.push(`${page} has no row for ${name} (${[...files].join(', ')})`);
  }
  for (const [name, cells] of rows) {
    if (!used.has(name)) problems.push(`${page} explains ${name}, which is used nowhere`);
    if (cells.length !== 4 || cells.includes(''))
      problems.push(`${page}: the row of ${name} needs four cells`);
  }
  return problems;
}

/** Every stable name and the files that hold it. */
function namesUsed() {
  const used = new Map();
  const note = (name, file) => used.set(name, (used.get(name) ?? new Set()).add(file));
  for (const path of [...sourcesUnder('src'), ...sourcesUnder('examples')]) {
    for (const [name] of readFileSync(path, 'utf8').matchAll(/\b(?:RAFT|KV)_[A-Z0-9_]*[A-Z0-9]\b/g)) {
      note(name, relative(root, path));
    }
  }
  for (const { file, after } of unions) {
    for (const name of readUnion(file, after)) note(name, file);
  }
  return used;
}

function sourcesUnder(folder) {
  const path = join(root, folder);
  if (!existsSync(path)) return [];
  return readdirSync(path, { recursive: true })
    .filter((name) => /\.(ts|mjs|js)$/.test(name) && !name.includes('node_modules'))
    .map((name) => join(path, name));
}

/** The literals of the first union that stands behind the text `after`. */
function readUnion(file, after) {
  const text = readFileSync(join(root, file), 'utf8');
  const start = text.indexOf(after);
  if (start === -1)
    throw new Error(`${file} has no ${after}: correct the table of unions in tools/errors.mjs`);
  const union = text.slice(start, text.indexOf(';', start));
  return [...union.matchAll(/^\s*\| '(\w+)'/gm)].map(([, name]) => name);
}

/** The rows of the page's tables whose first cell is a name in backquotes: name and cells. */
function readRows() {
  const rows = new Map();
  for (const line of readFileSync(join(root, page), 'utf8').split('\n')) {
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    const name = /^ `(\w+)` $/.exec(cells[0] ?? '')?.[1];
    if (name !== undefined)
      rows.set(
        name,
        cells.map((cell) => cell.trim()),
      );
  }
  return rows;
}
