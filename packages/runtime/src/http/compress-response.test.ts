import { request } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../telemetry/index.ts';
import { compressResponse } from './compress-response.ts';
import { createFetchListener, startHttpServer, type HttpServer } from './http-server.ts';

const LARGE = JSON.stringify({ text: 'x'.repeat(10_000) });

describe('a response', () => {
  let server: HttpServer;
  afterEach(() => server.stop(0));

  async function get(acceptEncoding: string | undefined, response: () => Response, method = 'GET') {
    server = await startHttpServer({ logger: silentLogger });
    const listener = createFetchListener(async () => response(), silentLogger);
    server.serve({
      handle: (incoming, outgoing) => {
        outgoing.setHeader('vary', 'origin');
        compressResponse(incoming, outgoing);
        listener.handle(incoming, outgoing);
      },
    });
    const headers = acceptEncoding === undefined ? {} : { 'accept-encoding': acceptEncoding };
    const sent = request(server.url, { method, headers }).end();
    const { promise, resolve, reject } = Promise.withResolvers<{
      coding: unknown;
      vary: unknown;
      body: Buffer;
    }>();
    sent.on('error', reject);
    sent.on('response', (incoming) => {
      const { 'content-encoding': coding, vary } = incoming.headers;
      void buffer(incoming).then((body) => resolve({ coding, vary, body }), reject);
    });
    return promise;
  }

  const json = (): Response => Response.json(JSON.parse(LARGE));

  it.each<[string, (body: Buffer) => Buffer]>([
    ['br', brotliDecompressSync],
    ['gzip', gunzipSync],
  ])('of text is compressed with %s', async (coding, decompress) => {
    const answer = await get(coding, json);
    expect(answer).toMatchObject({ coding, vary: 'origin, Accept-Encoding' });
    expect(decompress(answer.body).toString()).toBe(LARGE);
    expect(answer.body.length).toBeLessThan(1_000);
  });

  it('is compressed with brotli when the client takes both', async () => {
    expect((await get('gzip, deflate, br', json)).coding).toBe('br');
  });

  it.each<[string, string | undefined]>([
    ['names no coding', undefined],
    ['takes identity only', 'identity'],
    ['excludes the codings', 'gzip;q=0, br;q=0'],
  ])('is not compressed when the client %s, and varies', async (_title, acceptEncoding) => {
    const answer = await get(acceptEncoding, json);
    expect(answer).toMatchObject({ coding: undefined, vary: 'origin, Accept-Encoding' });
    expect(answer.body.toString()).toBe(LARGE);
  });

  it.each([
    ['an event stream', 'text/event-stream'],
    ['a multipart stream', 'multipart/mixed; boundary="-"'],
    ['an image', 'image/png'],
  ])('that is %s is not compressed', async (_title, type) => {
    const answer = await get('br', () => new Response(LARGE, { headers: { 'content-type': type } }));
    expect(answer).toMatchObject({ coding: undefined, body: Buffer.from(LARGE) });
  });

  it('with an entity tag keeps its bytes', async () => {
    const headers = { 'content-type': 'text/css', etag: '"1"' };
    expect((await get('br', () => new Response(LARGE, { headers }))).coding).toBeUndefined();
  });

  it('to HEAD has no body and the same Vary', async () => {
    const answer = await get('br', json, 'HEAD');
    expect(answer).toMatchObject({ vary: 'origin, Accept-Encoding', body: Buffer.alloc(0) });
  });
});
