/** Used where the system reports no limit of open files. */
const DEFAULT_SOCKETS = 20_000;

/** Returns half of the process's limit of open files: one address cannot exhaust them, and the gateway keeps a reserve. */
export function halfOfOpenFiles(): number {
  // Without `excludeNetwork`, which the types lack, Node resolves the names of all open connections by DNS.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isInteger(soft) && soft > 1 ? Math.floor(soft / 2) : DEFAULT_SOCKETS;
}
