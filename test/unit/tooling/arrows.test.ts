import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The arrows of design §2: folder, what it may import, what it may not. */
const arrows: readonly { from: string; allowed: readonly string[]; forbidden: readonly string[] }[] = [
  {
    from: 'src/core',
    allowed: ['./log.ts'],
    forbidden: [
      '../storage/storage.ts',
      '../transport/transport.ts',
      '../streams/raft-node.ts',
      '../testing/index.ts',
      './../storage/storage.ts',
      'node:zlib',
      'zlib',
      'rxjs',
      'rxjs/operators',
      'lmdb',
      'ws',
      'rxraft/storage',
    ],
  },
  {
    from: 'src/storage',
    allowed: ['./storage.ts', '../core/index.ts', 'lmdb', 'node:fs', 'node:fs/promises'],
    forbidden: [
      '../transport/transport.ts',
      '../streams/raft-node.ts',
      '../testing/index.ts',
      '../core/../streams/raft-node.ts',
      '../index.ts',
      'rxjs',
      'ws',
      'hono',
    ],
  },
  {
    from: 'src/transport',
    allowed: [
      './transport.ts',
      './client/protocol.ts',
      '../core/index.ts',
      'rxjs',
      'ws',
      'node:http',
      'node:timers/promises',
    ],
    forbidden: [
      '../storage/storage.ts',
      '../streams/raft-node.ts',
      '../testing/index.ts',
      '../index.ts',
      'lmdb',
      'hono',
    ],
  },
  {
    from: 'src/transport/client',
    allowed: ['./raft-client.ts', '../byte-reader.ts', '../../core/index.ts', 'rxjs'],
    forbidden: [
      '../../streams/raft-node.ts',
      '../../storage/storage.ts',
      '../../index.ts',
      'ws',
      'node:http',
    ],
  },
  {
    from: 'src/streams',
    allowed: [
      './raft-node.ts',
      '../core/index.ts',
      '../storage/storage.ts',
      '../storage/errors.ts',
      '../storage/snapshot-chunk.ts',
      '../transport/transport.ts',
      '../transport/errors.ts',
      '../transport/founding.ts',
      '../transport/session-codec.ts',
      'rxjs',
    ],
    forbidden: [
      '../storage/lmdb.ts',
      '../storage/index.ts',
      '../transport/web-socket.ts',
      '../transport/index.ts',
      '../testing/index.ts',
      '../index.ts',
      'lmdb',
      'ws',
      'node:fs',
    ],
  },
  {
    from: 'src/testing',
    allowed: [
      '../core/index.ts',
      '../storage/memory.ts',
      '../transport/memory.ts',
      '../streams/raft-node.ts',
      'rxjs',
      'node:assert',
    ],
    forbidden: [
      '../../examples/kv/main.ts',
      '../../bench/write.ts',
      '../../test/unit/builders.ts',
      'rxraft',
      'rxraft/core',
      'hono',
      'vitest',
    ],
  },
  {
    from: 'src',
    allowed: ['./core/index.ts', './streams/raft-node.ts', './transport/index.ts', './storage/index.ts'],
    forbidden: ['../examples/kv/main.ts', '../bench/write.ts', 'rxraft', 'hono'],
  },
  {
    from: 'examples/kv',
    allowed: ['./machine.ts', 'rxraft', 'rxraft/core', 'rxraft/storage', 'hono', 'node:http'],
    forbidden: ['../../src/index.ts', '../../src/core/index.ts', '../../dist/src/index.js'],
  },
  {
    from: 'bench',
    allowed: ['./cases.ts', 'rxraft', 'rxraft/core'],
    forbidden: ['../src/index.ts', '../src/core/index.ts', '../dist/src/index.js'],
  },
];

