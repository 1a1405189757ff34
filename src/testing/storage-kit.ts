import { crc32 } from '../core/crc32.ts';
import {
  type CompactLogReq,
  type Configuration,
  type EntryBatch,
  encodeConfiguration,
  encodePayload,
  type HardState,
  type Index,
  index,
  lastOf,
  type NodeId,
  type PersistReq,
  term,
  votersOnly,
} from '../core/index.ts';
import type { Founding, Loaded, MachineStore, Storage } from '../storage/storage.ts';

/** A place where one store is kept, such as a folder, and what can be made to happen to it. */
export interface StoragePlace {
  /** A storage on this place, not yet open. Any number of them, one open at a time. */
  storage(options?: { readonly nodeId?: NodeId }): Storage;
  /** Kills the process that has the store open, as SIGKILL does. */
  kill?(): void | Promise<void>;
  /** Cuts the power: what is not flushed is gone. */
  losePower?(): void | Promise<void>;
  /** The next write is refused by the disk. */
  failNextWrite?(): void | Promise<void>;
}

/** What can be made to happen to a {@link StoragePlace} that offers it. */
export type StorageFault = 'kill' | 'losePower' | 'failNextWrite';

/** The implementation that is put to the test. */
export interface StorageUnderTest {
  /** A new, empty place. */
  make(): StoragePlace | Promise<StoragePlace>;
}

/** One claim about a storage: `run` rejects with an `Error` that says what was seen instead of it. */
export interface StorageConformanceCase {
  readonly name: string;
  /** What of a {@link StoragePlace} the case needs besides storages: leave the case out where any of it is missing. */
  readonly needs: readonly StorageFault[];
  /** Makes its own places, and closes what it opened. */
  run(subject: StorageUnderTest): Promise<void>;
}

export const founding: Founding = {
  clusterId: 'cluster-1',
  configuration: votersOnly([{ id: 'n1', storeId: 'store-1', url: 'ws://127.0.0.1:7101' }]),
};
export const votedInTerm9: HardState = { currentTerm: term(9), votedFor: { id: 'n1', storeId: 'store-1' } };

/** A place, and the storage that is open on it. */
export class OpenPlace {
  readonly #place: StoragePlace;
  readonly #storages: Storage[] = [];
  current: Storage;

  constructor(place: StoragePlace) {
    this.#place = place;
    this.current = this.another();
  }

  get machine(): MachineStore {
    return this.current.machineStore;
  }

  another(options?: { readonly nodeId?: NodeId }): Storage {
    const storage = this.#place.storage(options);
    this.#storages.push(storage);
    return storage;
  }

  open(options?: { readonly nodeId?: NodeId }): Promise<Loaded> {
    this.current = this.another(options);
    return this.current.open();
  }

  /** Opens, and makes a term durable that covers all batches (rule 1: a term is durable before its entries). */
  async begin(): Promise<void> {
    await this.open();
    await this.current.persist([request({ seq: 1, hardState: votedInTerm9 })]);
  }

  /** As {@link OpenPlace.begin}, for a store that belongs to a cluster. */
  async beginFounded(): Promise<void> {
    await this.begin();
    await this.current.found(founding);
  }

  /** Puts these keys and values, applied through an index, and makes them durable. */
  async apply(at: number, entries: Readonly<Record<string, string>>): Promise<void> {
    for (const [each, value] of Object.entries(entries)) this.machine.put(key(each), key(value));
    this.machine.advance(index(at), at * 10);
    await this.current.persist([]);
  }

  async reopen(): Promise<Loaded> {
    await this.current.close();
    return this.open();
  }

  async read(from: number, maxBytes = 1_000_000): Promise<readonly EntryBatch[]> {
    const batches = await this.current.readLog({ from: index(from), maxBytes });
    claim(`the log still holds index ${from}`, batches !== 'compacted');
    return batches as readonly EntryBatch[];
  }

