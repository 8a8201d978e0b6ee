import { topics } from '@order-platform/contracts';
import { createServiceClient } from '@tidegate/service/operations';
import { createCatalogViewService, type CatalogViewTables } from '@order-platform/service-catalog-view';
import {
  createInventoryService,
  type InventoryTables,
  type NewProduct,
} from '@order-platform/service-inventory';
import { createOrderViewService, type OrderViewTables } from '@order-platform/service-order-view';
import { createOrdersService, type OrdersTables } from '@order-platform/service-orders';
import { createPaymentsService, type PaymentsTables } from '@order-platform/service-payments';
import { createPaymentProvider } from '@order-platform/service-payments/provider';
import { createShippingService, type ShippingTables } from '@order-platform/service-shipping';
import { silentLogger } from '@tidegate/runtime/telemetry';
import { products } from './products.ts';
import type { Storage } from './storage.ts';

export interface PlatformOptions {
  /** Time from confirmation to dispatch, in milliseconds. Default 1. */
  readonly prepareMs?: number;
  /** Time from dispatch to delivery, in milliseconds. Default 1. */
  readonly deliverMs?: number;
  /** See `PaymentsServiceOptions`. */
  readonly giveUpAfterMs?: number;
  /** Default: `products`. */
  readonly products?: readonly NewProduct[];
}

const { orderCommands, orderEvents, reservationEvents, paymentEvents, shipmentEvents } = topics;
const { productEvents, productDocuments } = topics;

/** Consumer groups with the topics that they consume. */
export const groups = {
  orders: [orderCommands, reservationEvents, paymentEvents, shipmentEvents, productDocuments],
  inventory: [orderEvents],
  payments: [reservationEvents, orderEvents],
  shipping: [orderEvents],
  'order-view': [orderEvents, reservationEvents, paymentEvents, shipmentEvents],
  'catalog-view': [productEvents],
} as const;

export type Services = ReturnType<typeof createServices>;

/** Creates all services on one log, each with its own database, and a client that calls them in this process. */
export function createServices(storage: Storage, options: PlatformOptions) {
  const databases = {
    orders: storage.open<OrdersTables>('orders'),
    inventory: storage.open<InventoryTables>('inventory'),
    payments: storage.open<PaymentsTables>('payments'),
    shipping: storage.open<ShippingTables>('shipping'),
    orderView: storage.open<OrderViewTables>('order-view'),
    catalogView: storage.open<CatalogViewTables>('catalog-view'),
  };
  const common = { log: storage.log, logger: silentLogger, partitions: 3 };
  const provider = createPaymentProvider();
  const orders = createOrdersService({ ...common, database: databases.orders });
  const inventory = createInventoryService({
    ...common,
    database: databases.inventory,
    products: options.products ?? products,
  });
  const payments = createPaymentsService({
    ...common,
    database: databases.payments,
    provider: provider.handle,
    deadlineMs: 500,
    ...(options.giveUpAfterMs === undefined ? {} : { giveUpAfterMs: options.giveUpAfterMs }),
  });
  const shipping = createShippingService({
    ...common,
    database: databases.shipping,
    prepareMs: options.prepareMs ?? 1,
    deliverMs: options.deliverMs ?? 1,
  });
  const orderView = createOrderViewService({ ...common, database: databases.orderView });
  const catalogView = createCatalogViewService({ ...common, database: databases.catalogView });
  const client = createServiceClient({
    services: { orders: orders.handle, 'order-view': orderView.handle, 'catalog-view': catalogView.handle },
  });
  return {
    all: [orders, inventory, payments, shipping, orderView, catalogView],
    databases,
    provider,
    client,
  };
}
