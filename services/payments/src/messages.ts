import { OrderCancelled, OrderRejected, StockReserved, topics } from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the payments service. */
export const ownedTopics = [topics.paymentEvents] as const;

/** On two topics, so an order's end may arrive before its reservation. */
export const consumed = [StockReserved, OrderCancelled, OrderRejected] as const;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
