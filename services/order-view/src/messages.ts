import {
  orderEvents,
  paymentEvents,
  reservationEvents,
  shipmentEvents,
  topics,
} from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the order view. */
export const ownedTopics = [topics.orderDocuments] as const;

/** All events of the four streams that the view joins, keyed by order id. */
export const consumed = [...orderEvents, ...reservationEvents, ...paymentEvents, ...shipmentEvents] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
