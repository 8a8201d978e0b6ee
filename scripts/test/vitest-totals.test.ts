import { describe, expect, it } from 'vitest';
import { failuresOf, totalsLine, totalsOf } from './vitest-totals.ts';

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

describe('the failures of a test run', () => {
  it('name the file, the test and the failed assertion', () => {
    const report = {
      testResults: [
        {
          ...file('failed'),
          name: 'a.test.ts',
          assertionResults: [
            { status: 'passed', fullName: 'is well' },
            {
              status: 'failed',
              fullName: 'is exact',
              failureMessages: ['expected 1 to be 2\n    at a.test.ts:3'],
            },
          ],
        },
      ],
    };
    expect(failuresOf(report)).toEqual([
      'FAILED a.test.ts: is exact\n  expected 1 to be 2\n      at a.test.ts:3',
    ]);
  });

  it('name a file that does not load, and the reason', () => {
    const report = { testResults: [{ ...file('failed'), name: 'a.test.ts', message: 'no such module' }] };
    expect(failuresOf(report)).toEqual(['FAILED a.test.ts\n  no such module']);
  });
});
