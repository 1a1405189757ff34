import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '../../..');

/** A copy of some files of the repository, with the same packages, to break in a test. Disposing deletes it. */
export interface Copy extends Disposable {
  readonly folder: string;
  write(path: string, text: string): void;
}

/** Copies the named files and folders of the repository. */
export function copyOf(names: readonly string[]): Copy {
  const folder = mkdtempSync(join(tmpdir(), 'rxraft-copy-'));
  for (const name of names) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return {
    folder,
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    [Symbol.dispose]() {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
