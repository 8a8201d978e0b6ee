import { decodeConsistencyToken, type InputOf } from '@tidegate/core';
import { getOrders, listOrders, type Access } from '@order-platform/contracts';
import { createOutbox } from '@tidegate/messaging';
import { createService, type Service, type ServiceDependencies } from '@tidegate/service';
import { implement } from '@tidegate/service/operations';
import { FreshnessWait } from './freshness-wait.ts';
import { consumed, ownedTopics } from './messages.ts';
import { migrations } from './migrations.ts';
import { OrderProjection } from './projection.ts';
import { OrderQueries } from './queries.ts';
import type { OrderViewTables } from './tables.ts';

/** Creates the read side of orders: joins four streams into one document per order, answers reads and publishes it. */
export function createOrderViewService(
  dependencies: ServiceDependencies<OrderViewTables>,
): Service<'order-view'> {
  const { database } = dependencies;
  const outbox = createOutbox({ database });
  const queries = new OrderQueries(database);
  const freshness = new FreshnessWait({ versions: (ids) => queries.versions(ids) });
  const projection = new OrderProjection({
    outbox,
    onApplied: (orderId, applied) => freshness.applied(orderId, applied),
  });

  return createService({
    name: 'order-view',
    dependencies,
    migrations,
    outbox,
    ownedTopics,
    consumed,
    handle: (message, unit, record) => projection.apply(message, unit, record.partition),
    // The version vector deduplicates.
    inbox: false,
    beforeConsuming: () => ({ stop: async () => freshness.stop() }),
    implementations: [
      implement(getOrders, async ({ ids, access, freshness: demanded }, { signal }) => {
        const satisfied = await waitFor(freshness, { demanded, access }, signal);
        return { orders: await queries.byIds(ids, access), satisfied };
      }),
      implement(listOrders, async ({ freshness: demanded, ...input }, { signal }) => {
        const satisfied = await waitFor(freshness, { demanded, access: input.access }, signal);
        return { ...(await queries.list(input)), satisfied };
      }),
    ],
  });
}

/** A token may also name versions of other views. This view waits for orders only. */
async function waitFor(
  freshness: FreshnessWait,
  { demanded, access }: { demanded: InputOf<typeof getOrders>['freshness']; access: Access },
  signal: AbortSignal,
): Promise<boolean> {
  if (!demanded) return true;
  const floors = decodeConsistencyToken(demanded.token).filter(({ kind }) => kind === 'order');
  return freshness.covered(floors, access, demanded.waitMs, signal);
}
