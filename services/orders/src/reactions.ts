import {
  CancelOrder,
  PaymentAuthorized,
  PaymentDeclined,
  PlaceOrder,
  ShipmentDelivered,
  ShipmentDispatched,
  StockRejected,
} from '@order-platform/contracts';
import { type Message } from '@tidegate/core';
import type { UnitOfWork } from '@tidegate/database';
import { causeOf } from '@tidegate/service';
import type { CommandHandler } from './command-handler.ts';
import type { OrdersTables } from './tables.ts';

/** What orders listens to: commands that come through the log, and its part of the choreography. */
export const consumed = [
  PlaceOrder,
  CancelOrder,
  StockRejected,
  PaymentAuthorized,
  PaymentDeclined,
  ShipmentDispatched,
  ShipmentDelivered,
] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;

export function createReactions(handler: CommandHandler) {
  return async (message: ConsumedMessage, unit: UnitOfWork<OrdersTables>): Promise<void> => {
    const cause = causeOf(message);
    switch (message.name) {
      case 'PlaceOrder': {
        // Keyed by order id: the subject names the order where the data leaves it open.
        const input = { ...message.data, orderId: message.data.orderId ?? message.subject };
        await handler.handle(unit, { name: 'place-order', input }, message.traceparent);
        return;
      }
      case 'CancelOrder':
        await handler.handle(unit, { name: 'cancel-order', input: message.data }, message.traceparent);
        return;
      case 'StockRejected':
      case 'PaymentDeclined':
        return handler.report(unit, message.subject, { name: 'reject', reason: message.data.reason }, cause);
      case 'PaymentAuthorized':
        return handler.report(unit, message.subject, { name: 'confirm' }, cause);
      case 'ShipmentDispatched':
        return handler.report(unit, message.subject, { name: 'dispatch' }, cause);
      case 'ShipmentDelivered':
        return handler.report(unit, message.subject, { name: 'complete' }, cause);
    }
  };
}
