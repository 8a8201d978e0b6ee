import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createMessage, decodeEnvelope, encodeEnvelope, type Envelope } from '@tidegate/core';
import { OrderCancelled, StockReserved, topics } from '@order-platform/contracts';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { deferred, temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createPaymentsService, type PaymentsServiceOptions } from './payments-service.ts';
import { createPaymentProvider } from './provider/index.ts';
import type { ProviderFetch } from './provider-client.ts';
import type { PaymentsTables } from './tables.ts';

async function startPayments(
  provider: string | ProviderFetch,
  options: Partial<PaymentsServiceOptions> = {},
) {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<PaymentsTables>({ path: `${directory.path}/payments.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  const service = createPaymentsService({ database, log, logger, provider, partitions: 1, ...options });
  await service.start();

  async function published(): Promise<Envelope[]> {
    const { name } = topics.paymentEvents;
    const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
    return (await log.read(range)).map(decodeEnvelope);
  }

  return {
    database,
    reserved: (orderId: string, amountCents = 900) => {
      const total = { amountCents, currency: 'EUR' as const };
      const envelope = createMessage(StockReserved, {
        id: `inventory/${orderId}@1`,
        key: orderId,
        sequence: 1,
        timeMs: Date.now(),
        data: { orderId, customerId: 'ada', lines: [], total },
      });
      return log.append(topics.reservationEvents.name, [encodeEnvelope(envelope)]);
    },
    cancelled: (orderId: string) => {
      const envelope = createMessage(OrderCancelled, {
        id: `orders/${orderId}@2`,
        key: orderId,
        sequence: 2,
        timeMs: Date.now(),
        data: { orderId, reason: '' },
      });
      return log.append(topics.orderEvents.name, [encodeEnvelope(envelope)]);
    },
    row: (orderId: string) =>
      database.query.selectFrom('payments').selectAll().where('order_id', '=', orderId).executeTakeFirst(),
    /** Resolves with the order's events as soon as there are `count`. */
    async events(orderId: string, count: number): Promise<string[]> {
      const about = async () => (await published()).filter(({ subject }) => subject === orderId);
      await until(async () => (await about()).length >= count, { what: `${count} events of ${orderId}` });
      return (await about()).map(({ type, sequence }) => `${type.split('.').at(-1)} ${sequence}`);
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

describe('a payment', () => {
  it('is taken from a provider over HTTP', async () => {
    const provider = createPaymentProvider();
    await using server = await serve(provider.handle);
    await using payments = await startPayments(server.url);
    await payments.reserved('o1');
    await payments.reserved('o2', 1013);
    expect(await payments.events('o1', 1)).toEqual(['PaymentAuthorized 1']);
    expect(await payments.events('o2', 1)).toEqual(['PaymentDeclined 1']);
    await payments.cancelled('o1');
    expect(await payments.events('o1', 2)).toEqual(['PaymentAuthorized 1', 'PaymentRefunded 2']);
    expect(provider.authorized()).toEqual([]);
  });

  it('sends the order id as idempotency key', async () => {
    const keys: (string | null)[] = [];
    const provider = createPaymentProvider();
    await using payments = await startPayments((request) => {
      keys.push(request.headers.get('idempotency-key'));
      return provider.handle(request);
    });
    await payments.reserved('o1');
    await payments.events('o1', 1);
    expect(keys).toEqual(['o1']);
  });

  it('is retried when the provider fails, is unreachable or answers nonsense', async () => {
    const provider = createPaymentProvider();
    const answers: (() => Promise<Response>)[] = [
      () => Promise.resolve(new Response('oops', { status: 500 })),
      () => Promise.reject(new TypeError('fetch failed')),
      () => Promise.resolve(new Response('<html>', { status: 200 })),
    ];
    await using payments = await startPayments((request) => answers.shift()?.() ?? provider.handle(request));
    await payments.reserved('o1');
    expect(await payments.events('o1', 1)).toEqual(['PaymentAuthorized 1']);
    expect(answers).toEqual([]);
  });

  it('is retried when the provider misses the deadline', async () => {
    const provider = createPaymentProvider();
    let calls = 0;
    await using payments = await startPayments(
      (request) => (++calls === 1 ? new Promise(() => {}) : provider.handle(request)),
      { deadlineMs: 20 },
    );
    await payments.reserved('o1');
    expect(await payments.events('o1', 1)).toEqual(['PaymentAuthorized 1']);
  });

  it('does not block other payments while the provider is slow, with at most eight concurrent calls', async () => {
    const provider = createPaymentProvider();
    const open = deferred();
    let calls = 0;
    let maxCalls = 0;
    await using payments = await startPayments(async (request) => {
      maxCalls = Math.max(maxCalls, ++calls);
      if (request.url.includes('/authorizations')) await open.promise;
      calls--;
      return provider.handle(request);
    });
    for (let index = 0; index < 20; index++) await payments.reserved(`o${index}`);
    await until(() => calls === 8, { what: 'eight calls are under way' });
    await until(async () => (await payments.row('o19'))?.status === 'pending', {
      what: 'the last one is stored all the same',
    });
    open.resolve();
    for (let index = 0; index < 20; index++) await payments.events(`o${index}`, 1);
    expect(maxCalls).toBe(8);
  });

  it('is taken over when the lease of a dead worker ends', async () => {
    const provider = createPaymentProvider();
    await using payments = await startPayments(provider.handle);
    // A killed process leaves a claimed row behind, whose lease runs out.
    await payments.database.query
      .insertInto('payments')
      .values({
        order_id: 'orphan',
        status: 'pending',
        work: 'authorize',
        attempts: 1,
        next_attempt_at: Date.now() + 100,
        amount_cents: 900,
        requested_at: Date.now(),
        sequence: 0,
        cause_id: 'inventory/orphan@1',
        traceparent: null,
      })
      .execute();
    expect(await payments.events('orphan', 1)).toEqual(['PaymentAuthorized 1']);
  });
});

describe('an order that ended', () => {
  it('before its payment was requested is never charged', async () => {
    const provider = createPaymentProvider();
    await using payments = await startPayments(provider.handle);
    await payments.cancelled('o1');
    await until(async () => (await payments.row('o1'))?.status === 'voided', { what: 'the end is stored' });
    await payments.reserved('o1');
    await payments.reserved('o2');
    await payments.events('o2', 1);
    expect(provider.authorized()).toEqual(['o2']);
    expect(await payments.row('o1')).toMatchObject({ status: 'voided', work: null });
  });

  it('during the call to the provider is voided there, and nothing is published', async () => {
    const provider = createPaymentProvider();
    const called = deferred();
    const answer = deferred();
    await using payments = await startPayments(async (request) => {
      const response = await provider.handle(request);
      if (!request.url.endsWith('/authorizations')) return response;
      called.resolve();
      await answer.promise;
      return response;
    });
    await payments.reserved('o1');
    await called.promise;
    expect(provider.authorized()).toEqual(['o1']);
    await payments.cancelled('o1');
    await until(() => provider.authorized().length === 0, { what: 'the charge is voided' });
    answer.resolve();
    await until(async () => (await payments.row('o1'))?.work === null, { what: 'nothing is left to do' });
    await payments.reserved('o2');
    await payments.events('o2', 1);
    expect(await payments.events('o1', 0)).toEqual([]);
  });
});

/** Serves the provider over HTTP, as in production. */
async function serve(handle: ProviderFetch) {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const request = new Request(`http://provider${incoming.url}`, {
        method: incoming.method!,
        headers: incoming.headers as Record<string, string>,
        body: Buffer.concat(chunks),
      });
      void handle(request).then(async (response) => {
        outgoing.writeHead(response.status, Object.fromEntries(response.headers));
        outgoing.end(await response.text());
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
