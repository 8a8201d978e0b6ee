import {
  getCommandOutcome,
  PaymentAuthorized,
  PaymentDeclined,
  PlaceOrder,
  placeOrder,
  ShipmentDelivered,
  ShipmentDispatched,
  topics,
  type CommandResult,
} from '@order-platform/contracts';
import { deadLetterTopic, createMessage } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { ada, attributes, lines, startOrders, traceparent } from './orders-world.fixture.ts';

const paid = createMessage(PaymentAuthorized, {
  ...attributes('o1', 1),
  data: { orderId: 'o1', amount: { amountCents: 900, currency: 'EUR' }, providerReference: 'p-1' },
});
const parcel = { orderId: 'o1', shipmentId: 's1', carrier: 'Gull Post', trackingCode: 'G1' };
const dispatched = createMessage(ShipmentDispatched, { ...attributes('o1', 2), data: parcel });
const delivered = createMessage(ShipmentDelivered, {
  ...attributes('o1', 3),
  data: { orderId: 'o1', shipmentId: 's1' },
});

describe('a command', () => {
  it('that is accepted publishes its events and its outcome, with cause and trace', async () => {
    await using orders = await startOrders();
    const result = await orders.place({ traceparent });
    expect(result).toEqual({
      status: 'accepted',
      commandId: 'c1',
      orderId: 'o1',
      version: 1,
      token: 'order/o1@1',
    });
    const [event] = await orders.events(1);
    expect(event).toMatchObject({
      id: 'orders/o1@1',
      type: 'tidegate.orders.OrderPlaced',
      sequence: 1,
      causationid: 'c1',
      traceparent,
    });
    const outcomes = await until(
      async () =>
        (await orders.published(topics.commandOutcomes)).length > 0 &&
        orders.published(topics.commandOutcomes),
      { what: 'the outcome is published' },
    );
    expect(outcomes).toMatchObject([
      { subject: 'c1', data: { customerId: 'ada', outcome: { status: 'accepted', token: 'order/o1@1' } } },
    ]);
  });

  it('that is rejected publishes its outcome and no event', async () => {
    await using orders = await startOrders();
    expect(await orders.cancel()).toMatchObject({ status: 'rejected', reason: { code: 'ORDER_NOT_FOUND' } });
    await until(async () => (await orders.published(topics.commandOutcomes)).length === 1, {
      what: 'the outcome is published',
    });
    expect(await orders.published(topics.orderEvents)).toEqual([]);
  });

  it('without an order id gets a new one', async () => {
    await using orders = await startOrders();
    const result = await orders.client.call(placeOrder, {
      commandId: 'c1',
      actor: ada,
      customerId: 'ada',
      lines,
    });
    expect(result).toMatchObject({ orderId: 'new-1', token: 'order/new-1@1' });
  });

  it('that is repeated returns its first outcome, even when it would be decided differently now', async () => {
    await using orders = await startOrders();
    const first = await orders.place();
    expect(await orders.place()).toEqual(first);
    expect(await orders.place({ commandId: 'c9' })).toMatchObject({ reason: { code: 'ORDER_EXISTS' } });
  });

  it('that is sent 20 times concurrently is executed once', async () => {
    await using orders = await startOrders();
    const { orderId: _, ...input } = { commandId: 'c1', actor: ada, orderId: '', customerId: 'ada', lines };
    const results = await Promise.all(
      Array.from({ length: 20 }, () => orders.client.call(placeOrder, input)),
    );
    expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
    expect(await orders.events(1)).toHaveLength(1);
  });

  it('with an id that another actor has used is rejected without revealing the first outcome', async () => {
    await using orders = await startOrders();
    await orders.place();
    const result = await orders.place({ actor: { role: 'customer', id: 'bob' }, customerId: 'bob' });
    expect(result).toEqual({
      status: 'rejected',
      commandId: 'c1',
      reason: { code: 'COMMAND_ID_TAKEN', message: expect.any(String) as string },
    });
  });

  it('has an outcome that can be read by its id', async () => {
    await using orders = await startOrders();
    const readOutcome = (customerId = 'ada') => {
      const access = { kind: 'customers' as const, customerIds: [customerId] };
      return orders.client.call(getCommandOutcome, { commandId: 'c1', access });
    };
    expect(await readOutcome()).toEqual({ outcome: null });
    const result: CommandResult = await orders.place();
    expect(await readOutcome()).toEqual({ outcome: { customerId: 'ada', command: 'place-order', result } });
    expect(await readOutcome('bob')).toEqual({ outcome: null });
  });

  it('with a malformed field fails with BAD_USER_INPUT and names the field', async () => {
    await using orders = await startOrders();
    await expect(orders.place({ orderId: 'no spaces' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('orderId') as string,
    });
  });

  it('may be sent through the log, where a repeat has no effect', async () => {
    await using orders = await startOrders();
    const command = createMessage(PlaceOrder, {
      ...attributes('o1', 1),
      data: { commandId: 'c1', actor: ada, customerId: 'ada', lines },
    });
    await orders.send(command);
    await orders.send({ ...command, id: 'repeat' });
    expect(await orders.events(1)).toMatchObject([{ subject: 'o1' }]);
    expect(await orders.place()).toMatchObject({ status: 'accepted', version: 1 });
  });
});

describe('an order', () => {
  it('is confirmed, dispatched and completed as payments and shipping publish', async () => {
    await using orders = await startOrders();
    await orders.place();
    await orders.append(topics.paymentEvents, paid);
    await orders.events(2);
    await orders.append(topics.shipmentEvents, dispatched);
    await orders.append(topics.shipmentEvents, delivered);
    const events = await orders.events(4);
    expect(events.map(({ type, sequence, causationid }) => [type, sequence, causationid])).toEqual([
      ['tidegate.orders.OrderPlaced', 1, 'c1'],
      ['tidegate.orders.OrderConfirmed', 2, 'o1@1'],
      ['tidegate.orders.OrderDispatched', 3, 'o1@2'],
      ['tidegate.orders.OrderCompleted', 4, 'o1@3'],
    ]);
  });

  it('is either cancelled or rejected when both are requested concurrently', async () => {
    await using orders = await startOrders();
    for (let index = 0; index < 10; index++) {
      const orderId = `race-${index}`;
      await orders.place({ commandId: `p${index}`, orderId });
      const declined = createMessage(PaymentDeclined, {
        ...attributes(orderId, 1),
        data: { orderId, reason: { code: 'CARD_DECLINED', message: 'No.' } },
      });
      const [, cancelled] = await Promise.all([
        orders.append(topics.paymentEvents, declined),
        orders.cancel({ commandId: `x${index}`, orderId }),
      ]);
      const events = (await orders.events(2 * (index + 1))).filter(({ subject }) => subject === orderId);
      expect(events.map(({ sequence }) => sequence)).toEqual([1, 2]);
      const end = cancelled.status === 'accepted' ? 'OrderCancelled' : 'OrderRejected';
      expect(events[1]!.type).toBe(`tidegate.orders.${end}`);
    }
  });

  it('continues after an unreadable record, which goes to the dead letters', async () => {
    await using orders = await startOrders();
    await orders.place();
    await orders.log.append(topics.paymentEvents.name, [
      { key: 'o1', value: Buffer.from('{'), headers: { ce_id: 'x' } },
    ]);
    await orders.append(topics.paymentEvents, paid);
    expect(await orders.events(2)).toMatchObject([{}, { type: 'tidegate.orders.OrderConfirmed' }]);
    const ends = await orders.log.ends(deadLetterTopic.name);
    expect(ends.map(({ end }) => end)).toEqual([1]);
  });
});
