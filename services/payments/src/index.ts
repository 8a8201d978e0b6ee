export {
  createPaymentsService,
  ownedTopics,
  type PaymentsService,
  type PaymentsServiceOptions,
} from './payments-service.ts';
export type { PaymentsTables } from './tables.ts';
