import { index, term } from 'rxraft/core';
import { describe, expect, it } from 'vitest';
import * as source from '../../../src/core/index.ts';

describe('a test that imports the package by its public name', () => {
  it('gets the source, not a build of it', () => {
    expect(index).toBe(source.index);
    expect(term).toBe(source.term);
  });
});
