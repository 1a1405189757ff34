import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';

const { hashOf }: { hashOf(root: string): string } = await import(
  new URL('../../../tools/build.mjs', import.meta.url).href
);

describe('what a build was made of', () => {
  it('is the same however its folder is named, and another once a file has changed', () => {
    const root = mkdtempSync(join(tmpdir(), 'rxraft-build-'));
    onTestFinished(() => rmSync(root, { recursive: true, force: true }));
    for (const name of ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json'])
      cpSync(new URL(`../../../${name}`, import.meta.url), join(root, name));

    const hash = hashOf(root);

    expect(hashOf(relative('.', root))).toBe(hash);
    expect(hashOf(`${root}/`)).toBe(hash);
    writeFileSync(join(root, 'tsconfig.json'), '{}');
    expect(hashOf(root)).not.toBe(hash);
  });
});
