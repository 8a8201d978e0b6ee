import { cancelOrder, getCommandOutcome, placeOrder, topics, topicSpecs } from '@tidegate/contracts';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { createOutbox, startConsumer, startRelay } from '@tidegate/outbox';
import { createServiceHandler, implement, type FetchHandler } from '@tidegate/service-api';
import type { Logger } from '@tidegate/telemetry';
import { createCommandHandler } from './command-handler.ts';
import { createCommandOutcomes } from './command-outcomes.ts';
import { migrations } from './migrations.ts';
import { newId as newSortableId } from './new-id.ts';
import { createOrderRepository } from './order-repository.ts';
import { consumed, createReactions } from './reactions.ts';
import type { OrdersTables } from './tables.ts';

export interface OrdersServiceOptions {
  readonly database: Database<OrdersTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Of each topic; the same in every service. Default 6. */
  readonly partitions?: number;
  readonly clock?: () => number;
  readonly newId?: () => string;
}

export interface OrdersService {
  readonly name: 'orders';
  readonly handle: FetchHandler;
  /** Migrates, creates topics, then relays and consumes. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export const ownedTopics = [topics.orderCommands, topics.commandOutcomes, topics.orderEvents] as const;

/** The write side of orders: event-sourced, answers commands, takes its part in the choreography. */
export function createOrdersService(options: OrdersServiceOptions): OrdersService {
  const { database, log, logger, partitions = 6, clock = Date.now, newId = newSortableId } = options;
  const outbox = createOutbox({ database });
  const outcomes = createCommandOutcomes({ outbox, clock });
  const orders = createOrderRepository({ outbox, clock });
  const commands = createCommandHandler({ database, orders, outcomes });
  const running: { stop(): Promise<void> }[] = [];

  const implementations = [
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
  ];

  async function start(): Promise<void> {
    await database.migrate(migrations);
    const needed = [...ownedTopics, ...consumed.map(({ topic }) => topic), topics.deadLetters];
    await log.ensureTopics(topicSpecs([...new Set(needed)], partitions));
    running.push(await startRelay({ database, log, outbox, logger, name: 'orders' }));
    running.push(
      await startConsumer({
        database,
        log,
        logger,
        group: 'orders',
        definitions: consumed,
        handle: createReactions(commands),
      }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name: 'orders', handle: createServiceHandler({ implementations, logger }), start, stop };
}
