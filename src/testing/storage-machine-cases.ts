import { index } from '../core/index.ts';
import { same } from './same.ts';
import {
  batchOf,
  conform,
  entriesOf,
  key,
  rejects,
  request,
  type StorageConformanceCase,
  throws,
} from './storage-kit.ts';

/** What every storage does about the keys and values of a state machine. */
export const storageMachineCases: readonly StorageConformanceCase[] = [
  conform('shows the machine its writes at once, and keeps those that were persisted', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    const { machine } = place;
    machine.put(key('a'), key('1'));
    machine.put(key('b'), key('2'));
    machine.delete(key('b'));
    machine.put(key('c'), new Uint8Array());
    machine.advance(index(1), 10);
    const before = [machine.isDirty, machine.appliedIndex, machine.get(key('a')), machine.get(key('b'))];

    const { durableAppliedIndex } = await place.current.persist([]);

    same('before it is durable', before, [true, 1, key('1'), undefined]);
    same('durable through', durableAppliedIndex, 1);
    same('dirty', machine.isDirty, false);
    await place.reopen();
    same('applied', place.machine.appliedIndex, 1);
    same('dirty after a restart', place.machine.isDirty, false);
    same('data', entriesOf(place.machine), [
      ['a', '1'],
      ['c', ''],
    ]);
  }),
  conform('makes the machine durable with the next request', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2)] })]);
    place.machine.put(key('a'), key('1'));
    place.machine.advance(index(2), 20);

    const { seq, durableAppliedIndex } = await place.current.persist([
      request({ seq: 2, batches: [batchOf(3)] }),
    ]);

    same('persisted', [seq, durableAppliedIndex], [2, 2]);
    const { log } = await place.reopen();
    same(
      'loaded',
      [log.lastIndex, place.machine.appliedIndex, entriesOf(place.machine)],
      [3, 2, [['a', '1']]],
    );
  }),
  conform('writes nothing of the machine where it is told to leave it', async (place) => {
    await place.beginFounded();
    place.machine.put(key('a'), key('1'));
    place.machine.advance(index(1), 10);
    const batches = [batchOf(1)];
    const left = await place.current.persist([request({ seq: 2, batches })], { withMachine: false });
    same('durable without it', [left.seq, left.durableAppliedIndex, place.machine.isDirty], [2, 0, true]);
    const idle = await place.current.persist([], { withMachine: false });
    same('durable with nothing at all', [idle.durableAppliedIndex, place.machine.isDirty], [0, true]);
    same('unflushed', [place.machine.unflushedKeys, place.machine.unflushedBytes], [1, 2]);
    for (let size = 0; size < 100; size++) place.machine.put(key('b'), new Uint8Array(size));
    place.machine.delete(key('a'));
    same(
      'what was replaced does not count',
      [place.machine.unflushedKeys, place.machine.unflushedBytes],
      [2, 101],
    );

    const { durableAppliedIndex } = await place.current.persist([], { withMachine: true });

    same('durable with it', [durableAppliedIndex, place.machine.isDirty], [1, false]);
    same('unflushed after it', [place.machine.unflushedKeys, place.machine.unflushedBytes], [0, 0]);
  }),
  conform('takes writes of the machine while a flush is under way', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2)] })]);
    const { machine } = place;
    machine.put(key('a'), key('1'));
    machine.put(key('b'), key('1'));
    machine.put(key('c'), key('1'));
    machine.advance(index(1), 10);
    const flushed = place.current.persist([]);
    machine.put(key('a'), key('2'));
    machine.delete(key('b'));
    machine.advance(index(2), 20);
    const during = entriesOf(machine);

    const { durableAppliedIndex } = await flushed;

    const expected = [
      ['a', '2'],
      ['c', '1'],
    ];
    same('during the flush', during, expected);
    same('durable through', durableAppliedIndex, 1);
    same('after it', [machine.isDirty, machine.appliedIndex, entriesOf(machine)], [true, 2, expected]);
    same('the next flush', (await place.current.persist([])).durableAppliedIndex, 2);
    await place.reopen();
    same('after a restart', entriesOf(place.machine), expected);
  }),
  conform('walks keys in the order of their bytes, over what is durable and what is not', async (place) => {
    await place.open();
    const bytes = (...each: number[]) => Uint8Array.from(each);
    const durable = [
      bytes(0),
      bytes(0, 0),
      bytes(1, 255),
      bytes(2),
      bytes(127),
      bytes(128),
      bytes(255),
      bytes(255, 255),
    ];
    for (const each of durable) place.machine.put(each, bytes(1));
    await place.current.persist([]);
    for (const each of [bytes(1), bytes(2), bytes(200), bytes(255, 0)]) place.machine.put(each, bytes(2));
    place.machine.delete(bytes(127));
    place.machine.delete(bytes(3));

    const walk = (bounds: { from?: Uint8Array; to?: Uint8Array }) =>
      [...place.machine.range(bounds)].map(([each, value]) => `${[...each].join('.')}=${value[0]}`);

    const all = ['0=1', '0.0=1', '1=2', '1.255=1', '2=2', '128=1', '200=2', '255=1', '255.0=2', '255.255=1'];
    same('all', walk({}), all);
    same('from, inclusive', walk({ from: bytes(2) }), all.slice(4));
    same('to, exclusive', walk({ to: bytes(2) }), all.slice(0, 4));
    same('between keys', walk({ from: bytes(1, 0), to: bytes(250) }), all.slice(3, 7));
    same('nothing', walk({ from: bytes(4), to: bytes(100) }), []);
    await place.current.persist([]);
    same('all, durable', walk({}), all);
    same('part, durable', walk({ from: bytes(1, 0), to: bytes(250) }), all.slice(3, 7));
  }),
  conform('gives values of all sizes back, to keep', async (place) => {
    await place.open();
    const sizes = [0, 1, 100, 4096, 40_000, 300_000];
    for (const size of sizes) place.machine.put(key(`k${size}`), new Uint8Array(size).fill(size % 251));
    await place.reopen();

    const values = sizes.map((size) => place.machine.get(key(`k${size}`)));
    for (const size of sizes) place.machine.put(key(`k${size}`), Uint8Array.of(9));
    await place.current.persist([]);

    same(
      'lengths',
      values.map((value) => value?.byteLength),
      sizes,
    );
    const isKept = values.every((value, at) => value?.every((byte) => byte === (sizes[at] as number) % 251));
    same('every byte', isKept, true);
  }),
  conform('takes keys of 1 to 1,900 bytes', async (place) => {
    await place.open();
    const longest = new Uint8Array(1900).fill(255);
    place.machine.put(longest, key('v'));

    throws('an empty key', 'RAFT_STORE_KEY', () => place.machine.put(new Uint8Array(), key('v')));
    throws('a long key', 'RAFT_STORE_KEY', () => place.machine.delete(new Uint8Array(1901)));

    await place.reopen();
    same('value', place.machine.get(longest), key('v'));
  }),
  conform('has nothing under keys that are too long, and takes them for bounds', async (place) => {
    await place.open();
    const longest = new Uint8Array(1900).fill(7);
    const longer = new Uint8Array(3000).fill(7);
    const after = Uint8Array.of(7, 8);
    const walk = () => [
      place.machine.get(longer),
      [...place.machine.range({ from: longer })].map(([each]) => each),
      [...place.machine.range({ to: longer })].map(([each]) => each),
      [...place.machine.range({ from: longest, to: longer })].map(([each]) => each),
    ];
    const expected = [undefined, [after], [longest], [longest]];

    place.machine.put(longest, key('v'));
    place.machine.put(after, key('w'));
    same('before it is durable', walk(), expected);
    await place.reopen();

    same('durable', walk(), expected);
  }),
  conform('takes values that are bytes, and no others', async (place) => {
    await place.begin();
    place.machine.put(key('a'), Buffer.from('1'));

    for (const value of [5, 'text', null, undefined, {}, [1], new Uint16Array(1), new ArrayBuffer(1)])
      throws(`${value}`, 'RAFT_STORE_VALUE', () =>
        place.machine.put(key('b'), value as unknown as Uint8Array),
      );

    await place.reopen();
    same('entries', entriesOf(place.machine), [['a', '1']]);
  }),
  conform('flushes the machine when it is closed', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    place.machine.put(key('a'), key('1'));
    place.machine.advance(index(1), 10);

    await place.reopen();

    same('loaded', [place.machine.appliedIndex, entriesOf(place.machine)], [1, [['a', '1']]]);
  }),
  conform('does not take the applied index back', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1), batchOf(2)] })]);
    place.machine.advance(index(2), 20);
    place.machine.advance(index(1), 10);

    same('applied', place.machine.appliedIndex, 2);
  }),
  conform('refuses to start with a machine that is ahead of its log', async (place) => {
    await place.begin();
    await place.current.persist([request({ seq: 1, batches: [batchOf(1)] })]);
    place.machine.advance(index(2), 20);
    await place.current.close();

    await rejects('opening', 'RAFT_STORE_DAMAGED', place.another().open());
  }),
];
