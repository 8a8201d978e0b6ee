import { randomBytes } from 'node:crypto';
import { TidegateError } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { sql, type Kysely } from 'kysely';
import type { VerifiedViewer } from '../../auth/token-verifier.ts';
import type { EndpointRow, StartPosition, WebhookTables } from '../tables.ts';
import type { EndpointSubscription } from './endpoint-subscription.ts';
import { disableEndpoint } from './endpoint-health.ts';
import type { EndpointOwner } from './endpoint-owner.ts';
import { nextRevision } from './endpoint-revision.ts';
import { replacedSecrets } from './older-secrets.ts';
import type { SecretBox } from './secret-box.ts';
import { createWebhookSecret } from './signing.ts';
import { viewerColumns } from './endpoint-viewer.ts';

/** A validated registration. */
export interface NewEndpoint extends EndpointSubscription {
  readonly url: string;
  readonly startsAt: StartPosition;
}

/** An endpoint with its new secret, which its partner is shown once. */
export interface WithSecret {
  readonly row: EndpointRow;
  readonly secret: string;
}

const MAX_ENDPOINTS_PER_PARTNER = 100;

/** A page of endpoints, oldest first. */
export interface EndpointPage {
  /** Only endpoints of this partner. Default: every partner that the caller may manage. */
  readonly partner?: string | undefined;
  readonly limit: number;
  /** Last endpoint of the previous page. */
  readonly after?: { readonly createdAt: number; readonly id: string } | undefined;
}

/** Endpoints as their owners manage them. An endpoint of another partner is NOT_FOUND. */
export class EndpointStore {
  readonly #database: Database<WebhookTables>;
  readonly #box: SecretBox;
  readonly #clock: () => number;

  constructor(database: Database<WebhookTables>, box: SecretBox, clock: () => number) {
    this.#database = database;
    this.#box = box;
    this.#clock = clock;
  }

  /** @throws TidegateError TOO_MANY_SUBSCRIPTIONS when the partner has 100 endpoints. */
  add(endpoint: NewEndpoint): Promise<WithSecret> {
    return this.#database.transaction(async (unit) => {
      // The lock on the revision also makes the count safe against a concurrent registration.
      const revision = await nextRevision(unit);
      await requireRoom(unit.tx, endpoint.viewer.id);
      const id = `whe_${randomBytes(15).toString('base64url')}`;
      const secret = createWebhookSecret();
      const row: EndpointRow = {
        id,
        ...viewerColumns(endpoint.viewer),
        url: endpoint.url,
        bff: endpoint.bff,
        document: endpoint.document,
        operation_name: endpoint.operationName ?? null,
        variables: JSON.stringify(endpoint.variables),
        status: 'enabled',
        disabled_reason: null,
        paused_by: null,
        secret: this.#box.seal(secret, id),
        older_secrets: '[]',
        starts_at: JSON.stringify(endpoint.startsAt),
        failing_since: null,
        created_at: this.#clock(),
        revision,
      };
      await unit.tx.insertInto('webhook_endpoints').values(row).execute();
      return { row, secret };
    });
  }

  /** Lists the endpoints of an owner, oldest first. */
  list(owner: EndpointOwner, { partner, limit, after }: EndpointPage): Promise<EndpointRow[]> {
    return ownedBy(this.#database.query, owner)
      .$if(partner !== undefined, (endpoints) => endpoints.where('partner', '=', partner!))
      .$if(after !== undefined, (endpoints) =>
        endpoints.where(
          sql<boolean>`(${sql.ref('created_at')}, ${sql.ref('id')}) > (${after!.createdAt}, ${after!.id})`,
        ),
      )
      .orderBy('created_at')
      .orderBy('id')
      .limit(limit)
      .execute();
  }

  /** @throws TidegateError NOT_FOUND */
  get(owner: EndpointOwner, id: string): Promise<EndpointRow> {
    return find(this.#database.query, owner, id);
  }

  /** Deletes an endpoint with its deliveries and their attempts. @throws TidegateError NOT_FOUND */
  remove(owner: EndpointOwner, id: string): Promise<void> {
    return this.#database.transaction(async (unit) => {
      await nextRevision(unit);
      await find(unit.tx, owner, id);
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

  /** Creates a new secret. The old one signs as well for one day. @throws TidegateError NOT_FOUND, RATE_LIMITED */
  async rotateSecret(owner: EndpointOwner, id: string): Promise<WithSecret> {
    const secret = createWebhookSecret();
    const changed = await this.#change(owner, id, (row) => ({
      secret: this.#box.seal(secret, id),
      older_secrets: replacedSecrets(row, this.#clock()),
    }));
    return { row: changed, secret };
  }

  /**
   * Enables an endpoint. Changes it missed while disabled are not sent. By its partner, it gets the rights of the token
   * in `renewed`; by an operator, it keeps its own.
   *
   * @throws TidegateError NOT_FOUND, FORBIDDEN when an operator has paused it and a partner enables it.
   */
  enable(owner: EndpointOwner, id: string, renewed?: VerifiedViewer): Promise<EndpointRow> {
    return this.#change(owner, id, (row) => {
      if (owner !== 'everybody' && row.paused_by === 'operator')
        throw new TidegateError('FORBIDDEN', 'An operator has paused this endpoint.');
      return {
        ...(renewed && viewerColumns(renewed)),
        status: 'enabled',
        disabled_reason: null,
        failing_since: null,
        paused_by: null,
      };
    });
  }

  /** Disables an endpoint; its pending deliveries are dead. @throws TidegateError NOT_FOUND */
  pause(owner: EndpointOwner, id: string): Promise<EndpointRow> {
    return this.#database.transaction(async (unit) => {
      await find(unit.tx, owner, id);
      const byOperator = owner === 'everybody';
      const reason = byOperator ? 'An operator paused it.' : 'Its partner paused it.';
      await disableEndpoint(unit, id, reason, this.#clock());
      if (byOperator)
        await unit.tx
          .updateTable('webhook_endpoints')
          .set({ paused_by: 'operator', disabled_reason: reason })
          .where('id', '=', id)
          .execute();
      return find(unit.tx, owner, id);
    });
  }

  #change(
    owner: EndpointOwner,
    id: string,
    change: (row: EndpointRow) => Partial<EndpointRow>,
  ): Promise<EndpointRow> {
    return this.#database.transaction(async (unit) => {
      const revision = await nextRevision(unit);
      const row = await find(unit.tx, owner, id);
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

async function find(db: Kysely<WebhookTables>, owner: EndpointOwner, id: string): Promise<EndpointRow> {
  const row = await ownedBy(db, owner).where('id', '=', id).executeTakeFirst();
  if (!row) throw new TidegateError('NOT_FOUND', `You have no endpoint ${id}.`);
  return row;
}

function ownedBy(db: Kysely<WebhookTables>, owner: EndpointOwner) {
  return db
    .selectFrom('webhook_endpoints')
    .selectAll()
    .$if(owner !== 'everybody', (endpoints) =>
      endpoints.where('partner', '=', (owner as Exclude<EndpointOwner, string>).partner),
    );
}
