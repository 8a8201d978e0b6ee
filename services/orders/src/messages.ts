import {
  CancelOrder,
  PaymentAuthorized,
  PaymentDeclined,
  PlaceOrder,
  ProductDocumentChanged,
  ShipmentDelivered,
  ShipmentDispatched,
  StockRejected,
  topics,
} from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the orders service. */
export const ownedTopics = [topics.orderCommands, topics.commandOutcomes, topics.orderEvents] as const;

/** Commands sent through the log, events of other services that move an order to its next phase, and prices. */
export const consumed = [
  PlaceOrder,
  CancelOrder,
  StockRejected,
  PaymentAuthorized,
  PaymentDeclined,
  ShipmentDispatched,
  ShipmentDelivered,
  ProductDocumentChanged,
] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
