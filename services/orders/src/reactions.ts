import type { UnitOfWork } from '@tidegate/database';
import type { LogRecord } from '@tidegate/event-log';
import { causeOf, type CallerKeys } from '@tidegate/service';
import { TidegateError } from '@tidegate/core';
import type { CommandHandler } from './command-handler.ts';
import type { ConsumedMessage } from './messages.ts';
import type { ProductPrices } from './product-prices.ts';
import type { OrdersTables } from './tables.ts';

export interface ReactionsOptions {
  readonly commands: CommandHandler;
  readonly prices: ProductPrices;
  readonly callerKeys: CallerKeys | undefined;
}

/**
 * Returns the handler of consumed messages: each becomes a command or a reaction of its order. A command names its actor
 * and its prices, so it counts only when one of the callers signed it; without `callerKeys` none does. Any other goes to
 * the dead letters.
 */
export function createReactions({ commands, prices, callerKeys }: ReactionsOptions) {
  return async (
    message: ConsumedMessage,
    unit: UnitOfWork<OrdersTables>,
    record: LogRecord,
  ): Promise<void> => {
    if (message.name === 'PlaceOrder' || message.name === 'CancelOrder') requireSigned(record, callerKeys);
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
      case 'ProductDocumentChanged':
        return prices.apply(unit, message.data);
      case 'ShipmentDelivered':
        return commands.react(unit, message.subject, { name: 'complete' }, cause);
    }
  };
}

function requireSigned(record: LogRecord, callerKeys: CallerKeys | undefined): void {
  if (!callerKeys)
    throw new TidegateError('UNAUTHENTICATED', 'Commands through the log are not accepted here.');
  callerKeys.verifyRecord(record.topic, record);
}
