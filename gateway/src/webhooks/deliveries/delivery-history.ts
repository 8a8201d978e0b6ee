import { randomUUID } from 'node:crypto';
import { encodeStructured } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { webhookId } from './change-fan-out.ts';
import { deliveriesChannel } from '../endpoints/endpoint-store.ts';
import type { AttemptRow, DeliveryTable, WebhookTables } from '../tables.ts';
import type { Selectable } from 'kysely';

export interface KnownDelivery {
  readonly delivery: Selectable<DeliveryTable>;
  readonly attempts: readonly AttemptRow[];
}

const TEST_SOURCE = '/tidegate/webhooks';

/** What was sent to an endpoint, for its partner. */
export class DeliveryHistory {
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** Newest first, before the `seq` given. */
  async list(options: {
    readonly endpointId: string;
    readonly limit: number;
    readonly status: DeliveryTable['status'] | undefined;
    readonly beforeSeq: number | undefined;
  }): Promise<KnownDelivery[]> {
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

  /** Queues a message that says it is a test; it is signed, sent and retried like any other. */
  addTest(endpointId: string): Promise<string> {
    const now = this.#clock();
    const eventId = `test/${randomUUID()}`;
    const event = encodeStructured({
      id: eventId,
      source: TEST_SOURCE,
      type: 'tidegate.webhooks.Test',
      time: new Date(now).toISOString(),
      subject: endpointId,
      dataversion: 1,
      sequence: 1,
      data: { message: 'This is a test. Nothing has changed.' },
    });
    const id = webhookId(endpointId, { source: TEST_SOURCE, id: eventId });
    return this.#database.transaction(async (unit) => {
      await unit.tx
        .insertInto('webhook_deliveries')
        .values({
          id,
          endpoint_id: endpointId,
          ordering_key: eventId,
          change_id: null,
          event_id: eventId,
          subject: endpointId,
          sequence: 1,
          status: 'pending',
          attempts: 0,
          next_attempt_at: now,
          lease_owner: null,
          lease_until: 0,
          body: JSON.stringify(event),
          created_at: now,
          finished_at: null,
        })
        .execute();
      this.#database.signals.notify(unit, deliveriesChannel);
      return id;
    });
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
