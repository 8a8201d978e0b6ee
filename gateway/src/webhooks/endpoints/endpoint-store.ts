import { randomBytes } from 'node:crypto';
import type { Database, UnitOfWork } from '@tidegate/database';
import { TidegateError } from '@tidegate/core';
import type { Kysely } from 'kysely';
import { createWebhookSecret } from '../attempts/signing.ts';
import type { EndpointRow, WebhookTables } from '../tables.ts';

/** What a partner says about an endpoint, checked. */
export interface NewEndpoint {
  readonly partner: string;
  readonly url: string;
  readonly bff: string;
  readonly document: string;
  readonly operationName: string | undefined;
  readonly variables: Record<string, unknown>;
  readonly startsAt: { readonly epoch: string; readonly offsets: readonly number[] };
}

export const deliveriesChannel = 'webhook-deliveries';

/** How long the secret before a rotation signs along: time for a partner to roll out the new one. */
const PREVIOUS_SECRET_MS = 24 * 60 * 60 * 1000;
const MAX_ENDPOINTS_PER_PARTNER = 100;

/** Endpoints as their partners manage them. What is somebody else's does not exist. */
export class EndpointStore {
  readonly #database: Database<WebhookTables>;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, clock: () => number) {
    this.#database = database;
    this.#clock = clock;
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS when the partner has as many as allowed. */
  add(endpoint: NewEndpoint): Promise<EndpointRow> {
    return this.#database.transaction(async (unit) => {
      // The revision's row lock also makes counting safe against a second registration at the same time.
      const revision = await nextRevision(unit);
      await refuseTooMany(unit.tx, endpoint.partner);
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

  /** Ends its deliveries and forgets them. @throws TidegateError NOT_FOUND */
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

  /** The old secret signs along for a day. @throws TidegateError NOT_FOUND */
  rotateSecret(partner: string, id: string): Promise<EndpointRow> {
    return this.#change(partner, id, (row) => ({
      secret: createWebhookSecret(),
      previous_secret: row.secret,
      previous_secret_until: this.#clock() + PREVIOUS_SECRET_MS,
    }));
  }

  /** What it missed while it was disabled is not sent. @throws TidegateError NOT_FOUND */
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

/** Every change of an endpoint goes through here first: the row's lock puts them in one order. */
export async function nextRevision(unit: UnitOfWork<WebhookTables>): Promise<number> {
  const { revision } = await unit.tx
    .updateTable('webhook_revision')
    .set((row) => ({ revision: row('revision', '+', 1) }))
    .where('id', '=', 1)
    .returning('revision')
    .executeTakeFirstOrThrow();
  return revision;
}

/** Nothing more is sent to it, and what waits is dead: visible, and not in anybody's way. */
export async function disableEndpoint(
  unit: UnitOfWork<WebhookTables>,
  id: string,
  reason: string,
  now: number,
): Promise<void> {
  const revision = await nextRevision(unit);
  await unit.tx
    .updateTable('webhook_endpoints')
    .set({ status: 'disabled', disabled_reason: reason, revision })
    .where('id', '=', id)
    .where('status', '=', 'enabled')
    .execute();
  await unit.tx
    .updateTable('webhook_deliveries')
    .set({ status: 'dead', finished_at: now })
    .where('endpoint_id', '=', id)
    .where('status', '=', 'pending')
    .execute();
}

async function refuseTooMany(tx: Kysely<WebhookTables>, partner: string): Promise<void> {
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
