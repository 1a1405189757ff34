import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const page = readFileSync(new URL('docs/guarantees.md', root), 'utf8');
const sections = page.split(/^## /m).slice(1);

/** A test that a promise names: its file, and what it claims there. */
interface Check {
  readonly label: string;
  readonly path: string;
  readonly claim: string;
}

function checksIn(section: string): readonly Check[] {
  return [...section.matchAll(/^- \[(.+)\]\(\.\.\/(.+?)\): (.+)$/gm)].map(
    ([, label = '', path = '', claim = '']) => ({ label, path, claim }),
  );
}

/** The names of tests: what stands in `it('…'`, `it.each(…)('…'` or `describe('…'`, and not in a comment or a value. */
const testName = /(?:\bit\(|\bdescribe\(|\)\()\s*(['"`])(.+?)\1,/g;

/** Whether a test is named so, or its name ends so, after who it is about. */
function isClaimIn(text: string, claim: string): boolean {
  return [...text.matchAll(testName)].some(([, , name]) => name?.endsWith(claim));
}

describe('the page of guarantees', () => {
  it('has for each promise the tests that check it, and what is not promised', () => {
    for (const section of sections) {
      const title = section.split('\n')[0];
      expect(checksIn(section).length, title).toBeGreaterThan(0);
      expect(section, title).toContain('**Not promised.**');
    }
    expect(sections.length).toBeGreaterThan(8);
  });

  it('names tests that are there, by what they claim', () => {
    const lost = sections.flatMap(checksIn).filter(({ label, path, claim }) => {
      const file = new URL(path, root);
      return label !== path || !existsSync(file) || !isClaimIn(readFileSync(file, 'utf8'), claim);
    });

    expect(lost).toEqual([]);
  });

  it('leads nowhere else than it says', () => {
    const links = [...page.matchAll(/\]\((.+?)\)/g)].map(([, target = '']) => target);

    expect(links.filter((target) => !existsSync(new URL(target, new URL('docs/', root))))).toEqual([]);
    const toTests = links.filter((target) => !target.endsWith('.md'));
    expect(toTests).toHaveLength(sections.flatMap(checksIn).length);
  });
});
