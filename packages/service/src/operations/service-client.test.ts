import { TidegateError } from '@tidegate/core';
import { createTraceparent, parseTraceparent, silentLogger } from '@tidegate/runtime/telemetry';
import { deferred, freePort, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import type { FetchHandler } from '@tidegate/runtime/http';
import { implement, type CallContext } from './implementation.ts';
import { createServiceClient, type ServiceClientOptions } from './service-client.ts';
import { createServiceHandler } from './service-handler.ts';
import { addStock, getStock, serve, serveHandler } from './test-operations.fixture.ts';

type Answer = (context: CallContext) => Promise<{ available: number }>;

function handlerOf(answer: Answer): FetchHandler {
  return createServiceHandler({
    implementations: [
      implement(addStock, (_input, context) => answer(context)),
      implement(getStock, (_input, context) => answer(context)),
    ],
    logger: silentLogger,
  });
}

const query = { productId: 'p' };
const command = { productId: 'p', lines: [] };

describe.each(['in process', 'over HTTP'])('calling a service %s', (way) => {
  async function withClient(
    answer: Answer,
    options: Partial<ServiceClientOptions>,
    work: (client: ReturnType<typeof createServiceClient>) => Promise<void>,
  ): Promise<void> {
    const handle = handlerOf(answer);
    await using server = way === 'over HTTP' ? await serveHandler(handle) : undefined;
    await work(createServiceClient({ services: { 'table-view': server?.url ?? handle }, ...options }));
  }

  it('resolves with the parsed answer', () =>
    withClient(
      async () => ({ available: 7 }),
      {},
      async (client) => {
        expect(await client.call(getStock, query)).toEqual({ available: 7 });
        expect(await client.call(addStock, command)).toEqual({ available: 7 });
      },
    ));

  it('propagates the trace', async () => {
    const seen: (string | undefined)[] = [];
    const traceparent = createTraceparent();
    const answer: Answer = async (context) => (seen.push(context.traceparent), { available: 1 });
    await withClient(
      answer,
      {},
      async (client) => void (await client.call(getStock, query, { traceparent })),
    );
    expect(parseTraceparent(seen[0])?.traceId).toBe(parseTraceparent(traceparent)?.traceId);
  });

  it('rejects with the error that the service answered', () =>
    withClient(
      () =>
        Promise.reject(new TidegateError('CONFLICT', 'Somebody was faster.', { details: { version: 3 } })),
      {},
      async (client) => {
        await expect(client.call(addStock, command)).rejects.toMatchObject({
          code: 'CONFLICT',
          message: 'Somebody was faster.',
          details: { version: 3 },
        });
      },
    ));

  it('rejects with DEADLINE_EXCEEDED in time, also when the service ignores its signal', () =>
    withClient(
      () => new Promise(() => {}),
      { deadlineMs: 60 },
      async (client) => {
        const before = performance.now();
        await expect(client.call(getStock, query)).rejects.toMatchObject({
          code: 'DEADLINE_EXCEEDED',
          details: { deadlineMs: 60 },
        });
        expect(performance.now() - before).toBeLessThan(2_000);
      },
    ));

  it('prefers the deadline of the call to its own', () =>
    withClient(
      () => new Promise(() => {}),
      { deadlineMs: 60_000 },
      async (client) => {
        await expect(client.call(getStock, query, { deadlineMs: 30 })).rejects.toMatchObject({
          code: 'DEADLINE_EXCEEDED',
        });
      },
    ));

  it("rejects with the caller's reason when the caller aborts, and aborts the signal of the service", async () => {
    const started = deferred();
    const told = deferred();
    const answer: Answer = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener('abort', () => (told.resolve(), reject(signal.reason as Error)));
        started.resolve();
      });
    await withClient(answer, {}, async (client) => {
      const controller = new AbortController();
      const call = client.call(getStock, query, { signal: controller.signal });
      await started.promise;
      controller.abort(new Error('changed my mind'));
      await expect(call).rejects.toThrow('changed my mind');
      await told.promise;
    });
  });

  it('attempts a query up to three times and a command once', async () => {
    let calls = 0;
    const answer: Answer = async () => {
      calls++;
      throw new TidegateError('UNAVAILABLE', 'The database is away.');
    };
    await withClient(answer, {}, async (client) => {
      await expect(client.call(getStock, query)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(calls).toBe(3);
      await expect(client.call(addStock, command)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
      expect(calls).toBe(4);
    });
  });

  it.each(['BAD_USER_INPUT', 'STALE_READ', 'DEADLINE_EXCEEDED'] as const)(
    'does not repeat a query that ended in %s',
    async (code) => {
      let calls = 0;
      const answer: Answer = async () => {
        calls++;
        throw new TidegateError(code, 'No.');
      };
      await withClient(answer, {}, async (client) => {
        await expect(client.call(getStock, query)).rejects.toMatchObject({ code });
      });
      expect(calls).toBe(1);
    },
  );

  it('opens the breaker of a service that keeps failing, and closes it when a trial succeeds', async () => {
    let calls = 0;
    let well = false;
    const answer: Answer = async () => {
      calls++;
      if (!well) throw new TidegateError('UNAVAILABLE', 'The database is away.');
      return { available: 1 };
    };
    await withClient(answer, { breaker: { openMs: 100, minimumCalls: 4 } }, async (client) => {
      for (let i = 0; i < 4; i++) await client.call(addStock, command).catch(() => {});
      expect(calls).toBe(4);
      await expect(client.call(addStock, command)).rejects.toMatchObject({
        code: 'UNAVAILABLE',
        details: { retryAfterMs: 100 },
      });
      expect(calls, 'the open breaker spares the service').toBe(4);
      well = true;
      const answered = await until(() => client.call(addStock, command), {
        what: 'the breaker lets a trial through',
      });
      expect(answered).toEqual({ available: 1 });
      expect(await client.call(getStock, query)).toEqual({ available: 1 });
    });
  });

  it('does not open the breaker for mistakes of the caller', async () => {
    const answer: Answer = () => Promise.reject(new TidegateError('NOT_FOUND', 'No such product.'));
    await withClient(answer, { breaker: { minimumCalls: 2 } }, async (client) => {
      for (let i = 0; i < 10; i++) {
        await expect(client.call(addStock, command)).rejects.toMatchObject({ code: 'NOT_FOUND' });
      }
    });
  });
});

describe('a service that is not there', () => {
  it('is UNAVAILABLE when the connection is refused, and answers once it listens', async () => {
    const port = await freePort();
    const client = createServiceClient({
      services: { 'table-view': `http://127.0.0.1:${port}/` },
      breaker: { openMs: 20 },
    });
    await expect(client.call(getStock, query)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      details: { service: 'table-view' },
    });
    await using _server = await serveHandler(
      handlerOf(async () => ({ available: 2 })),
      port,
    );
    expect(await until(() => client.call(getStock, query), { what: 'the service answers' })).toEqual({
      available: 2,
    });
  });

  it('is UNAVAILABLE when no address is configured', async () => {
    await expect(createServiceClient({ services: {} }).call(getStock, query)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
  });

  it.each([
    ['an error page', 502, '<h1>Bad gateway</h1>'],
    ['JSON of another kind', 500, '{"message":"oops"}'],
    ['a page', 200, '<h1>Hello</h1>'],
  ])('is UNAVAILABLE when something else answers with %s', async (_what, status, body) => {
    await using server = await serve((_request, response) => response.writeHead(status).end(body));
    const client = createServiceClient({ services: { 'table-view': server.url } });
    await expect(client.call(addStock, command)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('rejects with INTERNAL when its answer breaks the contract', async () => {
    await using server = await serve((_request, response) => response.end('{"available":"many"}'));
    const client = createServiceClient({ services: { 'table-view': server.url } });
    await expect(client.call(addStock, command)).rejects.toMatchObject({ code: 'INTERNAL' });
  });
});

describe('over HTTP', () => {
  it('reuses one connection for consecutive calls', async () => {
    await using server = await serveHandler(handlerOf(async () => ({ available: 1 })));
    const client = createServiceClient({ services: { 'table-view': server.url } });
    for (let i = 0; i < 20; i++) await client.call(getStock, query);
    expect(server.connections()).toBeLessThanOrEqual(2);
  });
});
