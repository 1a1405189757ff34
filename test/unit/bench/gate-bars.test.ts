import { describe, expect, it } from 'vitest';
import { barsOf, cpuBars, ratioBars, sessionRatiosOf } from '../../../bench/cases/gate-bars.ts';
import { isMet } from '../../../bench/harness/report.ts';
import type { Row } from '../../../bench/suite/row.ts';

const row = (system: string, perSecond: number, more: Partial<Row> = {}): Row => ({
  ...{ case: 'clients write', system, outstanding: 64, bytes: 128, perSecond, p50Ms: 1, p99Ms: 2 },
  ...{
    spread: { min: perSecond, max: perSecond },
    samples: 5,
    cpuUs: 40,
    clientsCpuUs: null,
    flushesPerSecond: 100,
  },
  ...more,
});

const all = { systems: null, drivers: null };

describe('the bars of the gate', () => {
  it('are ratios of rows of one case', () => {
    const { bars } = barsOf([row('rxraft', 2_800), row('etcd', 1_000), row('prototype', 4_000)], all);

    expect(bars.map(({ what, figure }) => [what, figure])).toEqual([
      ['clients write, 64 outstanding, by etcd', 2.8],
      ['clients write, 64 outstanding, by prototype', 0.7],
    ]);
    expect(bars.map(isMet)).toEqual([true, false]);
  });

  it('hold the processor time of a write, proposer in the leader', () => {
    const { bars } = barsOf([row('rxraft', 1, { case: 'embedded write', cpuUs: 45.1 })], all);

    expect(bars.map(({ figure, limit }) => [figure, limit])).toEqual([[45.1, 45]]);
    expect(bars.map(isMet)).toEqual([false]);
  });

  it('are untold where one of the two was not measured', () => {
    const { bars, untold, left } = barsOf([row('rxraft', 2_800)], all);

    expect(bars).toEqual([]);
    expect(untold).toHaveLength(ratioBars.length + cpuBars.length);
    expect(untold).toContain('clients write, 64 outstanding, by etcd');
    expect(left).toEqual([]);
  });

  it('are left out where the command line leaves out what they need', () => {
    const rows = [row('rxraft', 2_800), row('prototype', 2_800)];

    const { untold, left } = barsOf(rows, { systems: ['rxraft', 'prototype'], drivers: ['clients'] });

    expect(left).toContain('clients write, 64 outstanding, by etcd');
    expect(left).toContain('embedded write, 64 outstanding, by prototype');
    expect(left).toContain('embedded write, 64 outstanding, CPU of three nodes');
    expect(untold).toContain('clients write, 1000 outstanding, by prototype');
    expect(untold).toHaveLength(3);
  });

  it('that are all left out are untold together', () => {
    const { untold } = barsOf([], { systems: ['nats'], drivers: null });

    expect(untold).toEqual(['any bar at all']);
  });
});

it('tells the ratios of sessions by whatever was measured at the same point', () => {
  const rows = [row('rxraft with sessions', 2_000), row('rxraft', 4_000), row('etcd', 1_000)];
  const elsewhere = row('prototype', 1_000, { outstanding: 256 });

  const figures = sessionRatiosOf([...rows, elsewhere]);

  expect(figures.map(({ what, value }) => [what, value])).toEqual([
    ['64 outstanding, by rxraft', 0.5],
    ['64 outstanding, by etcd', 2],
  ]);
});
