import { describe, expect, it } from 'vitest';
import { totalsLine, totalsOf } from './vitest-totals.ts';

const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map((test) => ({ status: test })),
});

describe('the totals of a test run', () => {
  it('count passed, failed and everything else as skipped', () => {
    const report = {
      testResults: [file('failed', 'passed', 'failed'), file('passed', 'passed', 'pending', 'todo')],
    };
    expect(totalsLine(totalsOf(report))).toBe('Tidegate: 2 passed, 1 failed, 2 skipped');
  });

  it('count a file that does not load as one failure', () => {
    expect(totalsOf({ testResults: [file('failed')] })).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('are zero for a report without files', () => {
    expect(totalsOf({})).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });
});
