import { describe, expect, it } from 'vitest';
import { NetworkPeriods } from '../../../src/testing/simulator/network-periods.ts';
import { Network } from '../../../src/transport/memory-network.ts';

describe('two periods of bad network that overlap', () => {
  it('do not end each other: the worse holds, and what is left when one ends', () => {
    const network = new Network({});
    const periods = new NetworkPeriods(network, { delayMsMax: 4 });
    const late = { faults: { delayMsMax: 80 } };
    const later = { faults: { delayMsMax: 250 } };

    periods.begin(late);
    periods.begin(later);
    periods.begin({ faults: { lossProbability: 0.1 } });
    expect(network.faults).toMatchObject({ delayMsMax: 250, lossProbability: 0.1 });
    periods.end(later);
    expect(network.faults).toMatchObject({ delayMsMax: 80, lossProbability: 0.1 });
    periods.end(late);
    expect(network.faults).toMatchObject({ delayMsMax: 4, lossProbability: 0.1 });
  });

  it('keep their cuts, also one that both have', () => {
    const network = new Network({});
    const periods = new NetworkPeriods(network);
    const first = { cuts: [['a', 'b'] as const, ['a', 'c'] as const] };
    const second = { cuts: [['a', 'b'] as const] };

    periods.begin(first);
    periods.begin(second);
    periods.end(first);

    expect(network.isCut('a', 'b')).toBe(true);
    expect(network.isCut('a', 'c')).toBe(false);
    periods.end(second);
    expect(network.isCut('a', 'b')).toBe(false);
  });
});
