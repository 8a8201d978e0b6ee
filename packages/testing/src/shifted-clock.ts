import { globSync } from 'node:fs';

/**
 * Returns the environment in which a child process sees another time, by libfaketime.
 *
 * @param shift for example `+3600s`.
 * @throws Error when libfaketime is not installed (Debian: `faketime`).
 */
export function clockShiftedBy(shift: string): Readonly<Record<string, string>> {
  const [library] = globSync('/usr/lib/{*/,}faketime/libfaketimeMT.so.1');
  if (!library) throw new Error('libfaketime is not installed; in Debian it is in the package faketime');
  return { LD_PRELOAD: library, FAKETIME: shift, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}
