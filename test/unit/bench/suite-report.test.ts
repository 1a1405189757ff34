import { describe, expect, it } from 'vitest';
import { suiteOptions } from '../../../bench/suite/suite-options.ts';
import { SuiteReport } from '../../../bench/suite/suite-report.ts';

const met = { what: 'elections', figure: 0, unit: '', must: 'below', limit: 1 } as const;

function report(): SuiteReport {
  const empty = new SuiteReport(suiteOptions([]), []);
  empty.begin('Gate');
  return empty;
}

describe('the report of the suite', () => {
  it('is met if every bar is', () => {
    const good = report();
    good.add({ type: 'bar', bar: met });

    expect(good.isMet).toBe(true);
  });

  it('is not met if a bar is missed', () => {
    const bad = report();
    bad.add({ type: 'bar', bar: { ...met, figure: 1 } });

    expect(bad.isMet).toBe(false);
  });

  it('is not met if a bar could not be told, and names it', () => {
    const bad = report();
    bad.add({ type: 'bar', bar: met });
    bad.add({ type: 'untold', what: 'writes by etcd' });

    expect(bad.isMet).toBe(false);
    expect(bad.markdown()).toContain('FAIL  writes by etcd');
    expect(JSON.parse(bad.json())).toMatchObject({ untold: ['writes by etcd'] });
  });
});
