export { createPaymentsService, type PaymentsServiceOptions } from './payments-service.ts';
export type { PaymentsTables } from './tables.ts';
