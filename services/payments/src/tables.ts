import type { OutboxTables } from '@tidegate/messaging';
import type { PaymentStatus, ProviderWork } from './decide.ts';

export interface PaymentsTable {
  order_id: string;
  status: PaymentStatus;
  work: ProviderWork | null;
  attempts: number;
  /** Time the work is due, or the end of the lease while a worker does it. Epoch milliseconds. */
  next_attempt_at: number | null;
  amount_cents: number;
  requested_at: number;
  /** Sequence of the payment's last event: number of events published. */
  sequence: number;
  cause_id: string;
  traceparent: string | null;
}

export interface PaymentsTables extends OutboxTables {
  payments: PaymentsTable;
}