/** What a file of src/core may not say besides imports. */
const impure: readonly string[] = [
  'Math.random()',
  'Math.sin(1)',
  'Date.now()',
  'new Date()',
  'performance.now()',
  'setTimeout(() => 1, 1)',
  'setInterval(() => 1, 1)',
  'setImmediate(() => 1)',
  'queueMicrotask(() => 1)',
  'console.log(1)',
  'process.pid',
  'crypto.randomUUID()',
  'new TextEncoder()',
  'new TextDecoder()',
  'Buffer.from([])',
  'structuredClone({})',
  'globalThis.Date',
  'Promise.resolve(1)',
  "'a'.localeCompare('b')",
];

const root = join(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'rxraft-arrows-'));
const refused = new Map<string, string[]>();
let count = 0;

/** Writes a file into the copy of the repository; returns its path there. */
function plant(from: string, text: string): string {
  const path = `${from}/planted-${count++}.ts`;
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  return path;
}

const importing = (specifier: string) => `export { a } from '${specifier}';\n`;
const cases = arrows.flatMap(({ from, allowed, forbidden }) => [
  ...allowed.map((specifier) => ({
    from,
    specifier,
    isAllowed: true,
    path: plant(from, importing(specifier)),
  })),
  ...forbidden.map((specifier) => ({
    from,
    specifier,
    isAllowed: false,
    path: plant(from, importing(specifier)),
  })),
]);
const expressions = impure.map((expression) => ({
  expression,
  path: plant('src/core', `export const a = ${expression};\n`),
}));
const forms = {
  'import type': plant('src/core', "import type { A } from '../storage/a.ts';\nexport type B = A;\n"),
  'export *': plant('src/core', "export * from '../storage/a.ts';\n"),
  'import()': plant('src/core', "export const a = () => import('../storage/a.ts');\n"),
  'the type import()': plant('src/core', "export type A = import('../storage/a.ts').A;\n"),
};
const cycle = [
  plant('src/core', `import { b } from './planted-${count + 1}.ts';\nexport const a = () => b;\n`),
  plant('src/core', `import { a } from './planted-${count - 1}.ts';\nexport const b = () => a;\n`),
];

beforeAll(() => {
  for (const name of ['biome.json', 'package.json', '.gitignore', 'tools/import-type.grit']) {
    cpSync(join(root, name), join(folder, name), { recursive: true });
  }
  const biome = join(root, 'node_modules/.bin/biome');
  const { stdout } = spawnSync(biome, ['lint', '--max-diagnostics=none', '--reporter=github'], {
    cwd: folder,
    encoding: 'utf8',
  });
  for (const [, rule = '', path = ''] of stdout.matchAll(/^::error title=([^,]+),file=([^,]+),/gm)) {
    const at = path.slice(path.lastIndexOf(folder) + folder.length + 1);
    refused.set(at, [...(refused.get(at) ?? []), rule]);
  }
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the lint rules that keep the folders apart', () => {
  it.each(cases.filter(({ isAllowed }) => isAllowed))('let $from import $specifier', ({ path }) => {
    expect(refused.get(path) ?? []).not.toContain('lint/style/noRestrictedImports');
  });

  it.each(cases.filter(({ isAllowed }) => !isAllowed))('forbid $from to import $specifier', ({ path }) => {
    expect(refused.get(path)).toContain('lint/style/noRestrictedImports');
  });

  it.each(Object.entries(forms))('see through %s', (_, path) => {
    expect(refused.get(path)).toBeDefined();
  });

  it('forbid cycles', () => {
    expect(cycle.map((path) => refused.get(path))).toEqual([
      ['lint/suspicious/noImportCycles'],
      ['lint/suspicious/noImportCycles'],
    ]);
  });
});

describe('the lint rules that keep the core pure', () => {
  it.each(expressions)('forbid $expression', ({ path }) => {
    const rules = ['lint/style/noRestrictedGlobals', 'lint/nursery/noJsRestrictedProperties'];

    expect(refused.get(path)?.filter((rule) => rules.includes(rule))).toHaveLength(1);
  });
});
