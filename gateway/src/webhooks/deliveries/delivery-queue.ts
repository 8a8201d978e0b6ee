import { randomUUID } from 'node:crypto';
import type { Database, UnitOfWork } from '@tidegate/database';
import { sql } from 'kysely';
import type { NextStep } from './retry-schedule.ts';
import { recordHealth, type EndpointHealth } from '../endpoints/endpoint-health.ts';
import type { WebhookTables } from '../tables.ts';
import { isOldestOfKey } from './delivery-order.ts';

/** A delivery that this dispatcher alone attempts until its lease ends. */
export interface ClaimedDelivery {
  readonly seq: number;
  /** The `webhook-id`. */
  readonly id: string;
  readonly endpointId: string;
  /** Number of earlier attempts. */
  readonly attempts: number;
  /** Attempts made before it was resent. */
  readonly attemptsBefore: number;
  /** Body of an earlier attempt; null when it has to be rendered from the envelope. */
  readonly body: string | null;
  readonly envelope: string | null;
}

/** Result of one attempt, as it is stored. */
export interface FinishedAttempt {
  /** Epoch milliseconds of the start. */
  readonly at: number;
  readonly durationMs: number;
  readonly httpStatus?: number | undefined;
  /** Undefined when the attempt succeeded. */
  readonly error?: string | undefined;
  readonly message?: string | undefined;
  /** Body that was sent; undefined when none could be rendered. */
  readonly body?: string | undefined;
}

export interface ClaimOptions {
  readonly limit: number;
  readonly leaseMs: number;
  /** Ids of endpoints to leave out of the query. */
  readonly excluding: readonly string[];
  /** Returns how many more deliveries of an endpoint may be claimed. */
  readonly room: (endpointId: string) => number;
}

/**
 * Queue of deliveries that any number of dispatchers share. Its order is described in `delivery-order.ts`. A claim is
 * a lease: deliveries of a dispatcher that died are claimed by another one when the lease ends.
 */
export class DeliveryQueue {
  readonly #owner = randomUUID();
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Leases due deliveries, oldest first. Two dispatchers never get the same delivery. */
  async claim(options: ClaimOptions): Promise<ClaimedDelivery[]> {
    const due = await this.#due(options.limit, options.excluding);
    const chosen = withinRoom(due, options.room);
    if (chosen.length === 0) return [];
    const now = this.#clock();
    // Another dispatcher may have read the same rows. The repeated conditions let only one of the two updates match.
    const claimed = await this.#database.query
      .updateTable('webhook_deliveries')
      .set({ lease_owner: this.#owner, lease_until: now + options.leaseMs })
      .where('seq', 'in', chosen)
      .where('status', '=', 'pending')
      .where('lease_until', '<=', now)
      .where('next_attempt_at', '<=', now)
      .returning('seq')
      .execute();
    return this.#load(claimed.map(({ seq }) => seq));
  }

  /** Returns the earliest future due time in epoch milliseconds, undefined when no delivery waits for one. */
  async nextDueAt(): Promise<number | undefined> {
    const row = await this.#database.query
      .selectFrom('webhook_deliveries')
      .select('next_attempt_at')
      .where('status', '=', sql.lit('pending'))
      .where('next_attempt_at', '>', this.#clock())
      .orderBy('next_attempt_at')
      .limit(1)
      .executeTakeFirst();
    return row?.next_attempt_at;
  }

  /**
   * Stores an attempt, its consequence for the delivery and for the health of the endpoint, in one transaction.
   *
   * @returns false, having stored nothing, when the lease was lost or the delivery deleted in the meantime.
   */
  settle(
    delivery: ClaimedDelivery,
    attempt: FinishedAttempt,
    next: NextStep,
    health: EndpointHealth,
  ): Promise<boolean> {
    return this.#database.transaction(async (unit) => {
      if (!(await this.#update(unit, delivery, next, attempt.body))) return false;
      await unit.tx
        .insertInto('webhook_attempts')
        .values({
          delivery_seq: delivery.seq,
          number: delivery.attempts + 1,
          at: attempt.at,
          duration_ms: Math.round(attempt.durationMs),
          http_status: attempt.httpStatus ?? null,
          error: attempt.error ?? null,
          message: attempt.message ?? null,
        })
        .execute();
      await recordHealth(unit, delivery.endpointId, health, this.#clock());
      return true;
    });
  }

  /** Ends the lease without an attempt. Any dispatcher can claim the delivery at once. */
  async release(delivery: ClaimedDelivery): Promise<void> {
    await this.#database.query
      .updateTable('webhook_deliveries')
      .set({ lease_owner: null, lease_until: 0 })
      .where('seq', '=', delivery.seq)
      .where('lease_owner', '=', this.#owner)
      .execute();
  }

  #due(limit: number, excluding: readonly string[]): Promise<{ seq: number; endpointId: string }[]> {
    const now = this.#clock();
    let query = this.#database.query
      .selectFrom('webhook_deliveries as due')
      .select(['due.seq', 'due.endpoint_id as endpointId'])
      // A literal, so that the planner can use the partial index `webhook_deliveries_due`.
      .where('due.status', '=', sql.lit('pending'))
      .where('due.next_attempt_at', '<=', now)
      .where('due.lease_until', '<=', now)
      .where(isOldestOfKey)
      .orderBy('due.next_attempt_at')
      .orderBy('due.seq')
      .limit(limit);
    if (excluding.length > 0) query = query.where('due.endpoint_id', 'not in', excluding);
    return query.execute();
  }

  async #load(seqs: readonly number[]): Promise<ClaimedDelivery[]> {
    if (seqs.length === 0) return [];
    return this.#database.query
      .selectFrom('webhook_deliveries as delivery')
      .leftJoin('webhook_changes as change', 'change.id', 'delivery.change_id')
      .select([
        'delivery.seq',
        'delivery.id',
        'delivery.endpoint_id as endpointId',
        'delivery.attempts',
        'delivery.attempts_before as attemptsBefore',
        'delivery.body',
        'change.envelope',
      ])
      .where('delivery.seq', 'in', seqs)
      .orderBy('delivery.seq')
      .execute();
  }

  async #update(
    unit: UnitOfWork<WebhookTables>,
    delivery: ClaimedDelivery,
    next: NextStep,
    body: string | undefined,
  ): Promise<boolean> {
    const updated = await unit.tx
      .updateTable('webhook_deliveries')
      .set({
        status: next.status,
        attempts: delivery.attempts + 1,
        lease_owner: null,
        lease_until: 0,
        ...(next.status === 'pending'
          ? { next_attempt_at: next.nextAttemptAt }
          : { finished_at: this.#clock() }),
        ...(next.status !== 'delivered' && body !== undefined && { body }),
      })
      .where('seq', '=', delivery.seq)
      .where('status', '=', 'pending')
      .where('lease_owner', '=', this.#owner)
      .executeTakeFirst();
    return updated.numUpdatedRows === 1n;
  }
}

/** Chooses the oldest deliveries that their endpoints have room for. */
function withinRoom(
  due: readonly { readonly seq: number; readonly endpointId: string }[],
  room: ClaimOptions['room'],
): number[] {
  const counts = new Map<string, number>();
  const chosen: number[] = [];
  for (const { seq, endpointId } of due) {
    const count = counts.get(endpointId) ?? 0;
    if (count >= room(endpointId)) continue;
    counts.set(endpointId, count + 1);
    chosen.push(seq);
  }
  return chosen;
}
