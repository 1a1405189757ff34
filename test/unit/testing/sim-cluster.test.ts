import { describe, expect, it } from 'vitest';
import { Dice } from '../../../src/testing/dice.ts';
import { ledgerMachine } from '../../../src/testing/simulator/ledger-machine.ts';
import { SimCluster } from '../../../src/testing/simulator/sim-cluster.ts';
import { drawWeather } from '../../../src/testing/simulator/weather.ts';
import { turnScheduler } from '../../../src/transport/turn-scheduler.ts';

describe('a simulated process that is ended at any moment of its start', () => {
  it.each(Array.from({ length: 20 }, (_, turns) => turns))(
    'leaves its address, after %i microtasks',
    async (turns) => {
      const cluster = new SimCluster({
        seed: 1,
        founders: ['n1', 'n2'],
        weather: { ...drawWeather(new Dice(1)), flushMs: 0 },
        machine: () => ledgerMachine('memory'),
        onDiskFailure: () => {},
      });

      const { scheduler } = cluster;
      cluster.start('n1');
      for (let turn = 0; turn < turns; turn++) {
        scheduler.advanceTo(scheduler.nextAtMs ?? scheduler.now());
        await Promise.resolve();
      }
      cluster.end('n1', (disk) => disk.kill());
      cluster.start('n1');
      for (let turn = 0; turn < 200; turn++) {
        scheduler.advanceTo(scheduler.nextAtMs ?? scheduler.now());
        await new Promise<void>((resolve) => turnScheduler.schedule(() => resolve()));
      }

      expect(cluster.failure).toBeUndefined();
      expect(cluster.process('n1')?.node).not.toBeNull();
      cluster.close();
    },
  );
});
