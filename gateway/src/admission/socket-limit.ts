import type { HttpServer } from '@tidegate/runtime/http';
import type { ClientAddresses } from './client-address.ts';
import type { EdgeMetrics, Refusal } from './metrics.ts';
import { KeyedLimit } from './keyed-limit.ts';

/** Used where the system names no limit of open files. */
const DEFAULT_SOCKETS = 20_000;

/**
 * Half of the files that the process may have open: one address alone cannot use them up, and what the gateway needs
 * for itself is always left.
 */
export function halfOfOpenFiles(): number {
  // The types do not know it yet; without it Node asks DNS for the names of all open connections.
  const report = process.report as typeof process.report & { excludeNetwork: boolean };
  report.excludeNetwork = true;
  const { userLimits } = report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } };
  };
  const soft = Number(userLimits?.open_files?.soft);
  return Number.isInteger(soft) && soft > 1 ? Math.floor(soft / 2) : DEFAULT_SOCKETS;
}

/**
 * So many open sockets for each address, whatever is said on them: counted before the first byte, as those who send
 * none are counted by nothing else. One too many is closed unsaid. Our own proxies are many clients and not counted.
 */
export function limitSockets(
  server: Pick<HttpServer, 'onConnection'>,
  options: {
    readonly maxPerAddress: number;
    readonly addresses: ClientAddresses;
    readonly metrics: EdgeMetrics;
  },
): void {
  const sockets = new KeyedLimit(options.maxPerAddress);
  server.onConnection((socket) => {
    const address = options.addresses.ofSocket(socket);
    if (address === undefined) return;
    const release = sockets.take(address);
    if (release) return void socket.once('close', release);
    options.metrics.refusals.inc({ reason: 'sockets-per-address' satisfies Refusal });
    socket.destroy();
  });
}
