import { join } from 'node:path';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createCatalogViewService } from '@order-platform/service-catalog-view';
import { createInventoryService, type RestockRule } from '@order-platform/service-inventory';
import { createOrderViewService } from '@order-platform/service-order-view';
import { createOrdersService } from '@order-platform/service-orders';
import { createPaymentsService } from '@order-platform/service-payments';
import { createPaymentProvider } from '@order-platform/service-payments/provider';
import { createServiceClient, type ServiceClient } from '@tidegate/service/operations';
import type { FetchHandler } from '@tidegate/runtime/http';
import { createShippingService } from '@order-platform/service-shipping';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';

export interface OrderPlatformOptions {
  /** Folder of the services' SQLite files. */
  readonly dataDir: string;
  /** Failure that committed transactions survive. Default 'process'. */
  readonly durability?: 'process' | 'power';
  readonly log: EventLog;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly partitions: number;
  readonly restock?: RestockRule;
  readonly shipping?: { readonly prepareMs: number; readonly deliverMs: number };
}

export interface OrderPlatform {
  /** Calls the services in this process. */
  readonly client: ServiceClient;
  readonly provider: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

interface Service {
  readonly name: string;
  readonly handle: FetchHandler;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Creates the whole write and read side in one process: the production services, each with its own database. */
export function createOrderPlatform(options: OrderPlatformOptions): OrderPlatform {
  const { log, dataDir, durability = 'process', partitions, metrics } = options;
  const databases: Database<never>[] = [];
  const provider = createPaymentProvider();

  function dependencies<Tables>(name: string) {
    const logger = options.logger.child({ service: name });
    const database = createSqliteDatabase<Tables>({
      path: join(dataDir, `${name}.sqlite`),
      logger,
      metrics,
      durability,
    });
    databases.push(database as unknown as Database<never>);
    return { database, log, logger, metrics, partitions };
  }

  const orders = createOrdersService(dependencies('orders'));
  const orderView = createOrderViewService(dependencies('order-view'));
  const catalogView = createCatalogViewService(dependencies('catalog-view'));
  const services: readonly Service[] = [
    orders,
    createInventoryService({ ...dependencies('inventory'), restock: options.restock }),
    createPaymentsService({ ...dependencies('payments'), provider: provider.handle }),
    createShippingService({ ...dependencies('shipping'), ...options.shipping }),
    orderView,
    catalogView,
  ];

  return {
    client: createServiceClient({
      services: { orders: orders.handle, 'order-view': orderView.handle, 'catalog-view': catalogView.handle },
      logger: options.logger,
      metrics,
    }),
    provider: provider.handle,
    start: async () => {
      await Promise.all(services.map((service) => service.start()));
    },
    stop: async () => {
      await Promise.all(services.map((service) => service.stop()));
      await Promise.all(databases.map((database) => database.close()));
    },
  };
}
