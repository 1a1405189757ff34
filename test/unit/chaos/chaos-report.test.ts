import { describe, expect, it } from 'vitest';
import { chaosReport, type ReportFacts } from '../../chaos/chaos-report.ts';
import { Tally } from '../../chaos/tally.ts';

function reportOf(facts: Partial<ReportFacts>): string {
  return chaosReport({
    command: 'npm run chaos --',
    seed: 7,
    version: '1.0.0',
    commit: 'abc',
    startedAt: new Date(0),
    isInNamespaces: false,
    hasFailingDisks: false,
    tallies: new Map([[3, Object.assign(new Tally(), { keys: 98, undecidedKeys: 2 })]]),
    violation: null,
    shortfalls: [],
    ...facts,
  });
}

describe('the report of a run', () => {
  it('says that nothing was found only if nothing was missing', () => {
    expect(reportOf({})).toContain('**No violation was found.**');
    expect(reportOf({ shortfalls: ['never struck: cut'] })).toContain(
      '**No violation was found, but the run fell short:** never struck: cut.',
    );
    expect(reportOf({ violation: 'gone' })).toContain('**A violation was found.**\n\n    gone\n');
  });

  it('tells what is right from what was too hard to judge', () => {
    const report = reportOf({});

    expect(report).toContain('| histories of keys that are linearizable | 98 |');
    expect(report).toContain('| histories too hard to judge | 2 |');
  });
});
