import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

interface Edit {
  readonly file: string;
  readonly find: string;
}

interface Mutant extends Edit {
  readonly rule: number;
  readonly name: string;
  readonly also?: readonly Edit[];
  readonly test: string;
  readonly claim: string;
}

interface PlantedBug {
  readonly name: string;
  readonly edits: readonly Edit[];
}

const root = new URL('../../../', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, root), 'utf8');
const load = (path: string) => import(new URL(path, root).href);
const { mutants }: { mutants: readonly Mutant[] } = await load('tools/mutant-list.mjs');
const { planted }: { planted: readonly PlantedBug[] } = await load('tools/planted-list.mjs');
const { rulesPage }: { rulesPage: () => string } = await load('tools/rules-page.mjs');

/** Those that are not to be found in the source, or more than once. */
function strayOf(edits: readonly Edit[]): readonly Edit[] {
  return edits.filter(({ file, find }) => textOf(file).split(find).length !== 2);
}

/** The titles of the tests in a file, as patterns: `%s` may be anything. */
function titlesIn(path: string): readonly RegExp[] {
  const titles = [...textOf(path).matchAll(/\(\s*(['"`])((?:(?!\1).)+)\1,/g)].map(
    (found) => found[2] as string,
  );
  const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return titles.map((title) => new RegExp(`^${title.split('%s').map(literal).join('.+')}$`));
}

describe('the list of mutants', () => {
  it('breaks each of the 22 rules', () => {
    const rules = new Set(mutants.map(({ rule }) => rule));

    expect([...rules]).toEqual(Array.from({ length: 22 }, (_, at) => at + 1));
  });

  it('changes what stands in the source exactly once', () => {
    const edits = mutants.flatMap((mutant) => [mutant, ...(mutant.also ?? [])]);

    expect(strayOf(edits)).toEqual([]);
  });

  it('names tests that are there', () => {
    const lost = mutants.filter(
      ({ test, claim }) => !titlesIn(test).some((title) => title.test(claim) || title.source.includes(claim)),
    );

    expect(lost.map(({ test, claim }) => `${test}: ${claim}`)).toEqual([]);
  });

  it('is what docs/rules.md shows', () => {
    expect(textOf('docs/rules.md')).toBe(rulesPage());
  });
});

describe('the list of planted bugs', () => {
  it('changes what stands in the source exactly once', () => {
    const stray = planted.filter(({ edits }) => strayOf(edits).length > 0);

    expect(stray.map(({ name }) => name)).toEqual([]);
  });
});
