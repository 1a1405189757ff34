import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as main from 'rxraft';
import * as client from 'rxraft/client';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { root } from './code-blocks.ts';

/** Everything that a file of the library imports, with what only its types need. */
function importsOf(path: string): readonly string[] {
  return ts
    .preProcessFile(readFileSync(path, 'utf8'), true, true)
    .importedFiles.map(({ fileName }) => fileName);
}

/** The packages that can be reached from a file, each with the file that names it. */
function packagesFrom(entry: string): ReadonlyMap<string, string> {
  const packages = new Map<string, string>();
  const seen = new Set<string>();
  const visit = (path: string): void => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const name of importsOf(path)) {
      if (name.startsWith('.')) visit(join(dirname(path), name));
      else packages.set(name, path);
    }
  };
  visit(entry);
  return packages;
}

describe('the main entry', () => {
  it('reaches RxJS and nothing else, so that it loads in a browser', () => {
    const packages = packagesFrom(join(root, 'src/index.ts'));

    expect([...packages.keys()]).toEqual(['rxjs']);
  });

  it('reaches all that it seems to: the walk finds what storage and transport need', () => {
    const storage = packagesFrom(join(root, 'src/storage/index.ts'));
    const transport = packagesFrom(join(root, 'src/transport/index.ts'));

    expect([...storage.keys()]).toContain('lmdb');
    expect([...transport.keys()]).toEqual(expect.arrayContaining(['ws', 'rxjs']));
  });

  it('has the runtime, the core, and storage and network in memory', () => {
    expect(main).toMatchObject({
      raftNode: expect.any(Function),
      reducer: expect.any(Function),
      step: expect.any(Function),
      Raft: expect.any(Function),
      memoryStorage: expect.any(Function),
      memoryDisk: expect.any(Function),
      memoryNetwork: expect.any(Function),
    });
  });
});

describe('the client', () => {
  it('reaches RxJS and nothing else, so that it loads in a browser: neither `node:` nor `ws`', () => {
    const packages = packagesFrom(join(root, 'src/transport/client/index.ts'));

    expect([...packages.keys()]).toEqual(['rxjs']);
    expect(client).toMatchObject({ raftClient: expect.any(Function), writeWith: expect.any(Function) });
  });
});

describe('the core', () => {
  it('reaches nothing at all', () => {
    expect([...packagesFrom(join(root, 'src/core/index.ts')).keys()]).toEqual([]);
    expect(existsSync(join(root, 'src/core/index.ts'))).toBe(true);
  });
});
