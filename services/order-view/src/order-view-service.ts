import { decodeConsistencyToken, type InputOf } from '@tidegate/core';
import { getOrders, listOrders, topics } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { createFreshnessWait } from './freshness-wait.ts';
import { migrations } from './migrations.ts';
import { createOrderQueries } from './queries.ts';
import { joinedEvents } from './order-parts.ts';
import { createProjection } from './projection.ts';
import type { OrderViewTables } from './tables.ts';

export const ownedTopics = [topics.orderDocuments] as const;

/** Joins everything about an order into one document, answers reads from it and publishes it. */
export function createOrderViewService(
  dependencies: ServiceDependencies<OrderViewTables>,
): Service<'order-view'> {
  const { database } = dependencies;
  const outbox = createOutbox({ database });
  const queries = createOrderQueries(database);
  const freshness = createFreshnessWait({ versions: (ids) => queries.versions(ids) });
  const project = createProjection({
    outbox,
    onApplied: (orderId, version) => freshness.applied(orderId, version),
  });

  /** A token may name other things than orders: they are no business of this view. */
  async function satisfied(
    demanded: InputOf<typeof getOrders>['freshness'],
    signal: AbortSignal,
  ): Promise<boolean> {
    if (!demanded) return true;
    const floors = decodeConsistencyToken(demanded.token).filter(({ kind }) => kind === 'order');
    return freshness.covered(floors, demanded.waitMs, signal);
  }

  const service = createService({
    name: 'order-view',
    dependencies,
    migrations,
    outbox,
    ownedTopics,
    consumed: joinedEvents,
    handle: (message, unit, record) => project(message, unit, record.partition),
    // The version vector knows what was applied.
    inbox: false,
    implementations: [
      implement(getOrders, async ({ ids, freshness: demanded }, { signal }) => {
        const covered = await satisfied(demanded, signal);
        return { orders: await queries.byIds(ids), satisfied: covered };
      }),
      implement(listOrders, async ({ freshness: demanded, ...input }, { signal }) => {
        const covered = await satisfied(demanded, signal);
        return { ...(await queries.list(input)), satisfied: covered };
      }),
    ],
  });

  async function stop(): Promise<void> {
    freshness.stop();
    await service.stop();
  }

  return { ...service, stop };
}
