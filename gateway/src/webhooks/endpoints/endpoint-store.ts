import { randomBytes } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { Kysely } from 'kysely';
import { createWebhookSecret, SECRET_OVERLAP_MS } from './signing.ts';
import type { EndpointRow, StartPosition, WebhookTables } from '../tables.ts';
import type { EndpointSubscription } from './endpoint-subscription.ts';
import { nextRevision } from './endpoint-revision.ts';

/** A validated registration. */
export interface NewEndpoint extends EndpointSubscription {
  readonly url: string;
  readonly startsAt: StartPosition;
}

const MAX_ENDPOINTS_PER_PARTNER = 100;

/** Endpoints as their partners manage them. An endpoint of another partner is NOT_FOUND. */
export class EndpointStore {
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS when the partner has 100 endpoints. */
  add(endpoint: NewEndpoint): Promise<EndpointRow> {
    return this.#database.transaction(async (unit) => {
      // The lock on the revision also makes the count safe against a concurrent registration.
      const revision = await nextRevision(unit);
      await requireRoom(unit.tx, endpoint.partner);
      const row: EndpointRow = {
        id: `whe_${randomBytes(15).toString('base64url')}`,
        partner: endpoint.partner,
        url: endpoint.url,
        bff: endpoint.bff,
        document: endpoint.document,
        operation_name: endpoint.operationName ?? null,
        variables: JSON.stringify(endpoint.variables),
        status: 'enabled',
        disabled_reason: null,
        secret: createWebhookSecret(),
        previous_secret: null,
        previous_secret_until: null,
        starts_at: JSON.stringify(endpoint.startsAt),
        failing_since: null,
        created_at: this.#clock(),
        revision,
      };
      await unit.tx.insertInto('webhook_endpoints').values(row).execute();
      return row;
    });
  }

  /** Lists a partner's endpoints, oldest first. */
  list(partner: string): Promise<EndpointRow[]> {
    return this.#database.query
      .selectFrom('webhook_endpoints')
      .selectAll()
      .where('partner', '=', partner)
      .orderBy('created_at')
      .orderBy('id')
      .execute();
  }

  /** @throws TidegateError NOT_FOUND */
  get(partner: string, id: string): Promise<EndpointRow> {
    return find(this.#database.query, partner, id);
  }

  /** Deletes an endpoint with its deliveries and their attempts. @throws TidegateError NOT_FOUND */
  remove(partner: string, id: string): Promise<void> {
    return this.#database.transaction(async (unit) => {
      await nextRevision(unit);
      await find(unit.tx, partner, id);
      await unit.tx.deleteFrom('webhook_endpoints').where('id', '=', id).execute();
      await unit.tx
        .deleteFrom('webhook_attempts')
        .where('delivery_seq', 'in', (from) =>
          from.selectFrom('webhook_deliveries').select('seq').where('endpoint_id', '=', id),
        )
        .execute();
      await unit.tx.deleteFrom('webhook_deliveries').where('endpoint_id', '=', id).execute();
    });
  }

  /** Creates a new secret. The old one signs as well for one day. @throws TidegateError NOT_FOUND */
  rotateSecret(partner: string, id: string): Promise<EndpointRow> {
    return this.#change(partner, id, (row) => ({
      secret: createWebhookSecret(),
      previous_secret: row.secret,
      previous_secret_until: this.#clock() + SECRET_OVERLAP_MS,
    }));
  }

  /** Enables an endpoint. Changes it missed while disabled are not sent. @throws TidegateError NOT_FOUND */
  enable(partner: string, id: string): Promise<EndpointRow> {
    return this.#change(partner, id, () => ({
      status: 'enabled',
      disabled_reason: null,
      failing_since: null,
    }));
  }

  #change(
    partner: string,
    id: string,
    change: (row: EndpointRow) => Partial<EndpointRow>,
  ): Promise<EndpointRow> {
    return this.#database.transaction(async (unit) => {
      const revision = await nextRevision(unit);
      const row = await find(unit.tx, partner, id);
      const changed = { ...change(row), revision };
      await unit.tx.updateTable('webhook_endpoints').set(changed).where('id', '=', id).execute();
      return { ...row, ...changed };
    });
  }
}

async function requireRoom(tx: Kysely<WebhookTables>, partner: string): Promise<void> {
  const { count } = await tx
    .selectFrom('webhook_endpoints')
    .select((row) => row.fn.countAll<number>().as('count'))
    .where('partner', '=', partner)
    .executeTakeFirstOrThrow();
  if (count < MAX_ENDPOINTS_PER_PARTNER) return;
  throw new TidegateError(
    'TOO_MANY_SUBSCRIPTIONS',
    `You have ${MAX_ENDPOINTS_PER_PARTNER} endpoints, which is as many as allowed; delete one first.`,
    { details: { limit: MAX_ENDPOINTS_PER_PARTNER } },
  );
}

async function find(db: Kysely<WebhookTables>, partner: string, id: string): Promise<EndpointRow> {
  const row = await db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .where('id', '=', id)
    .where('partner', '=', partner)
    .executeTakeFirst();
  if (!row) throw new TidegateError('NOT_FOUND', `You have no endpoint ${id}.`);
  return row;
}
