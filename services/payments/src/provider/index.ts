export { createPaymentProvider, type PaymentProvider } from './payment-provider.ts';
export type { Behaviour } from './behaviour.ts';
