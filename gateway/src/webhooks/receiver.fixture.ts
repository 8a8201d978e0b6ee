import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  readonly event: Record<string, unknown> & {
    readonly id: string;
    readonly subject: string;
    readonly sequence: number;
    readonly data: unknown;
  };
}

export type Answer = (received: Received, response: ServerResponse) => void;

export interface Receiver {
  readonly url: string;
  /** Requests in the order of arrival. */
  readonly received: Received[];
  /** Answers the next requests. Tests replace it. */
  answer: Answer;
  close(): Promise<void>;
}

const accept: Answer = (_received, response) => void response.writeHead(204).end();

/** Starts a partner's HTTP server on a free port of loopback. Default answer: 204. */
export async function startReceiver(answer: Answer = accept): Promise<Receiver> {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      const event = JSON.parse(body) as Received['event'];
      const { headers, url: path = '' } = request;
      const one = { id: String(headers['webhook-id']), path, headers, body, event };
      received.push(one);
      receiver.answer(one, response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    answer,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return receiver;
}

/** Returns an answer without a body. */
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (_received, response) =>
    void response.writeHead(code, headers).end();

/** Returns the arrived changes as `key@version`. */
export function arrivals(receiver: Receiver): string[] {
  return receiver.received.map(({ event }) => `${event.subject}@${event.sequence}`);
}
