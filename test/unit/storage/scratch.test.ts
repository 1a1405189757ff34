import { describe, expect, it } from 'vitest';
import { Scratch } from '../../../src/storage/scratch.ts';

describe('memory for transactions', () => {
  it('is used again once it was given back', () => {
    const scratch = new Scratch();
    const first = scratch.lend(30);
    const pieces = [first.allocate(10), first.allocate(20)];
    expect(pieces.map(({ byteOffset, length }) => [byteOffset, length])).toEqual([
      [0, 10],
      [10, 20],
    ]);

    first.giveBack();
    const second = scratch.lend(10).allocate(10);

    expect(second.buffer).toBe(pieces[0]?.buffer);
    expect(second.byteOffset).toBe(0);
  });

  it('is not shared by two of them', () => {
    const scratch = new Scratch();
    const first = scratch.lend(10).allocate(10);

    const second = scratch.lend(10);
    const other = second.allocate(10);
    second.giveBack(); // Of what the second has: the first still has its own.

    expect(other.buffer).not.toBe(first.buffer);
    expect(scratch.lend(10).allocate(10).buffer).not.toBe(first.buffer);
  });

  it('is not taken by one that makes no bytes', () => {
    const scratch = new Scratch();
    const first = scratch.lend(10);
    const buffer = first.allocate(10).buffer;
    first.giveBack();

    scratch.lend(0);

    expect(scratch.lend(10).allocate(10).buffer).toBe(buffer);
  });

  it('is lost to one that never gives it back', () => {
    const scratch = new Scratch();
    const buffer = scratch.lend(10).allocate(10).buffer;

    expect(scratch.lend(10).allocate(10).buffer).not.toBe(buffer);
  });

  it('has room for whatever is asked for', () => {
    const scratch = new Scratch();
    const { allocate, giveBack } = scratch.lend(10);
    expect(allocate(10).length).toBe(10);
    const beyond = allocate(1_000_000);
    expect(beyond.length).toBe(1_000_000);
    giveBack();

    const large = scratch.lend(100_000).allocate(100_000);
    const huge = new Scratch().lend(64 * 1024 * 1024).allocate(64 * 1024 * 1024);

    expect(large.length).toBe(100_000);
    expect(huge.length).toBe(64 * 1024 * 1024);
  });
});
