import { productEvents, topics } from '@order-platform/contracts';
import type { Message } from '@tidegate/core';

/** Topics of the catalogue view. */
export const ownedTopics = [topics.productDocuments] as const;

/** All events of products and their stock, keyed by product id. */
export const consumed = productEvents;
export type ConsumedMessage = Message<(typeof consumed)[number]>;
