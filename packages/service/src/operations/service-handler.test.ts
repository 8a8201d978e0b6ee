import { request as httpRequest } from 'node:http';
import { text } from 'node:stream/consumers';
import { TidegateError } from '@tidegate/core';
import { createTraceparent, parseTraceparent, silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FetchHandler } from '@tidegate/runtime/http';
import { implement, type CallContext } from './implementation.ts';
import { createServiceHandler } from './service-handler.ts';
import { addStock, getStock, serveHandler, type TestServer } from './test-operations.fixture.ts';

const error = vi.fn<Logger['error']>();
const logger = {
  ...silentLogger,
  debug: vi.fn<Logger['debug']>(),
  warn: vi.fn<Logger['warn']>(),
  error,
} as Logger;
let answer: (context: CallContext) => Promise<{ available: number }>;

const handle = createServiceHandler({
  implementations: [
    implement(addStock, async ({ lines }) => ({ available: lines.length })),
    implement(getStock, (_input, context) => answer(context)),
  ],
  logger,
  maxBodyBytes: 1_000,
});

let server: TestServer;
beforeAll(async () => void (server = await serveHandler(handle)));
afterAll(() => server[Symbol.asyncDispose]());

const json = { 'content-type': 'application/json' };
const inProcess: FetchHandler = (request) => handle(request);
const overHttp: FetchHandler = (request) => fetch(request);

