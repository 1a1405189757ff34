import { describe, expect, it } from 'vitest';
import { RoomGauge } from '../../../src/storage/room-gauge.ts';

const mebibyte = 1024 * 1024;

/** A gauge of a disk that a test fills, on a clock that a test moves; `looks` counts how often it was looked at. */
function gaugeOf(freeBytes: number) {
  const disk = { freeBytes, looks: 0, now: 0 };
  const look = async () => {
    disk.looks++;
    return disk.freeBytes;
  };
  return { disk, gauge: new RoomGauge(look, () => disk.now) };
}

describe('a disk', () => {
  it('has room while a few mebibytes are left beside a transaction and its copy', async () => {
    const { disk, gauge } = gaugeOf(4 * mebibyte);

    expect(await gauge.hasRoomFor(mebibyte)).toBe(true);
    disk.freeBytes = 4 * mebibyte - 1;
    expect(await gauge.hasRoomFor(mebibyte)).toBe(false);
  });

  it('is looked at once a second while there is plenty of room, and each time when there is less', async () => {
    const { disk, gauge } = gaugeOf(2048 * mebibyte);

    for (let write = 0; write < 4; write++) await gauge.hasRoomFor(mebibyte);
    expect(disk.looks).toBe(1);
    disk.now = 1_000;
    disk.freeBytes = 1000 * mebibyte;
    for (let write = 0; write < 4; write++) await gauge.hasRoomFor(mebibyte);
    expect(disk.looks).toBe(5);
  });

  it('is looked at again when what was written since may have used the room up', async () => {
    const { disk, gauge } = gaugeOf(2048 * mebibyte);

    await gauge.hasRoomFor(500 * mebibyte); // LMDB took less than it might have.

    expect(await gauge.hasRoomFor(500 * mebibyte)).toBe(true);
    expect(disk.looks).toBe(2);
  });

  it('that others have filled has no room after a second', async () => {
    const { disk, gauge } = gaugeOf(2048 * mebibyte);
    await gauge.hasRoomFor(0);

    disk.freeBytes = 0;
    disk.now = 1_000;

    expect(await gauge.hasRoomFor(0)).toBe(false);
  });

  it('that does not tell has room', async () => {
    const gauge = new RoomGauge(() => Promise.reject(new Error('ENOSYS')));

    expect(await gauge.hasRoomFor(mebibyte)).toBe(true);
  });
});

describe('requests that come while the disk is looked at', () => {
  it('are answered in their order', async () => {
    const { gauge, disk } = gaugeOf(2048 * mebibyte);
    const answered: number[] = [];
    const ask = async (name: number, bytes: number) => {
      await gauge.hasRoomFor(bytes);
      answered.push(name);
    };

    const first = ask(1, mebibyte);
    const second = ask(2, 600 * mebibyte);
    await Promise.resolve();
    const third = ask(3, 0);
    await Promise.all([first, second, third]);
    disk.now = 1_000;
    await Promise.all([ask(4, mebibyte), ask(5, 0), ask(6, 0)]);

    expect(answered).toEqual([1, 2, 3, 4, 5, 6]);
  });
});
