import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface WebhookEndpoint {
  readonly id: string;
  /** Deliveries to a stopped receiver would be retried for hours, also during later tests. */
  remove(): Promise<void>;
}

/** Registers a webhook of the web BFF. @throws Error when the gateway refuses it. */
export async function registerWebhook(
  webUrl: string,
  token: string,
  { url, document }: { readonly url: string; readonly document: string },
): Promise<WebhookEndpoint> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` };
  const endpoints = `${webUrl}/webhooks/endpoints`;
  const body = JSON.stringify({ url, bff: 'web', document });
  const response = await fetch(endpoints, { method: 'POST', headers, body });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  const { id } = (await response.json()) as { id: string };
  return {
    id,
    remove: async () => {
      await fetch(`${endpoints}/${id}`, { method: 'DELETE', headers });
    },
  };
}

export interface Delivery {
  readonly headers: IncomingHttpHeaders;
  readonly raw: string;
  readonly body: Record<string, unknown>;
}

/**
 * Starts a partner's server, which keeps the deliveries that it accepts.
 *
 * @param answer Returns the HTTP status of each delivery. Default 200.
 * @param answerAfterMs Time until a delivery is answered. Default 0.
 */
export async function startWebhookReceiver(
  answer: (delivery: Delivery) => number = () => 200,
  answerAfterMs = 0,
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
      setTimeout(() => response.writeHead(status).end(), answerAfterMs);
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
