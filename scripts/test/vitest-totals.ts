/** Counts in the last line of `npm test`. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

interface VitestReport {
  testResults?: {
    name?: string;
    status: string;
    message?: string;
    assertionResults: { status: string; fullName?: string; failureMessages?: string[] | null }[];
  }[];
}

/** Maximum lines repeated of a failure's message: the assertion and its position. */
const MESSAGE_LINES = 12;

/**
 * Counts tests in the report of Vitest's json reporter. A file that failed without a failing test, because it does
 * not load or its hooks threw, counts as one failure: its tests have not passed.
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

/** Returns each failure in a few lines, to repeat them at the end of the output. */
export function failuresOf(report: unknown): string[] {
  const files = (report as VitestReport).testResults ?? [];
  return files.flatMap(({ name = 'a file', status, message, assertionResults }) => {
    const tests = assertionResults.filter((test) => test.status === 'failed');
    if (tests.length > 0)
      return tests.map(({ fullName, failureMessages }) =>
        failure(`${name}: ${fullName ?? 'a test'}`, failureMessages?.join('\n')),
      );
    return status === 'failed' ? [failure(name, message)] : [];
  });
}

function failure(title: string, message = 'no message'): string {
  const lines = message.split('\n').slice(0, MESSAGE_LINES);
  return [`FAILED ${title}`, ...lines.map((line) => `  ${line}`)].join('\n');
}
