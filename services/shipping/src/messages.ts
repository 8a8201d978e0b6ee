import { OrderCancelled, OrderConfirmed, topics } from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the shipping service. */
export const ownedTopics = [topics.shipmentEvents] as const;

/** On one topic with the order id as key, so a cancellation never overtakes its confirmation. */
export const consumed = [OrderConfirmed, OrderCancelled] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
