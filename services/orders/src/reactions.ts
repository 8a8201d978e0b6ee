import type { UnitOfWork } from '@tidegate/database';
import { causeOf } from '@tidegate/service';
import type { CommandHandler } from './command-handler.ts';
import type { ConsumedMessage } from './messages.ts';
import type { OrdersTables } from './tables.ts';

/** Returns the handler of consumed messages: each becomes a command or a reaction of its order. */
export function createReactions(commands: CommandHandler) {
  return async (message: ConsumedMessage, unit: UnitOfWork<OrdersTables>): Promise<void> => {
    const cause = causeOf(message);
    switch (message.name) {
      case 'PlaceOrder': {
        // The data may leave the order id open; the record's key then names the order.
        const input = { ...message.data, orderId: message.data.orderId ?? message.subject };
        await commands.handle(unit, { name: 'place-order', input }, message.traceparent);
        return;
      }
      case 'CancelOrder':
        await commands.handle(unit, { name: 'cancel-order', input: message.data }, message.traceparent);
        return;
      case 'StockRejected':
      case 'PaymentDeclined':
        return commands.react(unit, message.subject, { name: 'reject', reason: message.data.reason }, cause);
      case 'PaymentAuthorized':
        return commands.react(unit, message.subject, { name: 'confirm' }, cause);
      case 'ShipmentDispatched':
        return commands.react(unit, message.subject, { name: 'dispatch' }, cause);
      case 'ShipmentDelivered':
        return commands.react(unit, message.subject, { name: 'complete' }, cause);
    }
  };
}
