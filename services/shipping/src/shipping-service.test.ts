import { createMessage, decodeEnvelope, encodeEnvelope, type Envelope } from '@tidegate/core';
import { OrderCancelled, OrderConfirmed, topics } from '@order-platform/contracts';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { createShippingService } from './shipping-service.ts';
import type { ShippingTables } from './tables.ts';

const hour = 3_600_000;

async function startShipping(times: { prepareMs?: number; deliverMs?: number }) {
  const directory = await temporaryDirectory();
  const logger = silentLogger;
  const database = createSqliteDatabase<ShippingTables>({ path: `${directory.path}/shipping.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger, pollMs: 0 });
  let nowMs = 1_700_000_000_000;
  const create = () =>
    createShippingService({ database, log, logger, partitions: 1, clock: () => nowMs, ...times });
  let service = create();
  await service.start();

  const published = () => publishedOn(log);

  const append = (
    definition: typeof OrderConfirmed | typeof OrderCancelled,
    orderId: string,
    sequence: number,
  ) =>
    log.append(topics.orderEvents.name, [
      encodeEnvelope(
        createMessage(definition, {
          id: `orders/${orderId}@${sequence}`,
          key: orderId,
          sequence,
          timeMs: nowMs,
          data: { orderId, reason: '' },
        }),
      ),
    ]);

  return {
    published,
    confirm: (orderId: string) => append(OrderConfirmed, orderId, 2),
    cancel: (orderId: string) => append(OrderCancelled, orderId, 3),
    /** Advances the clock and restarts the service, which then finds due shipments. */
    async restartAfter(ms: number) {
      await service.stop();
      nowMs += ms;
      service = create();
      await service.start();
    },
    status: (orderId: string) => statusOf(database, orderId),
    async summaries(count: number): Promise<string[]> {
      await until(async () => (await published()).length >= count, { what: `${count} events are published` });
      return (await published()).map(
        ({ subject, type, sequence }) => `${subject} ${type.split('.').at(-1)} ${sequence}`,
      );
    },
    async [Symbol.asyncDispose]() {
      await service.stop();
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

async function publishedOn(log: EventLog): Promise<Envelope[]> {
  const { name } = topics.shipmentEvents;
  const range = { topic: name, partition: 0, fromOffset: 0, toOffset: 10_000, maxRecords: 10_000 };
  return (await log.read(range)).map(decodeEnvelope);
}

async function statusOf(database: Database<ShippingTables>, orderId: string) {
  const row = await database.query
    .selectFrom('shipments')
    .select('status')
    .where('order_id', '=', orderId)
    .executeTakeFirst();
  return row?.status;
}

describe('shipping', () => {
  it('prepares, dispatches and delivers a confirmed order', async () => {
    await using shipping = await startShipping({ prepareMs: 0, deliverMs: 0 });
    await shipping.confirm('o1');
    expect(await shipping.summaries(3)).toEqual([
      'o1 ShipmentPrepared 1',
      'o1 ShipmentDispatched 2',
      'o1 ShipmentDelivered 3',
    ]);
    const [prepared, dispatched] = await shipping.published();
    expect(dispatched?.data).toMatchObject({
      ...(prepared?.data as object),
      carrier: expect.any(String) as string,
      trackingCode: expect.any(String) as string,
    });
  });

  it('continues due shipments after a restart', async () => {
    await using shipping = await startShipping({ prepareMs: hour, deliverMs: hour });
    await shipping.confirm('o1');
    await shipping.summaries(1);
    await shipping.restartAfter(hour - 1);
    expect(await shipping.status('o1')).toBe('preparing');
    await shipping.restartAfter(1);
    expect(await shipping.summaries(2)).toContain('o1 ShipmentDispatched 2');
    await shipping.restartAfter(hour);
    expect(await shipping.summaries(3)).toContain('o1 ShipmentDelivered 3');
  });

  it('stops a cancelled shipment unless it is dispatched already', async () => {
    await using shipping = await startShipping({ prepareMs: hour, deliverMs: hour });
    await shipping.confirm('gone');
    await shipping.summaries(1);
    await shipping.restartAfter(hour);
    await shipping.summaries(2);
    await shipping.confirm('kept');
    await shipping.summaries(3);
    await shipping.cancel('gone');
    await shipping.cancel('kept');
    await until(async () => (await shipping.status('kept')) === 'stopped', {
      what: 'the shipment is stopped',
    });
    await shipping.restartAfter(2 * hour);
    expect(await shipping.summaries(4)).toEqual([
      'gone ShipmentPrepared 1',
      'gone ShipmentDispatched 2',
      'kept ShipmentPrepared 1',
      'gone ShipmentDelivered 3',
    ]);
    expect(await shipping.status('kept')).toBe('stopped');
  });
});
