import { bytesCodec, jsonCodec, memoryStorage, raftNode, reducer } from 'rxraft';
import { describe, expect, it } from 'vitest';

const sum = () => reducer(0, (total: number, add: number) => [total + add, total + add] as const);
const started = () => raftNode({ id: 'n1', machine: sum(), storage: memoryStorage(), pendingMax: 100 });

describe('a list that its caller uses again at once', () => {
  it('is written, and answered, as it was', async () => {
    await using node = await started();
    const [emptied, grown] = [
      [1, 2, 3],
      [4, 5],
    ];

    const answers = [node.writeAll(emptied), node.writeAll(grown)];
    emptied.length = 0;
    grown.push(6, 7);
    const [first, second] = await Promise.all(answers);

    expect(first?.map(({ result }) => result)).toEqual([1, 3, 6]);
    expect(second?.map(({ result }) => result)).toEqual([10, 15]);
  });

  it('is written as it was where its commands are encoded already', async () => {
    await using node = await started();
    const encoded = [1, 2, 3].map((number) => jsonCodec<number>().encode(number));

    const writing = node.writeEncoded(encoded);
    encoded.length = 0;

    expect((await writing).results).toEqual([1, 3, 6]);
  });

  it.each(['linearizable', 'stale'] as const)(
    'is read as it was, and leaves room for others (%s)',
    async (consistency) => {
      await using node = await started();
      await node.write(1);

      for (let round = 0; round < 60; round++) {
        const queries = Array.from({ length: 4 }, (_, place) => (total: number) => total + place);
        const reading = node.readAll(queries, { consistency });
        queries.length = 0;
        expect((await reading).map(({ value }) => value)).toEqual([1, 2, 3, 4]);
      }
    },
  );
});

describe('the codec of bytes', () => {
  it('takes them as they are when they are given', async () => {
    const machine = reducer(
      [] as readonly number[],
      (all: readonly number[], bytes: Uint8Array) => [[...all, ...bytes], bytes.length] as const,
      { command: bytesCodec },
    );
    await using node = await raftNode({ id: 'n1', machine, storage: memoryStorage() });
    const buffer = Buffer.alloc(1);

    const writes = [1, 2, 3].map((byte) => {
      buffer[0] = byte;
      return node.write(buffer);
    });
    await Promise.all(writes);

    expect((await node.read((all) => all)).value).toEqual([1, 2, 3]);
  });

  it('leaves what is no bytes for the node to refuse', async () => {
    const machine = { ...sum(), command: bytesCodec as unknown as ReturnType<typeof jsonCodec<number>> };
    await using node = await raftNode({ id: 'n1', machine, storage: memoryStorage() });

    await expect(node.write(5)).rejects.toMatchObject({ code: 'RAFT_BAD_COMMAND', outcome: 'notCommitted' });
  });
});