  async fault(kind: StorageFault): Promise<void> {
    const cause = this.#place[kind];
    if (cause === undefined) throw new Error(`this case needs ${kind}() of the place: see its "needs"`);
    await cause.call(this.#place);
  }

  async close(): Promise<void> {
    for (const storage of this.#storages) await storage.close();
  }
}

export function conform(
  name: string,
  check: (place: OpenPlace, other: OpenPlace, make: () => Promise<OpenPlace>) => Promise<void>,
  needs: readonly StorageFault[] = [],
): StorageConformanceCase {
  const run = async (subject: StorageUnderTest) => {
    const places: OpenPlace[] = [];
    const make = async () => {
      const place = new OpenPlace(await subject.make());
      places.push(place);
      return place;
    };
    try {
      await check(await make(), await make(), make);
    } finally {
      for (const place of places) await place.close();
    }
  };
  return { name, needs, run };
}

export function batchOf(
  at: number,
  {
    inTerm = 1,
    kind = 'command',
    entries = [`entry ${at}`],
    logTimeMs = 0,
  }: {
    readonly inTerm?: number;
    readonly kind?: EntryBatch['kind'];
    readonly entries?: readonly string[];
    readonly logTimeMs?: number;
  } = {},
): EntryBatch {
  const payload = encodePayload(entries.map(key));
  return {
    group: 0,
    index: index(at),
    term: term(inTerm),
    count: entries.length,
    kind,
    logTimeMs,
    payload,
    payloadChecksum: crc32(payload),
  };
}

export function request(parts: Partial<PersistReq> & { readonly seq: number }): PersistReq {
  return { type: 'persistReq', batches: [], ...parts };
}

export function compaction(through: number, inTerm = 1, seq = 1): CompactLogReq {
  return { type: 'compactLogReq', seq, through: index(through), throughTerm: term(inTerm) };
}

/** A configuration of voters with these names. */
export function configurationOf(...names: readonly string[]): Configuration {
  return votersOnly(names.map((id) => ({ id, storeId: `store-of-${id}`, url: `ws://${id}:7101` })));
}

/** A batch with a configuration of voters with these names. */
export function configurationBatch(at: number, names: readonly string[], inTerm = 1): EntryBatch {
  const payload = encodeConfiguration(configurationOf(...names));
  const batch = batchOf(at, { kind: 'configuration', inTerm });
  return { ...batch, payload, payloadChecksum: crc32(payload) };
}

/** ASCII as bytes. */
export function key(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) bytes[at] = text.charCodeAt(at);
  return bytes;
}

/** And back; what is no ASCII gives other characters, another one for each byte. */
export function text(bytes: Uint8Array): string {
  return latin1.decode(bytes);
}

const latin1 = new TextDecoder('latin1');

export function entriesOf(machine: MachineStore): readonly (readonly [string, string])[] {
  return [...machine.range({})].map(([each, value]) => [text(each), text(value)]);
}

export function indexesOf(batches: readonly EntryBatch[]): readonly Index[] {
  batches.reduce(
    (next, batch) => {
      claim(`batch ${batch.index} follows`, next === undefined || next === batch.index);
      return lastOf(batch) + 1;
    },
    undefined as number | undefined,
  );
  return batches.map((batch) => batch.index);
}

/** What was asked for may have begun, and can't be done yet: no I/O comes back within an event-loop turn. */
export async function begun(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

/** A promise that may settle either way, or never. */
export function ignored(promise: Promise<unknown> | undefined): void {
  promise?.catch(() => undefined);
}

export function claim(what: string, isTrue: boolean): void {
  if (!isTrue) throw new Error(`not true: ${what}`);
}

export async function rejects(what: string, code: string, promise: Promise<unknown>): Promise<void> {
  const outcome = await promise.then(
    () => 'it resolved',
    (error: unknown) => error,
  );
  hasCode(what, code, outcome);
}

export function throws(what: string, code: string, act: () => void): void {
  let outcome: unknown = 'it returned';
  try {
    act();
  } catch (error) {
    outcome = error;
  }
  hasCode(what, code, outcome);
}

function hasCode(what: string, code: string, outcome: unknown): void {
  const isExpected = outcome instanceof Error && (outcome as { code?: unknown }).code === code;
  if (!isExpected) throw new Error(`${what}: expected an error ${code}, but ${String(outcome)}`);
}
