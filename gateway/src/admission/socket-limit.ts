import type { HttpServer } from '@tidegate/runtime/http';
import type { ClientAddresses } from './client-address.ts';
import { KeyedLimit } from './keyed-limit.ts';
import type { EdgeMetrics } from './metrics.ts';
import type { Refusal } from './rules.ts';

export interface SocketLimitOptions {
  /** Maximum open sockets of one address. */
  readonly maxPerAddress: number;
  readonly addresses: ClientAddresses;
  readonly metrics: EdgeMetrics;
}

/**
 * Limits the open sockets of each address. Sockets are counted before their first byte, because no other limit counts
 * sockets that send nothing. A socket above the limit is closed without an answer. Sockets of trusted proxies carry many
 * clients and are not counted.
 */
export function limitSockets(server: Pick<HttpServer, 'onConnection'>, options: SocketLimitOptions): void {
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
