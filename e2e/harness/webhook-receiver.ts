import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: Record<string, unknown>;
}

/**
 * Starts a partner's server, which keeps the deliveries that it accepts.
 *
 * @param answer Returns the HTTP status of each delivery. Default 200.
 */
export async function startWebhookReceiver(
  answer: (delivery: Delivery) => number = () => 200,
): Promise<{ readonly url: string; readonly deliveries: Delivery[]; stop(): Promise<void> }> {
  const deliveries: Delivery[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const raw = Buffer.concat(chunks).toString('utf8');
      const delivery = { headers: request.headers, raw, body: JSON.parse(raw) as Record<string, unknown> };
      const status = answer(delivery);
      if (status < 300) deliveries.push(delivery);
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    deliveries,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
