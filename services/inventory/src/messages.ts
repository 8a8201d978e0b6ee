import {
  OrderCancelled,
  OrderDispatched,
  OrderPlaced,
  OrderRejected,
  topics,
} from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the inventory service. */
export const ownedTopics = [topics.reservationEvents, topics.productEvents] as const;

/** All on one topic with the order id as key, so an order's end never overtakes its beginning. */
export const consumed = [OrderPlaced, OrderRejected, OrderCancelled, OrderDispatched] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
