import { describe, expect, it } from 'vitest';
import { Dice } from '../../../src/testing/dice.ts';
import type { ChaosCluster } from '../../chaos/chaos-cluster.ts';
import { Scene } from '../../chaos/fault.ts';
import { delay, drop, halfOpen, oneWay, partition } from '../../chaos/faults/network-faults.ts';
import type { Spell } from '../../chaos/link-weather.ts';

/** How many of the links between so many places are hit, for each of a hundred draws. */
async function linksHit(size: number, fault: typeof oneWay): Promise<number[]> {
  const spells: Spell[] = [];
  const begin = (spell: Spell) => {
    spells.push(spell);
    return () => undefined;
  };
  const cluster = {
    slots: Array.from({ length: size }, (_, at) => at),
    forecast: { begin },
  } as unknown as ChaosCluster;
  for (let seed = 0; seed < 100; seed++)
    await fault.run(new Scene(cluster, new Dice(seed), AbortSignal.abort()));
  const places = Array.from({ length: size }, (_, at) => at);
  const links = places.flatMap((from) => places.filter((to) => to !== from).map((to) => ({ from, to })));
  return spells.map((spell) => links.filter(({ from, to }) => spell.covers(from, to)).length);
}

describe('a fault of the network', () => {
  const all = [delay, drop, oneWay, halfOpen, partition];

  it.each(all.flatMap((fault) => [2, 3, 5].map((size) => ({ name: fault.name, size, fault }))))(
    'covers some link whatever is drawn: $name, $size nodes',
    async ({ size, fault }) => {
      const hit = await linksHit(size, fault);

      expect(hit).toHaveLength(100);
      expect(Math.min(...hit)).toBeGreaterThan(0);
    },
  );
});
