import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transcribe } from '../../../src/testing/transcript.ts';

const folder = new URL('./scenarios/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

/** A scenario states what must happen and what must not: `# must be: TEXT`, `# must never be: TEXT`. */
function claimsOf(transcript: string, kind: 'be' | 'never be'): readonly string[] {
  const prefix = `# must ${kind}: `;
  const lines = transcript.split('\n').filter((line) => line.startsWith(prefix));
  return lines.map((line) => line.slice(prefix.length));
}

describe('the transcript of', () => {
  it.each(names)('%s is what it was', async (name) => {
    const file = fileURLToPath(new URL(name, folder));
    const script = readFileSync(file, 'utf8');

    const transcript = transcribe(script);

    const happened = transcript.split('\n').filter((line) => line.startsWith('  '));
    expect(claimsOf(transcript, 'be').length).toBeGreaterThan(0);
    for (const claim of claimsOf(transcript, 'be'))
      expect(happened).toContainEqual(expect.stringContaining(claim));
    for (const claim of claimsOf(transcript, 'never be')) {
      expect(happened).not.toContainEqual(expect.stringContaining(claim));
    }
    await expect(transcript).toMatchFileSnapshot(file);
  });
});
