import { describe, expect, it } from 'vitest';
import { Latencies } from '../../../examples/kv/cli/latencies.ts';

describe('latencies that are counted in buckets', () => {
  it('tell the percentiles to within two per cent, and the largest exactly', () => {
    const latencies = new Latencies();
    for (let ms = 1; ms <= 1_000; ms++) latencies.add(ms);

    for (const part of [0.5, 0.95, 0.99]) {
      const expected = part * 1_000;
      expect(Math.abs(latencies.percentileMs(part) - expected) / expected).toBeLessThan(0.02);
    }
    expect(latencies.percentileMs(1)).toBeLessThanOrEqual(1_000);
    expect(latencies.maxMs).toBe(1_000);
    expect(latencies.count).toBe(1_000);
  });

  it('hold whatever they are given', () => {
    const latencies = new Latencies();
    expect(latencies.percentileMs(0.5)).toBe(0);

    for (const ms of [0, 1e-9, 1e12]) latencies.add(ms);

    expect(latencies.percentileMs(0.5)).toBeLessThan(0.01);
    expect(latencies.maxMs).toBe(1e12);
  });
});
