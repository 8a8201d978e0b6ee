import { randomUUID } from 'node:crypto';
import type { Database, UnitOfWork } from '@tidegate/database';
import { sql } from 'kysely';
import { disableEndpoint } from '../endpoints/endpoint-store.ts';
import type { WebhookTables } from '../tables.ts';

/** A delivery that is this dispatcher's to attempt until the lease ends. */
export interface ClaimedDelivery {
  readonly seq: number;
  readonly id: string;
  readonly endpointId: string;
  /** Attempts made before. */
  readonly attempts: number;
  /** Fixed by an earlier attempt; null: to be rendered from the envelope. */
  readonly body: string | null;
  readonly envelope: string | null;
}

/** What became of one attempt. */
export interface FinishedAttempt {
  readonly at: number;
  readonly durationMs: number;
  readonly httpStatus?: number | undefined;
  readonly error?: string | undefined;
  readonly message?: string | undefined;
}

export type AfterAttempt =
  | { readonly status: 'delivered' }
  | { readonly status: 'pending'; readonly nextAttemptAt: number; readonly body: string | undefined }
  | { readonly status: 'dead'; readonly body: string | undefined };

/** What an attempt says about its endpoint. */
export type EndpointHealth =
  | { readonly kind: 'well' }
  /** Disabled once it has failed for `disableAfterMs` without a success. */
  | { readonly kind: 'failing'; readonly disableAfterMs: number }
  | { readonly kind: 'gone' }
  /** The attempt did not get as far as the endpoint. */
  | { readonly kind: 'unknown' };

/**
 * Deliveries as dispatchers share them. Only the oldest pending delivery of an endpoint's key can be claimed, so a
 * key's changes go out in order; a claim is a lease, so what a dead dispatcher held is taken over when it ends.
 */
