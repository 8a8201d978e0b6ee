import { createMessage, type DataOf, type MessageDefinition } from '@tidegate/core';
import {
  OrderCancelled,
  OrderCompleted,
  OrderConfirmed,
  OrderDispatched,
  orderDocument,
  OrderPlaced,
  OrderRejected,
  PaymentAuthorized,
  PaymentRefunded,
  ShipmentDelivered,
  ShipmentDispatched,
  ShipmentPrepared,
  StockRejected,
  StockReleased,
  StockReserved,
} from '@order-platform/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evolve } from './evolve.ts';
import type { ConsumedMessage } from './messages.ts';
import { orderDocumentOf } from './order-document.ts';
import { noParts, type OrderParts } from './order-parts.ts';

let clockMs = 1_700_000_000_000;

function message<D extends MessageDefinition>(
  definition: D,
  sequence: number,
  data: Partial<DataOf<D>> = {},
) {
  const envelope = createMessage(definition, {
    id: `${definition.source}/o1@${sequence}`,
    key: 'o1',
    sequence,
    timeMs: (clockMs += 1000),
    data: { orderId: 'o1', ...data } as DataOf<D>,
  });
  return { ...envelope, name: definition.name } as unknown as ConsumedMessage;
}

const lines = [{ productId: 'tea', quantity: 2, unitPriceCents: 450 }];
const total = { amountCents: 900, currency: 'EUR' } as const;
const shipmentId = 's1';
const reason = { code: 'OUT_OF_STOCK', message: 'No tea is left.' };

const placed = message(OrderPlaced, 1, { customerId: 'ada', lines, total });
const reserved = message(StockReserved, 1, { customerId: 'ada', lines, total });
const authorized = message(PaymentAuthorized, 1, { amount: total, providerReference: 'p-1' });
const confirmed = message(OrderConfirmed, 2);
const prepared = message(ShipmentPrepared, 1, { shipmentId });
const dispatched = message(ShipmentDispatched, 2, { shipmentId, carrier: 'Gull Post', trackingCode: 'G1' });
const orderDispatched = message(OrderDispatched, 3);
const delivered = message(ShipmentDelivered, 3, { shipmentId });
const completed = message(OrderCompleted, 4);

const streams: ConsumedMessage[][] = [
  [placed, confirmed, orderDispatched, completed],
  [reserved],
  [authorized],
  [prepared, dispatched, delivered],
];

const after = (messages: readonly ConsumedMessage[], from: OrderParts = noParts): OrderParts =>
  messages.reduce(evolve, from);
const statusAfter = (...messages: ConsumedMessage[]) => orderDocumentOf('o1', 1, after(messages))?.status;

describe('the status of an order', () => {
  it('goes from PLACED to DELIVERED as the streams report', () => {
    const life = [placed, reserved, authorized, confirmed, prepared, dispatched, delivered, completed];
    expect(life.map((_, index) => statusAfter(...life.slice(0, index + 1)))).toEqual([
      'PLACED',
      'RESERVED',
      'RESERVED',
      'CONFIRMED',
      'PREPARING',
      'DISPATCHED',
      'DELIVERED',
      'DELIVERED',
    ]);
  });

  it('does not go back when a stream lags', () => {
    expect(statusAfter(placed, prepared, reserved, confirmed)).toBe('PREPARING');
  });

  it('stays PLACED on a refused reservation until the order is rejected', () => {
    const refused = message(StockRejected, 1, { reason });
    expect(statusAfter(placed, refused)).toBe('PLACED');
    expect(statusAfter(placed, refused, message(OrderRejected, 2, { reason }))).toBe('REJECTED');
  });

  it('stays CANCELLED after any later message', () => {
    const cancelled = message(OrderCancelled, 2, { reason: 'changed my mind' });
    const released = message(StockReleased, 2);
    const refunded = message(PaymentRefunded, 2, { amount: total, providerReference: 'p-1' });
    expect(statusAfter(placed, reserved, cancelled, released, authorized, refunded, prepared)).toBe(
      'CANCELLED',
    );
  });
});

describe('the join', () => {
  it('makes no document before OrderPlaced has arrived', () => {
    expect(orderDocumentOf('o1', 0, after([reserved, authorized]))).toBeUndefined();
  });

  it('ignores a repeated message', () => {
    const parts = after([placed, reserved, confirmed]);
    for (const repeated of [placed, reserved, confirmed]) expect(evolve(parts, repeated)).toBe(parts);
  });

  it('keeps the time of each status: of the earlier message where two streams report it', () => {
    const times = after(
      [completed, delivered, dispatched, orderDispatched, placed, reserved].toReversed(),
    ).steps;
    expect(times).toEqual({
      PLACED: placed.time,
      RESERVED: reserved.time,
      DISPATCHED: dispatched.time,
      DELIVERED: delivered.time,
    });
    const document = orderDocumentOf('o1', 1, after(streams.flat()));
    expect(document?.steps?.map(({ status }) => status)).toEqual([
      'PLACED',
      'RESERVED',
      'CONFIRMED',
      'PREPARING',
      'DISPATCHED',
      'DELIVERED',
    ]);
  });

  it('continues parts that were stored before the times of statuses were', () => {
    const { steps: _steps, ...stored } = after([placed, reserved]);
    expect(orderDocumentOf('o1', 1, stored)).not.toHaveProperty('steps');
    expect(evolve(stored, confirmed).steps).toEqual({ CONFIRMED: confirmed.time });
  });

  it('keeps the carrier when the shipment is delivered', () => {
    const document = orderDocumentOf('o1', 1, after(streams.flat()));
    expect(document?.shipment).toEqual({
      shipmentId,
      status: 'DELIVERED',
      carrier: 'Gull Post',
      trackingCode: 'G1',
    });
  });

  it('leads to the same document for any interleaving of the streams, with repeats', () => {
    const expected = orderDocumentOf('o1', 1, after(streams.flat()));
    expect(orderDocument.parse(expected)).toEqual(expected);
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 3 }), { maxLength: 40 }), (choices) => {
        expect(orderDocumentOf('o1', 1, after(interleaved(choices)))).toEqual(expected);
      }),
    );
  });
});

/** Takes the next message of each chosen stream, then the rest, and every message twice. */
function interleaved(choices: number[]): ConsumedMessage[] {
  const rest = streams.map((stream) => [...stream]);
  const taken = choices.flatMap((choice) => rest[choice]!.splice(0, 1));
  return [...taken, ...rest.flat()].flatMap((each) => [each, each]);
}