describe.each([
  ['in process', inProcess, () => 'http://table-view'],
  ['over HTTP', overHttp, () => server.url],
])('a service called %s', (_name, send, base) => {
  const post = (path: string, body: BodyInit, headers: Record<string, string> = json): Promise<Response> =>
    send(new Request(`${base()}${path}`, { method: 'POST', body, headers }));

  async function expectError(response: Response, status: number, code: string): Promise<string> {
    const body = await response.text();
    expect([response.status, (JSON.parse(body) as { error: { code: string } }).error.code]).toEqual([
      status,
      code,
    ]);
    return body;
  }

  it('answers an operation with JSON', async () => {
    const response = await post('/commands/add-stock', '{"productId":"p","lines":[{"quantity":2}]}');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ available: 1 });
  });

  it('runs the operation in the trace of its caller, and names the trace in the answer', async () => {
    const parent = createTraceparent();
    let seen: string | undefined;
    answer = async ({ traceparent }) => ((seen = traceparent), { available: 1 });
    const response = await post('/queries/get-stock', '{"productId":"p"}', { ...json, traceparent: parent });
    expect(response.headers.get('traceparent')).toBe(seen);
    expect(parseTraceparent(seen)?.traceId).toBe(parseTraceparent(parent)?.traceId);
    expect(parseTraceparent(seen)?.spanId).not.toBe(parseTraceparent(parent)?.spanId);
  });

  it('answers 413 to a body above the limit', async () => {
    const body = await expectError(
      await post('/commands/add-stock', 'x'.repeat(1_001)),
      413,
      'PAYLOAD_TOO_LARGE',
    );
    expect(body).toContain('"maxBodyBytes":1000');
  });

  it('answers 415 to a body that does not say it is JSON', async () => {
    await expectError(
      await post('/commands/add-stock', '{}', { 'content-type': 'text/plain' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
    await expectError(
      await post('/commands/add-stock', '{}', { 'content-type': 'application/json5' }),
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    );
  });

  it('answers 404 to a path it does not know, also the right name under the wrong kind', async () => {
    await expectError(await post('/commands/nothing', '{}'), 404, 'NOT_FOUND');
    await expectError(await post('/queries/add-stock', '{}'), 404, 'NOT_FOUND');
  });

  it('answers 405 to another method than POST, and says which it takes', async () => {
    const response = await send(new Request(`${base()}/queries/get-stock`));
    await expectError(response, 405, 'METHOD_NOT_ALLOWED');
    expect(response.headers.get('allow')).toBe('POST');
  });

  it('answers 400 to a body that is not JSON', async () => {
    await expectError(await post('/commands/add-stock', '{"productId":'), 400, 'BAD_REQUEST');
    await expectError(await post('/commands/add-stock', ''), 400, 'BAD_REQUEST');
    await expectError(await post('/commands/add-stock', Buffer.from([0x22, 0xff, 0x22])), 400, 'BAD_REQUEST');
  });

  it('answers 400 to input that breaks the contract, naming each field', async () => {
    const response = await post('/commands/add-stock', '{"lines":[{"quantity":2},{"quantity":0}]}');
    const { error: body } = JSON.parse(await expectError(response, 400, 'BAD_USER_INPUT')) as {
      error: { message: string; details: { fields: { field: string }[] } };
    };
    expect(body.details.fields.map(({ field }) => field)).toEqual(['productId', 'lines.1.quantity']);
    expect(body.message).toContain('lines.1.quantity: ');
  });

  it('answers with the code, status and details of a TidegateError', async () => {
    answer = () =>
      Promise.reject(new TidegateError('RATE_LIMITED', 'Slow down.', { details: { retryAfterMs: 1_500 } }));
    const response = await post('/queries/get-stock', '{"productId":"p"}');
    expect(response.headers.get('retry-after')).toBe('2');
    expect(await expectError(response, 429, 'RATE_LIMITED')).toContain('"retryAfterMs":1500');
  });

  it('answers INTERNAL to any other error, without its message or stack, and logs both', async () => {
    error.mockClear();
    answer = () => Promise.reject(new Error('password is hunter2'));
    const body = await expectError(await post('/queries/get-stock', '{"productId":"p"}'), 500, 'INTERNAL');
    expect(body).not.toMatch(/hunter2|at |\.ts/);
    expect(error).toHaveBeenCalledOnce();
    expect(error.mock.calls[0]?.[0]).toMatchObject({
      operation: '/queries/get-stock',
      err: { cause: { message: 'password is hunter2' } },
    });
  });

  it('answers INTERNAL rather than something that breaks the contract', async () => {
    answer = async () => ({ available: 'many' }) as never;
    await expectError(await post('/queries/get-stock', '{"productId":"p"}'), 500, 'INTERNAL');
  });
});

describe('over HTTP', () => {
  it('a body without a declared length is refused as soon as it passes the limit', async () => {
    const request = httpRequest(`${server.url}/commands/add-stock`, { method: 'POST', headers: json });
    const response = new Promise<[number | undefined, string]>((resolve, reject) => {
      request.once('response', (message) =>
        text(message).then((body) => resolve([message.statusCode, body]), reject),
      );
      request.once('error', reject);
    });
    for (let sent = 0; sent < 5; sent++) request.write('x'.repeat(400));
    const [status, body] = await response;
    request.destroy();
    expect(status).toBe(413);
    expect(body).toContain('PAYLOAD_TOO_LARGE');
  });

  it('an operation whose caller has gone is told by its signal', async () => {
    const started = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    answer = ({ signal }) =>
      new Promise((_, reject) => {
        started.resolve();
        signal.addEventListener('abort', () => (ended.resolve(), reject(signal.reason as Error)));
      });
    const controller = new AbortController();
    const call = fetch(`${server.url}/queries/get-stock`, {
      method: 'POST',
      headers: json,
      body: '{"productId":"p"}',
      signal: controller.signal,
    });
    await started.promise;
    controller.abort();
    await expect(call).rejects.toThrow('aborted');
    await ended.promise;
  });
});

describe('createServiceHandler', () => {
  it('refuses two implementations of one operation', () => {
    const twice = implement(getStock, async () => ({ available: 1 }));
    expect(() => createServiceHandler({ implementations: [twice, twice], logger })).toThrow(
      '/queries/get-stock is implemented twice',
    );
  });
});
