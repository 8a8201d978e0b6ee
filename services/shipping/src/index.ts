export { createShippingService, type ShippingServiceOptions } from './shipping-service.ts';
export type { ShippingTables } from './tables.ts';