export class DeliveryQueue {
  readonly #owner = randomUUID();
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Due deliveries, oldest first, of endpoints that `room` has places for. Safe with any number of dispatchers. */
  async claim(options: {
    readonly limit: number;
    readonly leaseMs: number;
    /** Endpoints without a free place. */
    readonly excluding: readonly string[];
    /** How many more of this endpoint may be claimed. */
    readonly room: (endpointId: string) => number;
  }): Promise<ClaimedDelivery[]> {
    const due = await this.#due(options.limit, options.excluding);
    const taken = new Map<string, number>();
    const chosen = due.filter(({ endpoint_id: id }) => {
      const count = taken.get(id) ?? 0;
      if (count >= options.room(id)) return false;
      taken.set(id, count + 1);
      return true;
    });
    if (chosen.length === 0) return [];
    const now = this.#clock();
    // The conditions again: another dispatcher may have read the same rows. One of the two updates finds none.
    const claimed = await this.#database.query
      .updateTable('webhook_deliveries')
      .set({ lease_owner: this.#owner, lease_until: now + options.leaseMs })
      .where(
        'seq',
        'in',
        chosen.map(({ seq }) => seq),
      )
      .where('status', '=', 'pending')
      .where('lease_until', '<=', now)
      .where('next_attempt_at', '<=', now)
      .returning('seq')
      .execute();
    return this.#load(claimed.map(({ seq }) => seq));
  }

  /** When the next delivery that is not yet due will be; undefined when none waits for its time. */
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

  /** Writes the attempt down and settles the delivery. False when the lease was lost to another dispatcher meanwhile. */
  finish(
    delivery: ClaimedDelivery,
    attempt: FinishedAttempt,
    after: AfterAttempt,
    health: EndpointHealth,
  ): Promise<boolean> {
    return this.#database.transaction(async (unit) => {
      if (!(await this.#settle(unit, delivery, after))) return false;
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
      await this.#noteHealth(unit, delivery.endpointId, health);
      return true;
    });
  }

  /** Gives a claimed delivery back without an attempt, for whoever comes next. */
  async release(delivery: ClaimedDelivery): Promise<void> {
    await this.#database.query
      .updateTable('webhook_deliveries')
      .set({ lease_owner: null, lease_until: 0 })
      .where('seq', '=', delivery.seq)
      .where('lease_owner', '=', this.#owner)
      .execute();
  }

  #due(limit: number, excluding: readonly string[]): Promise<{ seq: number; endpoint_id: string }[]> {
    const now = this.#clock();
    let query = this.#database.query
      .selectFrom('webhook_deliveries as due')
      .select(['due.seq', 'due.endpoint_id'])
      // Literals, so that the partial indexes are known to fit.
      .where('due.status', '=', sql.lit('pending'))
      .where('due.next_attempt_at', '<=', now)
      .where('due.lease_until', '<=', now)
      .where((where) =>
        where.not(
          where.exists(
            where
              .selectFrom('webhook_deliveries as earlier')
              .select('earlier.seq')
              .where('earlier.status', '=', sql.lit('pending'))
              .whereRef('earlier.endpoint_id', '=', 'due.endpoint_id')
              .whereRef('earlier.ordering_key', '=', 'due.ordering_key')
              .whereRef('earlier.seq', '<', 'due.seq'),
          ),
        ),
      )
      .orderBy('due.next_attempt_at')
      .orderBy('due.seq')
      .limit(limit);
    if (excluding.length > 0) query = query.where('due.endpoint_id', 'not in', excluding);
    return query.execute();
  }

  async #load(seqs: readonly number[]): Promise<ClaimedDelivery[]> {
    if (seqs.length === 0) return [];
    const rows = await this.#database.query
      .selectFrom('webhook_deliveries as delivery')
      .leftJoin('webhook_changes as change', 'change.id', 'delivery.change_id')
      .select([
        'delivery.seq',
        'delivery.id',
        'delivery.endpoint_id as endpointId',
        'delivery.attempts',
        'delivery.body',
        'change.envelope',
      ])
      .where('delivery.seq', 'in', seqs)
      .orderBy('delivery.seq')
      .execute();
    return rows;
  }

  async #settle(
    unit: UnitOfWork<WebhookTables>,
    delivery: ClaimedDelivery,
    after: AfterAttempt,
  ): Promise<boolean> {
    const settled = await unit.tx
      .updateTable('webhook_deliveries')
      .set({
        status: after.status,
        attempts: delivery.attempts + 1,
        lease_owner: null,
        lease_until: 0,
        ...(after.status === 'pending'
          ? { next_attempt_at: after.nextAttemptAt }
          : { finished_at: this.#clock() }),
        ...(after.status !== 'delivered' && after.body !== undefined && { body: after.body }),
      })
      .where('seq', '=', delivery.seq)
      .where('status', '=', 'pending')
      .where('lease_owner', '=', this.#owner)
      .executeTakeFirst();
    return settled.numUpdatedRows === 1n;
  }

  async #noteHealth(unit: UnitOfWork<WebhookTables>, id: string, health: EndpointHealth): Promise<void> {
    const now = this.#clock();
    if (health.kind === 'unknown') return;
    if (health.kind === 'gone') return disableEndpoint(unit, id, 'The receiver answered 410 Gone.', now);
    if (health.kind === 'well') {
      await unit.tx
        .updateTable('webhook_endpoints')
        .set({ failing_since: null })
        .where('id', '=', id)
        .where('failing_since', 'is not', null)
        .execute();
      return;
    }
    const endpoint = await unit.tx
      .updateTable('webhook_endpoints')
      .set((row) => ({ failing_since: row.fn.coalesce('failing_since', row.val(now)) }))
      .where('id', '=', id)
      .returning('failing_since')
      .executeTakeFirst();
    const failingMs = now - (endpoint?.failing_since ?? now);
    if (failingMs < health.disableAfterMs) return;
    const days = Math.floor(failingMs / 86_400_000);
    await disableEndpoint(unit, id, `Every attempt has failed for ${days} days.`, now);
  }
}
