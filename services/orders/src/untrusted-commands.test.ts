import { PlaceOrder, topics } from '@order-platform/contracts';
import { deadLetterTopic, createMessage } from '@tidegate/core';
import { until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { attributes, lines, signed, startOrders, teaListed } from './orders-world.fixture.ts';

describe('the price of an order', () => {
  it("is the catalogue's: a command at another price is rejected", async () => {
    await using orders = await startOrders();
    const cheap = [{ productId: 'tea', quantity: 2, unitPriceCents: 1 }];
    expect(await orders.place({ lines: cheap })).toMatchObject({ reason: { code: 'PRICE_CHANGED' } });
    expect(await orders.place({ commandId: 'c9' })).toMatchObject({ status: 'accepted' });
  });

  it('is waited for when the catalogue has just listed the product', async () => {
    await using orders = await startOrders();
    const pot = [{ productId: 'pot', quantity: 1, unitPriceCents: 2900 }];
    const placed = orders.place({ lines: pot });
    const price = { amountCents: 2900, currency: 'EUR' } as const;
    const listed = { ...teaListed, id: 'product/pot@1', subject: 'pot' };
    await orders.append(topics.productDocuments, {
      ...listed,
      data: { ...(teaListed.data as object), productId: 'pot', price },
    });
    expect(await placed).toMatchObject({ status: 'accepted' });
  });
});

describe('a command through the log', () => {
  it('that no caller signed goes to the dead letters, whatever actor it names', async () => {
    await using orders = await startOrders();
    const forged = createMessage(PlaceOrder, {
      ...attributes('o1', 1),
      data: { commandId: 'c1', actor: { role: 'operator', id: 'op' }, customerId: 'ada', lines },
    });
    await orders.append(topics.orderCommands, forged);
    const altered = { ...signed(forged).headers, ce_id: 'other' };
    await orders.log.append(topics.orderCommands.name, [{ ...signed(forged), headers: altered }]);
    await until(async () => (await orders.published(deadLetterTopic)).length === 2, {
      what: 'the dead letters',
    });
    expect(await orders.published(topics.orderEvents)).toEqual([]);
    expect(await orders.place()).toMatchObject({ status: 'accepted', version: 1 });
  });
});
