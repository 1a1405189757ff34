import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeChunk, encodeChunk } from '../../../src/storage/snapshot-chunk.ts';
import { decodePiece, encodePiece } from '../../../src/storage/snapshot-piece.ts';

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const fixture = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../fixtures/${name}`, import.meta.url), 'utf8'));

/** Made by another program, Python; in hexadecimal. They change only with the format's version (`docs/formats.md`). */
const chunk = fixture('chunk-1.json') as {
  readonly entries: readonly (readonly [string, string])[];
  readonly bytes: string;
};
const pieces = fixture('piece-2.json') as readonly {
  readonly key: string;
  readonly bytes: string;
  readonly isEnd: boolean;
  readonly piece: string;
}[];

describe('the byte form of a snapshot', () => {
  it('is what it always was: a chunk', () => {
    const entries = chunk.entries.map(([key, value]) => [bytesOf(key), bytesOf(value)] as const);

    expect(encodeChunk(entries)).toEqual(bytesOf(chunk.bytes));
    expect(decodeChunk(bytesOf(chunk.bytes), '')?.entries).toEqual(entries);
  });

  it.each(pieces)('is what it always was: a piece of a large value, at its end: $isEnd', (golden) => {
    const piece = { key: bytesOf(golden.key), bytes: bytesOf(golden.bytes), isEnd: golden.isEnd };

    expect(encodePiece(piece)).toEqual(bytesOf(golden.piece));
    expect(decodePiece(bytesOf(golden.piece))).toEqual(piece);
  });
});
