import type { UnitOfWork } from '@tidegate/database';
import { causeOf } from '@tidegate/service';
import type { ConsumedMessage } from './messages.ts';
import type { PaymentStore } from './store.ts';
import type { PaymentsTables } from './tables.ts';

/** Returns the handler of consumed messages: each only stores the work that the worker then does at the provider. */
export function createReactions(payments: PaymentStore) {
  return (message: ConsumedMessage, unit: UnitOfWork<PaymentsTables>): Promise<void> => {
    const cause = causeOf(message);
    switch (message.name) {
      case 'StockReserved':
        return payments.request(unit, message.data, cause);
      case 'OrderCancelled':
      case 'OrderRejected':
        return payments.end(unit, message.subject, cause);
    }
  };
}
