import { randomUUID } from 'node:crypto';
import type { Database, UnitOfWork } from '@tidegate/database';
import { sql, type RawBuilder } from 'kysely';
import type { NextStep } from './retry-schedule.ts';
import { recordHealth, type EndpointHealth } from '../endpoints/endpoint-health.ts';
import type { WebhookTables } from '../tables.ts';
import { takeInTurns, type DueDelivery, type Room } from './claim-turns.ts';
import { isOldestOfKey, promoteNext } from './delivery-order.ts';

/** A delivery that this dispatcher alone attempts until its lease ends. */
export interface ClaimedDelivery {
  readonly seq: number;
  /** The `webhook-id`. */
  readonly id: string;
  readonly endpointId: string;
  readonly orderingKey: string;
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
  readonly room: Room;
}

/** Endpoints that one claim looks at. The next claim begins with others. */
const ENDPOINTS_PER_CLAIM = 200;

/**
 * Queue of deliveries that any number of dispatchers share. Its order is described in `delivery-order.ts`. A claim is
 * a lease: deliveries of a dispatcher that died are claimed by another one when the lease ends.
 */
export class DeliveryQueue {
  readonly #owner = randomUUID();
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;
  /** Number of claims. */
  #turn = 0;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Leases due deliveries, of each partner in turn: see `claim-turns.ts`. Two dispatchers never get the same one. */
  async claim({ limit, leaseMs, room }: ClaimOptions): Promise<ClaimedDelivery[]> {
    const now = this.#clock();
    this.#turn += 1;
    const turn = this.#turn;
    const due = await this.#due(limit, room, now);
    const chosen = takeInTurns(due, { limit, room, turn });
    if (chosen.length === 0) return [];
    // Another dispatcher may have read the same rows. The repeated conditions let only one of the two updates match.
    const claimed = await this.#database.query
      .updateTable('webhook_deliveries')
      .set({ lease_owner: this.#owner, lease_until: now + leaseMs })
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
      .where('is_head', '=', sql.lit(1))
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
      if (next.status !== 'pending') await promoteNext(unit.tx, delivery);
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

  async #due(limit: number, room: Room, now: number): Promise<readonly DueDelivery[]> {
    const ids = await this.#endpointsWithDue(now);
    const start = ids.length === 0 ? 0 : this.#turn % ids.length;
    const wanted = [...ids.slice(start), ...ids.slice(0, start)]
      .map((id) => ({ id, count: Math.min(limit, room.ofEndpoint(id), room.ofPartner(room.partnerOf(id))) }))
      .filter(({ count }) => count > 0)
      .slice(0, ENDPOINTS_PER_CLAIM);
    if (wanted.length === 0) return [];
    if (this.#database.dialect === 'postgres') return this.#dueOfAll(wanted, now);
    const due = await Promise.all(
      wanted.map(({ id, count }) =>
        this.#dueOf(sql`${id}`, now)
          .limit(count)
          .execute(),
      ),
    );
    return due.flat();
  }

  /** Ids of the endpoints that have a due delivery. Reads one or two index entries for each endpoint, not its rows. */
  async #endpointsWithDue(now: number): Promise<string[]> {
    const heads = sql`from webhook_deliveries where status = 'pending' and is_head = 1`;
    const { rows } = await sql<{ id: string }>`with recursive endpoints (id) as (
        select min(endpoint_id) ${heads}
        union all
        select (select min(endpoint_id) ${heads} and endpoint_id > endpoints.id) from endpoints
        where endpoints.id is not null
      )
      select id from endpoints where id is not null
      and (select min(next_attempt_at) ${heads} and endpoint_id = endpoints.id) <= ${now}`.execute(
      this.#database.query,
    );
    return rows.map(({ id }) => id);
  }

  async #dueOfAll(
    endpoints: readonly { readonly id: string; readonly count: number }[],
    now: number,
  ): Promise<DueDelivery[]> {
    const ids = endpoints.map(({ id }) => id);
    const counts = endpoints.map(({ count }) => count);
    const dueOfEach = this.#dueOf(sql`wanted.id`, now);
    const { rows } =
      await sql<DueDelivery>`select found.* from unnest(${ids}::text[], ${counts}::int[]) as wanted (id, count)
      cross join lateral (${dueOfEach} limit wanted.count) as found`.execute(this.#database.query);
    return rows;
  }

  #dueOf(endpointId: RawBuilder<string>, now: number) {
    return (
      this.#database.query
        .selectFrom('webhook_deliveries as due')
        .select(['due.seq', 'due.endpoint_id as endpointId'])
        // Literals, so that the planner can use the partial index `webhook_deliveries_heads`.
        .where('due.status', '=', sql.lit('pending'))
        .where('due.is_head', '=', sql.lit(1))
        .where('due.endpoint_id', '=', endpointId)
        .where('due.next_attempt_at', '<=', now)
        .where('due.lease_until', '<=', now)
        .where(isOldestOfKey)
        .orderBy('due.next_attempt_at')
        .orderBy('due.seq')
    );
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
        'delivery.ordering_key as orderingKey',
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
