import type { OutboxTables } from '@tidegate/messaging';
import type { PaymentStatus, ProviderWork } from './decide.ts';

export interface PaymentsTable {
  order_id: string;
  status: PaymentStatus;
  work: ProviderWork | null;
  attempts: number;
  /** When the work is due; while somebody is at it, when they are presumed dead. Epoch ms. */
  next_attempt_at: number | null;
  amount_cents: number;
  requested_at: number;
  /** Version of the order's stream here: number of facts published. */
  sequence: number;
  cause_id: string;
  traceparent: string | null;
}

export interface PaymentsTables extends OutboxTables {
  payments: PaymentsTable;
}
