import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transcribe } from '../../../src/testing/transcript.ts';
import { expectClaims } from '../scenario-claims.ts';

const folder = new URL('./scenarios/', import.meta.url);
const names = readdirSync(folder).filter((name) => name.endsWith('.txt'));

describe('the transcript of', () => {
  it.each(names)('%s is what it was', async (name) => {
    const file = fileURLToPath(new URL(name, folder));

    const transcript = transcribe(readFileSync(file, 'utf8'));

    expectClaims(transcript);
    await expect(transcript).toMatchFileSnapshot(file);
  });
});
