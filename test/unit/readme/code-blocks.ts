import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of package.json. */
export const root = join(import.meta.dirname, '../../..');

/** A fenced block of code in a page, and what the page says that it prints. */
export interface CodeBlock {
  /** Such as `README.md:41`. */
  readonly place: string;
  /** A name for its file. */
  readonly name: string;
  readonly language: string;
  readonly code: string;
  /** The block of `text` that follows. */
  readonly output: string | undefined;
}

/** The pages whose examples are tried. */
export const pages: readonly string[] = [
  'README.md',
  'docs/recording.md',
  ...readdirSync(join(root, 'docs/guide')).map((name) => `docs/guide/${name}`),
];

/** Every fenced block of a page, in order. */
export function blocksOf(page: string): readonly CodeBlock[] {
  const text = readFileSync(join(root, page), 'utf8');
  const fenced = [...text.matchAll(/^```(.*)\n([\s\S]*?)^```$/gm)];
  return fenced.map(([, language = '', code = ''], at) => {
    const line = text.slice(0, fenced[at]?.index).split('\n').length;
    const next = fenced[at + 1];
    return {
      place: `${page}:${line}`,
      name: `${page.replaceAll(/[^a-z]/gi, '-')}-${line}`,
      language,
      code,
      output: next?.[1] === 'text' ? next[2] : undefined,
    };
  });
}

/** Lines that say something. */
export function linesOf(code: string): number {
  return code.split('\n').filter((line) => line.trim() !== '').length;
}
