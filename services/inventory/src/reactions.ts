import type { UnitOfWork } from '@tidegate/database';
import { causeOf } from '@tidegate/service';
import type { ConsumedMessage } from './messages.ts';
import type { ReservationStore } from './store.ts';
import type { InventoryTables } from './tables.ts';

/** Returns the handler of consumed messages: each reserves, releases or sells the stock of its order. */
export function createReactions(reservations: ReservationStore) {
  return (message: ConsumedMessage, unit: UnitOfWork<InventoryTables>): Promise<void> => {
    const cause = causeOf(message);
    switch (message.name) {
      case 'OrderPlaced':
        return reservations.reserve(unit, message.data, cause);
      case 'OrderRejected':
      case 'OrderCancelled':
        return reservations.release(unit, message.subject, cause);
      case 'OrderDispatched':
        return reservations.sell(unit, message.subject, cause);
    }
  };
}
