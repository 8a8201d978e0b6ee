import { createServer, type RequestListener } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { defineOperation } from '@tidegate/core';
import { createServerAdapter } from '@whatwg-node/server';
import { z } from 'zod';
import type { FetchHandler } from '@tidegate/runtime/http';

/** For the tests of both sides: an operation of each kind. */
export const addStock = defineOperation({
  service: 'table-view',
  kind: 'commands',
  name: 'add-stock',
  input: z.object({ productId: z.string(), lines: z.array(z.object({ quantity: z.int().min(1) })) }),
  output: z.object({ available: z.int() }),
});

export const getStock = defineOperation({
  service: 'table-view',
  kind: 'queries',
  name: 'get-stock',
  input: z.object({ productId: z.string() }),
  output: z.object({ available: z.int() }),
});

export interface TestServer extends AsyncDisposable {
  readonly url: string;
  readonly connections: () => number;
}

export async function serve(listener: RequestListener, port = 0): Promise<TestServer> {
  const server = createServer(listener);
  let connections = 0;
  server.on('connection', () => connections++);
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

export const serveHandler = (handle: FetchHandler, port = 0): Promise<TestServer> =>
  serve(
    createServerAdapter((request: Request) => handle(request)),
    port,
  );
