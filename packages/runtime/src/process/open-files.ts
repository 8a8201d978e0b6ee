import { TidegateError } from '@tidegate/core';

/** Fewer do not suffice for the databases, the sockets and the modules of one process. */
const MIN_OPEN_FILES = 256;

/** Returns the number of files that this process may have open; undefined when the system names none. */
export function openFilesLimit(): number | undefined {
  // The types do not know `excludeNetwork` yet. Without it Node asks DNS for the names of all open connections.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isInteger(soft) && soft > 1 ? soft : undefined;
}

/** @throws TidegateError CONFIG_INVALID when the process may have fewer than 256 files open. */
export function requireOpenFiles(limit = openFilesLimit()): void {
  if (limit === undefined || limit >= MIN_OPEN_FILES) return;
  throw new TidegateError(
    'CONFIG_INVALID',
    `the process may have ${limit} files open and needs ${MIN_OPEN_FILES}; raise the limit, such as with \`ulimit -n 4096\``,
  );
}
