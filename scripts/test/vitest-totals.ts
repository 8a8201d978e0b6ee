/** What the last line of `npm test` says. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  testResults?: { status: string; assertionResults: { status: string }[] }[];
}

/**
 * Counts tests in the report of Vitest's json reporter. A file that failed without a failing test, because it does
 * not load or its hooks threw, counts as one failure: its tests have not been seen to pass.
 */
export function totalsOf(report: unknown): Totals {
  const files = (report as VitestReport).testResults ?? [];
  const statuses = files.flatMap((file) => {
    const ofTests = file.assertionResults.map((test) => test.status);
    return file.status === 'failed' && !ofTests.includes('failed') ? [...ofTests, 'failed'] : ofTests;
  });
  const count = (...wanted: string[]): number => statuses.filter((status) => wanted.includes(status)).length;
  const passed = count('passed');
  const failed = count('failed');
  return { passed, failed, skipped: statuses.length - passed - failed };
}

export function totalsLine({ passed, failed, skipped }: Totals): string {
  return `Tidegate: ${passed} passed, ${failed} failed, ${skipped} skipped`;
}
