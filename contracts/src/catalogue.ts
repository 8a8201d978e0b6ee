import type { MessageDefinition } from '@tidegate/core';
import { orderCommands } from './commands.ts';
import { OrderDocumentChanged } from './documents/order-document.ts';
import { ProductDocumentChanged } from './documents/product-document.ts';
import { productEvents, reservationEvents } from './events/inventory.ts';
import { CommandOutcome, orderEvents } from './events/orders.ts';
import { paymentEvents } from './events/payments.ts';
import { shipmentEvents } from './events/shipping.ts';

/** Every message of the order platform. The source of `/asyncapi.json`. */
export const catalogue: readonly MessageDefinition[] = [
  ...orderCommands,
  ...orderEvents,
  ...reservationEvents,
  ...productEvents,
  ...paymentEvents,
  ...shipmentEvents,
  CommandOutcome,
  OrderDocumentChanged,
  ProductDocumentChanged,
];
