import { setTimeout as pause } from 'node:timers/promises';
import type { Dice } from '../../src/testing/dice.ts';
import { storedOn } from '../integration/harness/http.ts';
import type { ChaosCluster } from './chaos-cluster.ts';
import { ChaosViolation } from './chaos-violation.ts';
import type { Client } from './client.ts';
import { type Fault, Scene } from './fault.ts';
import { judgeKey } from './key-judge.ts';
import { KeyPool } from './key-pool.ts';
import type { KeyRecord } from './key-record.ts';
import { request } from './kv-request.ts';
import type { Ledger } from './ledger.ts';
import type { Slot } from './slot.ts';
import type { Tally } from './tally.ts';

/** How soon the cluster must be well again once the faults are over. */
const recoveryMsMax = 120_000;
/** How many faults are at work at a time. */
const lanes = 2;
/** Clients go on for so long once the cluster is well. */
const calmMs = 1_000;

/** What one round needs. */
export interface RoundOptions {
  readonly number: number;
  readonly faultMs: number;
  readonly faults: readonly Fault[];
  readonly cluster: ChaosCluster;
  readonly clients: readonly Client[];
  readonly ledger: Ledger;
  readonly dice: Dice;
  readonly tally: Tally;
  say(line: string): void;
}

/** A stretch of faults under load, the recovery, and the judgement. Rejects with a `ChaosViolation`, or any other error. */
export async function runRound(options: RoundOptions): Promise<void> {
  const { number, cluster, clients, ledger, dice, tally } = options;
  const keys = new KeyPool(`chaos/${number}/`, dice);
  const stopping = new AbortController();
  const work = Promise.all([
    ...clients.map((client) => client.work(keys, stopping.signal)),
    ledger.work(cluster.slots, stopping.signal),
  ]);
  work.catch(() => undefined); // Whoever waits for it hears of it.
  try {
    await strike(options);
    const recoveryMs = await cluster.recovered(recoveryMsMax);
    tally.recoveriesMs.push(recoveryMs);
    await Promise.race([work, pause(calmMs)]);
  } finally {
    stopping.abort();
    await Promise.allSettled([work]);
  }
  await work;
  await judge(options, keys);
  await forget(cluster.slots[0] as Slot, keys);
}

async function strike({ cluster, dice, faultMs, faults, tally, say }: RoundOptions): Promise<void> {
  const healing = AbortSignal.timeout(Math.ceil(faultMs));
  const scene = new Scene(cluster, dice, healing);
  const lane = async (): Promise<void> => {
    while (!scene.isHealing) {
      const fault = dice.pick(faults);
      const what = await fault.run(scene);
      if (what === null) {
        await pause(20);
        continue;
      }
      tally.fault(fault.name);
      say(`  ${fault.name}: ${what}`);
      await scene.last(200, 2_500);
    }
  };
  const results = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const [what, times] of scene.notes) for (let time = 0; time < times; time++) tally.note(what);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Reads every key once more, and judges all that clients have seen. */
async function judge({ cluster, ledger, tally }: RoundOptions, keys: KeyPool): Promise<void> {
  await cluster.settled(recoveryMsMax);
  const finals = new Map<KeyRecord, string | null>();
  for (const key of keys.all) finals.set(key, await readFinally(cluster.slots, key));
  const all = await Promise.all(cluster.slots.map(({ url }) => storedOn(url, 'chaos/')));
  cluster.slots.forEach(({ node }, at) => {
    const [first, here] = [all[0], all[at]] as [Map<string, string>, Map<string, string>];
    const difference = differenceOf(first, here);
    if (difference !== null)
      throw new ChaosViolation(`${cluster.slots[0]?.node.id} and ${node.id} differ: ${difference}`);
    const problem = ledger.problemWith(node.id, here);
    if (problem !== null) throw new ChaosViolation(problem);
  });
  for (const key of keys.all) judgeKey(key, finals.get(key) ?? null, tally);
  tally.rounds += 1;
  tally.ledgerKeys = ledger.acknowledged.size;
  const status = await cluster.status(cluster.slots[0] as Slot);
  tally.terms = Math.max(tally.terms, status?.term ?? 0);
}

async function readFinally(slots: readonly Slot[], key: KeyRecord): Promise<string | null> {
  const deadline = performance.now() + recoveryMsMax;
  for (let tries = 0; performance.now() < deadline; tries++) {
    const { url } = slots[tries % slots.length] as Slot;
    const invokedAt = performance.now();
    const operation = { type: 'get' } as const;
    const { outcome } = await request(url, { key: key.name, operation });
    if (outcome.type !== 'ok' || outcome.result.type !== 'get') continue;
    key.add({ process: 'final', operation, invokedAt, returnedAt: performance.now(), outcome });
    return outcome.result.value;
  }
  throw new ChaosViolation(`${key.name} can't be read after the faults`, [key]);
}

/** Deletes the keys of the round: only the ledger is to grow. */
async function forget({ url }: Slot, keys: KeyPool): Promise<void> {
  for (const { name } of keys.all) await request(url, { key: name, operation: { type: 'delete' } });
}

function differenceOf(a: ReadonlyMap<string, string>, b: ReadonlyMap<string, string>): string | null {
  for (const key of new Set([...a.keys(), ...b.keys()]))
    if (a.get(key) !== b.get(key))
      return `${key} is ${JSON.stringify(a.get(key) ?? null)} and ${JSON.stringify(b.get(key) ?? null)}`;
  return null;
}
