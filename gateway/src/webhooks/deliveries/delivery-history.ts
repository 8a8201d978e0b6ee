import { randomUUID } from 'node:crypto';
import { encodeStructured, TidegateError } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { Kysely, Selectable } from 'kysely';
import type { AttemptRow, DeliveryStatus, DeliveryTable, WebhookTables } from '../tables.ts';
import { promoteAll } from './delivery-order.ts';
import { deliveriesChannel, enqueueDeliveries, webhookId } from './pending-delivery.ts';

/** A delivery with its attempts, the first attempt first. */
export interface DeliveryWithAttempts {
  readonly delivery: Selectable<DeliveryTable>;
  readonly attempts: readonly AttemptRow[];
}

const TEST_SOURCE = '/tidegate/webhooks';
/** Maximum test messages of one endpoint in `TEST_PERIOD_MS`. */
const MAX_TESTS = 10;
const TEST_PERIOD_MS = 60_000;

/** Deliveries of an endpoint as its partner sees them. */
export class DeliveryHistory {
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Lists deliveries, newest first. */
  async list(options: {
    readonly endpointId: string;
    readonly limit: number;
    /** Default: any status. */
    readonly status: DeliveryStatus | undefined;
    /** Exclusive upper bound of `seq`. Default: from the newest. */
    readonly beforeSeq: number | undefined;
  }): Promise<DeliveryWithAttempts[]> {
    const { endpointId, limit, status, beforeSeq } = options;
    const deliveries = await this.#database.query
      .selectFrom('webhook_deliveries')
      .selectAll()
      .where('endpoint_id', '=', endpointId)
      .$if(status !== undefined, (query) => query.where('status', '=', status!))
      .$if(beforeSeq !== undefined, (query) => query.where('seq', '<', beforeSeq!))
      .orderBy('seq', 'desc')
      .limit(limit)
      .execute();
    const attempts = await this.#attempts(deliveries.map(({ seq }) => seq));
    return deliveries.map((delivery) => ({ delivery, attempts: attempts.get(delivery.seq) ?? [] }));
  }

  /**
   * Enqueues a test message. It is signed, sent and retried like the delivery of a change.
   *
   * @returns the delivery's `webhook-id`.
   * @throws TidegateError RATE_LIMITED when ten of the endpoint were enqueued within the last minute.
   */
  enqueueTest(endpointId: string): Promise<string> {
    const nowMs = this.#clock();
    const id = `test/${randomUUID()}`;
    const event = {
      id,
      source: TEST_SOURCE,
      type: 'tidegate.webhooks.Test',
      time: new Date(nowMs).toISOString(),
      subject: endpointId,
      dataversion: 1,
      sequence: 1,
      data: { message: 'This is a test. Nothing has changed.' },
    };
    const body = JSON.stringify(encodeStructured(event));
    const delivery = { endpointId, orderingKey: id, event, changeId: null, body };
    return this.#database.transaction(async (unit) => {
      await requireTestAllowed(unit.tx, endpointId, nowMs);
      await enqueueDeliveries(this.#database, unit, [delivery], nowMs);
      return webhookId(endpointId, event);
    });
  }

  /**
   * Makes dead deliveries pending again, due at once and with the whole schedule in front of them. They keep their
   * `webhook-id`.
   *
   * @param which one delivery by its `webhook-id`, or all that died at or after a time in epoch milliseconds.
   * @returns the number of deliveries.
   * @throws TidegateError NOT_FOUND when the endpoint has no such dead delivery.
   */
  async resend(
    endpointId: string,
    which: { readonly deliveryId: string } | { readonly sinceMs: number },
  ): Promise<number> {
    const resent = await this.#database.transaction(async (unit) => {
      const dead = unit.tx
        .updateTable('webhook_deliveries')
        .set((row) => ({
          status: 'pending',
          attempts_before: row.ref('attempts'),
          next_attempt_at: this.#clock(),
          is_head: 0,
          finished_at: null,
        }))
        .where('endpoint_id', '=', endpointId)
        .where('status', '=', 'dead');
      const chosen =
        'deliveryId' in which
          ? dead.where('id', '=', which.deliveryId)
          : dead.where('finished_at', '>=', which.sinceMs);
      const { numUpdatedRows } = await chosen.executeTakeFirst();
      if (numUpdatedRows > 0n) await promoteAll(unit.tx, endpointId);
      if (numUpdatedRows > 0n) this.#database.signals.notify(unit, deliveriesChannel);
      return Number(numUpdatedRows);
    });
    if (resent === 0 && 'deliveryId' in which)
      throw new TidegateError('NOT_FOUND', 'This endpoint has no dead delivery of this id.');
    return resent;
  }

  async #attempts(seqs: readonly number[]): Promise<Map<number, AttemptRow[]>> {
    const bySeq = new Map<number, AttemptRow[]>(seqs.map((seq) => [seq, []]));
    if (seqs.length === 0) return bySeq;
    const rows = await this.#database.query
      .selectFrom('webhook_attempts')
      .selectAll()
      .where('delivery_seq', 'in', seqs)
      .orderBy('number')
      .execute();
    for (const row of rows) bySeq.get(row.delivery_seq)?.push(row);
    return bySeq;
  }
}

async function requireTestAllowed(
  tx: Kysely<WebhookTables>,
  endpointId: string,
  nowMs: number,
): Promise<void> {
  const recent = await tx
    .selectFrom('webhook_deliveries')
    .select('created_at')
    // Only test messages have no change.
    .where('change_id', 'is', null)
    .where('endpoint_id', '=', endpointId)
    .where('created_at', '>', nowMs - TEST_PERIOD_MS)
    .orderBy('created_at', 'desc')
    .limit(MAX_TESTS)
    .execute();
  if (recent.length < MAX_TESTS) return;
  throw new TidegateError('RATE_LIMITED', `An endpoint gets at most ${MAX_TESTS} test messages a minute.`, {
    details: { max: MAX_TESTS, retryAfterMs: recent.at(-1)!.created_at + TEST_PERIOD_MS - nowMs },
  });
}
