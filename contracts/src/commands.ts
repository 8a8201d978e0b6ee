import { defineMessage } from '@tidegate/core';
import { cancelOrder, placeOrder } from './operations/orders.ts';
import { topics } from './topics.ts';

/** Commands sent through the log instead of HTTP: the same input, keyed by order id. Outcomes have their own topic. */
const commands = { owner: 'clients', version: 1, topic: topics.orderCommands, key: 'order id' } as const;

export const PlaceOrder = defineMessage('PlaceOrder', { ...commands, schema: placeOrder.input });
export const CancelOrder = defineMessage('CancelOrder', { ...commands, schema: cancelOrder.input });
export const orderCommands = [PlaceOrder, CancelOrder] as const;
