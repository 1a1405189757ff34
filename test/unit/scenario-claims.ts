import { expect } from 'vitest';

/**
 * A scenario states what must happen and what must not, in lines of its own: `# must be: TEXT`, `# must never be:
 * TEXT`. It states at least one thing that must happen.
 */
export function expectClaims(transcript: string): void {
  const lines = transcript.split('\n');
  const happened = lines.filter((line) => line.startsWith('  '));
  const claims = (kind: string) =>
    lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length));

  expect(claims('# must be: ').length).toBeGreaterThan(0);
  for (const claim of claims('# must be: ')) {
    expect(happened).toContainEqual(expect.stringContaining(claim));
  }
  for (const claim of claims('# must never be: ')) {
    expect(happened).not.toContainEqual(expect.stringContaining(claim));
  }
}
