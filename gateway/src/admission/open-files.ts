import { openFilesLimit } from '@tidegate/runtime/process';

/** Used where the system reports no limit of open files. */
const DEFAULT_SOCKETS = 20_000;

/** Returns half of the process's limit of open files: one address cannot exhaust them, and the gateway keeps a reserve. */
export function halfOfOpenFiles(): number {
  const limit = openFilesLimit();
  return limit === undefined ? DEFAULT_SOCKETS : Math.floor(limit / 2);
}
