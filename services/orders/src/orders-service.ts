import { cancelOrder, getCommandOutcome, placeOrder, topics } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { createCommandHandler } from './command-handler.ts';
import { createCommandOutcomes } from './command-outcomes.ts';
import { migrations } from './migrations.ts';
import { newId as newSortableId } from './new-id.ts';
import { createOrderRepository } from './order-repository.ts';
import { consumed, createReactions } from './reactions.ts';
import type { OrdersTables } from './tables.ts';

export interface OrdersServiceOptions extends ServiceDependencies<OrdersTables> {
  readonly clock?: () => number;
  readonly newId?: () => string;
}

export const ownedTopics = [topics.orderCommands, topics.commandOutcomes, topics.orderEvents] as const;

/** The write side of orders: event-sourced, answers commands, takes its part in the choreography. */
export function createOrdersService(options: OrdersServiceOptions): Service<'orders'> {
  const { database, clock = Date.now, newId = newSortableId } = options;
  const outbox = createOutbox({ database });
  const outcomes = createCommandOutcomes({ outbox, clock });
  const orders = createOrderRepository({ outbox, clock });
  const commands = createCommandHandler({ database, orders, outcomes });

  return createService({
    name: 'orders',
    dependencies: options,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: createReactions(commands),
    implementations: [
      implement(placeOrder, (input, { traceparent }) =>
        commands.execute(
          { name: 'place-order', input: { ...input, orderId: input.orderId ?? newId() } },
          input.traceparent ?? traceparent,
        ),
      ),
      implement(cancelOrder, (input, { traceparent }) =>
        commands.execute({ name: 'cancel-order', input }, input.traceparent ?? traceparent),
      ),
      implement(getCommandOutcome, async ({ commandId }) => {
        const found = await outcomes.find(database.query, commandId);
        return {
          outcome: found
            ? { customerId: found.customerId, command: found.command, result: found.result }
            : null,
        };
      }),
    ],
  });
}
