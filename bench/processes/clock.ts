/**
 * Returns the machine's monotonic clock in microseconds, equal in every process. `Date.now()` has milliseconds only,
 * `performance.now()` a separate origin in each process.
 */
export function nowUs(): number {
  return Number(process.hrtime.bigint() / 1_000n);
}
