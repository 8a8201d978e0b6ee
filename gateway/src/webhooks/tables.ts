import type { OutboxTables } from '@tidegate/messaging';
import type { Generated } from 'kysely';

/**
 * Tables of the webhooks. Times are epoch milliseconds.
 *
 * The inbox of the dispatcher's consumer lies in the same database, so a change is deduplicated and its deliveries are
 * enqueued in one transaction.
 */
export interface WebhookTables extends OutboxTables {
  webhook_endpoints: EndpointRow;
  /** One row. Counts changes of `webhook_endpoints`, so that a cache of endpoints can detect that it is stale. */
  webhook_revision: { id: number; revision: number };
  webhook_changes: ChangeRow;
  webhook_deliveries: DeliveryTable;
  webhook_attempts: AttemptRow;
}

export interface EndpointRow {
  id: string;
  /** Subject of the partner's token. */
  partner: string;
  /** JSON object: the claims of the token that registered or last enabled the endpoint. Its rights depend on them. */
  claims: string;
  /** `jti` of that token; null when it had none. */
  token_id: string | null;
  /** Time of issue of that token; 0 when it is unknown. A later revocation of the partner disables the endpoint. */
  token_issued_at: number;
  url: string;
  bff: string;
  document: string;
  operation_name: string | null;
  /** JSON object. */
  variables: string;
  status: 'enabled' | 'disabled';
  disabled_reason: string | null;
  /** `operator`: the endpoint is disabled until an operator enables it. */
  paused_by: 'operator' | null;
  /** Sealed by `SecretBox`. */
  secret: string;
  /** JSON array of the `OlderSecret`s, newest first: secrets that were replaced and still sign. */
  older_secrets: string;
  /** JSON of a `StartPosition`. */
  starts_at: string;
  /** Time of the first failed attempt after the last success; null while attempts succeed. */
  failing_since: number | null;
  created_at: number;
  /** Value of `webhook_revision` at the row's last change. */
  revision: number;
}

/** End of the endpoint's topic at registration. Changes before it are not delivered to the endpoint. */
export interface StartPosition {
  /** Incarnation of the log. Offsets of another incarnation are not comparable. */
  readonly epoch: string;
  /** Offset of the first change to deliver, by partition number. */
  readonly offsets: readonly number[];
}

/** A change with at least one delivery. Stored once for all endpoints. */
export interface ChangeRow {
  /** Source and id of the CloudEvent. */
  id: string;
  /** The CloudEvent as JSON. */
  envelope: string;
  created_at: number;
}

export interface DeliveryTable {
  /** Ascends in the order of enqueueing. */
  seq: Generated<number>;
  /** The `webhook-id` header. */
  id: string;
  endpoint_id: string;
  /** Deliveries with equal endpoint and ordering key are sent one after the other: see `delivery-order.ts`. */
  ordering_key: string;
  /** Row of `webhook_changes`; null for a test message. */
  change_id: string | null;
  event_id: string;
  subject: string;
  sequence: number;
  status: DeliveryStatus;
  /** Number of attempts made. */
  attempts: number;
  /** Attempts made before it was resent: the retry schedule begins anew then. */
  attempts_before: Generated<number>;
  next_attempt_at: number;
  /** 1 for the oldest pending delivery of its endpoint and ordering key, perhaps for others: see `delivery-order.ts`. */
  is_head: Generated<number>;
  lease_owner: string | null;
  /** End of the lease; 0 without one. */
  lease_until: number;
  /** Request body. Stored at the first failure, so that every retry sends the same bytes. */
  body: string | null;
  created_at: number;
  finished_at: number | null;
}

export type DeliveryStatus = 'pending' | 'delivered' | 'dead';

export interface AttemptRow {
  delivery_seq: number;
  /** Counts from 1. */
  number: number;
  at: number;
  duration_ms: number;
  http_status: number | null;
  /** An `AttemptError`; null when the attempt succeeded. */
  error: string | null;
  message: string | null;
}
