export {
  createShippingService,
  ownedTopics,
  type ShippingService,
  type ShippingServiceOptions,
} from './shipping-service.ts';
export type { ShippingTables } from './tables.ts';
