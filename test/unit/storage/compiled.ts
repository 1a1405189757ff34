import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '../../..');

/** The sources of core and storage as JavaScript, for processes of their own. */
export interface Compiled {
  /** The folder; a script there imports `./src/storage/index.js`, and packages. */
  readonly folder: string;
  /** Writes a script there and returns its path. */
  script(name: string, text: string): string;
  remove(): void;
}

/** Compiles afresh, without looking at types, in about a second. */
export function compileStorage(): Compiled {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-compiled-'));
  for (const part of ['src/core', 'src/storage']) {
    for (const name of readdirSync(join(root, part), { recursive: true, encoding: 'utf8' })) {
      if (name.endsWith('.ts')) compile(join(part, name), folder);
    }
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    script(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text);
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function compile(path: string, folder: string): void {
  const { outputText } = ts.transpileModule(readFileSync(join(root, path), 'utf8'), {
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      rewriteRelativeImportExtensions: true,
    },
  });
  const target = join(folder, path.replace(/\.ts$/, '.js'));
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, outputText);
}
