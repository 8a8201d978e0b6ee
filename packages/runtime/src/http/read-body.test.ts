import { toTidegateError } from '@tidegate/core';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../telemetry/index.ts';
import { createFetchListener, startHttpServer, type HttpListener, type HttpServer } from './http-server.ts';
import { readBody } from './read-body.ts';

const MAX_BYTES = 1_000;

/** Answers with the length of the body, read from Node's request. */
const nodeListener: HttpListener = {
  handle: (request, response) =>
    void readBody(request, MAX_BYTES).then(
      (body) => response.end(String(body.length)),
      (error: unknown) => {
        const { code, details } = toTidegateError(error);
        response.writeHead(413, { connection: 'close' }).end(`${code} ${JSON.stringify(details)}`);
      },
    ),
};

/** Answers the same from a web request. */
const webListener = createFetchListener(async (request) => {
  try {
    return new Response(String((await readBody(request, MAX_BYTES)).length));
  } catch (error) {
    const { code, details } = toTidegateError(error);
    return new Response(`${code} ${JSON.stringify(details)}`, { status: 413 });
  }
}, silentLogger);

describe.each([
  ["Node's request", nodeListener],
  ['a web request', webListener],
])('readBody of %s', (_kind, listener) => {
  let server: HttpServer;
  afterEach(() => server.stop(0));

  async function post(body: RequestInit['body']): Promise<[number, string]> {
    server = await startHttpServer({ logger: silentLogger });
    server.serve(listener);
    const response = await fetch(server.url, { method: 'POST', body, duplex: 'half' } as RequestInit);
    return [response.status, await response.text()];
  }

  /** Has no declared length. */
  const streamOf = (bytes: number): ReadableStream =>
    new ReadableStream({
      start: (controller) => {
        for (let left = bytes; left > 0; left -= 500) controller.enqueue(new Uint8Array(Math.min(left, 500)));
        controller.close();
      },
    });

  it('reads a body up to the limit', async () => {
    expect(await post(streamOf(MAX_BYTES))).toEqual([200, '1000']);
  });

  it('refuses a larger declared length', async () => {
    expect(await post(new Uint8Array(MAX_BYTES + 1))).toEqual([
      413,
      'PAYLOAD_TOO_LARGE {"maxBodyBytes":1000}',
    ]);
  });

  it('refuses a body without a declared length once it passes the limit, and the client gets the answer', async () => {
    expect(await post(streamOf(MAX_BYTES + 1))).toEqual([413, 'PAYLOAD_TOO_LARGE {"maxBodyBytes":1000}']);
  });
});
