import type { UnitOfWork } from '@tidegate/database';
import { causeOf } from '@tidegate/service';
import type { ConsumedMessage } from './messages.ts';
import type { ShipmentStore } from './store.ts';
import type { ShippingTables } from './tables.ts';

/** Returns the handler of consumed messages: each prepares or stops the shipment of its order. */
export function createReactions(shipments: ShipmentStore) {
  return (message: ConsumedMessage, unit: UnitOfWork<ShippingTables>): Promise<void> => {
    switch (message.name) {
      case 'OrderConfirmed':
        return shipments.prepare(unit, message.subject, causeOf(message));
      case 'OrderCancelled':
        return shipments.stop(unit, message.subject);
    }
  };
}
