import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';

/**
 * Returns a free TCP port of loopback. The port is not reserved: another process may take it before it is used. Prefer
 * port 0 when the listener can report its port.
 *
 * @example
 * const port = await freePort();
 */
export async function freePort(): Promise<number> {
  const [port] = await freePorts(1);
  return port as number;
}

/**
 * Returns several different free TCP ports of loopback. Not reserved, like the port of `freePort`.
 *
 * @example
 * const [http, metrics] = await freePorts(2);
 */
export async function freePorts(count: number): Promise<number[]> {
  // All servers listen until the last port is known, so no port is returned twice.
  const servers = await Promise.all(Array.from({ length: count }, listen));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

async function listen(): Promise<ReturnType<typeof createServer>> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
