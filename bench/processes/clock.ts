/**
 * Microseconds of the machine's monotonic clock. The same in every process of this machine, which neither
 * `Date.now()` (milliseconds) nor `performance.now()` (an origin per process) can say.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
