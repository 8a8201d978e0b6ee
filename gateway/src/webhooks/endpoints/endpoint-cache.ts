import type { LiveStream } from '@tidegate/bff';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import type { SecretBox } from './secret-box.ts';
import { createEndpointSigners, type Signer } from './signing.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveRequest } from '../../live/live-request.ts';
import type { EndpointRow, StartPosition, WebhookTables } from '../tables.ts';
import { prepareSubscription, subscriptionOf } from './endpoint-subscription.ts';
import { viewerOfEndpoint } from './endpoint-viewer.ts';

/** An enabled endpoint, ready to match changes, render bodies and sign them. */
export interface PreparedEndpoint {
  readonly id: string;
  readonly partner: string;
  readonly url: string;
  readonly revision: number;
  readonly request: LiveRequest;
  /** Equal for equal document, variables and scope: bodies of one change are then equal, too. */
  readonly group: string;
  readonly startsAt: StartPosition;
  /** Returns the signers of the secrets that are valid now. */
  readonly signers: (nowMs: number) => readonly Signer[];
}

/** All enabled endpoints at one revision. */
export interface EndpointIndex {
  readonly revision: number;
  readonly byId: ReadonlyMap<string, PreparedEndpoint>;
  /** Returns the endpoints whose subscription listens to one of the index terms. */
  find(stream: LiveStream, terms: readonly string[]): readonly PreparedEndpoint[];
}

/**
 * Cache of the enabled endpoints that is never stale: `current` first reads the database's revision, one row, and
 * reloads the endpoints when it is another one. A lower revision is that of a database restored from a backup. So a change that is appended after a registration was answered is matched by every dispatcher.
 */
export class EndpointCache {
  readonly #servers: ReadonlyMap<string, BffServer>;
  readonly #box: SecretBox;
  readonly #logger: Logger;
  #index: EndpointIndex = createIndex(-1, new Map());

  constructor(servers: readonly BffServer[], box: SecretBox, logger: Logger) {
    this.#box = box;
    this.#servers = new Map(servers.map((server) => [server.bff.name, server]));
    this.#logger = logger;
  }

  /** Returns the index as `db` sees it: a transaction, or the database outside of one. */
  async current(db: Kysely<WebhookTables>): Promise<EndpointIndex> {
    const { revision } = await db.selectFrom('webhook_revision').select('revision').executeTakeFirstOrThrow();
    const before = this.#index;
    if (revision === before.revision) return before;
    // After a restore the same revision of an endpoint may stand for other content.
    const known = revision > before.revision ? before.byId : new Map<string, PreparedEndpoint>();
    const index = createIndex(revision, await this.#load(db, known));
    // Another call may have stored a newer index meanwhile.
    if (this.#index === before || index.revision > this.#index.revision) this.#index = index;
    return index;
  }

  /** Reads and prepares the endpoints that have changed, and keeps the others. */
  async #load(
    db: Kysely<WebhookTables>,
    cached: ReadonlyMap<string, PreparedEndpoint>,
  ): Promise<Map<string, PreparedEndpoint>> {
    const enabled = await db
      .selectFrom('webhook_endpoints')
      .select(['id', 'revision'])
      .where('status', '=', 'enabled')
      .execute();
    const loaded = new Map<string, PreparedEndpoint>();
    for (const { id, revision } of enabled) {
      const before = cached.get(id);
      if (before?.revision === revision) {
        loaded.set(id, before);
        continue;
      }
      const row = await db
        .selectFrom('webhook_endpoints')
        .selectAll()
        .where('id', '=', id)
        .executeTakeFirst();
      const endpoint = row && this.#prepare(row);
      if (endpoint) loaded.set(id, endpoint);
    }
    return loaded;
  }

  #prepare(row: EndpointRow): PreparedEndpoint | undefined {
    try {
      const request = prepareSubscription(this.#servers, subscriptionOf(row, viewerOfEndpoint(row)));
      return {
        id: row.id,
        partner: row.partner,
        url: row.url,
        revision: row.revision,
        request,
        group: `${request.fingerprint} ${request.scope.id}`,
        startsAt: JSON.parse(row.starts_at) as StartPosition,
        signers: createEndpointSigners(row, this.#box),
      };
    } catch (error) {
      // Registration validated the document, so the schema has changed since. The partner sees dead deliveries.
      this.#logger.error({ err: error, endpoint: row.id }, 'an endpoint does not fit its BFF any more');
      return undefined;
    }
  }
}

function createIndex(revision: number, byId: ReadonlyMap<string, PreparedEndpoint>): EndpointIndex {
  const byTerm = new Map<LiveStream, Map<string, PreparedEndpoint[]>>();
  for (const endpoint of byId.values()) {
    const { field, args, scope } = endpoint.request;
    const terms = byTerm.get(field.stream) ?? new Map<string, PreparedEndpoint[]>();
    byTerm.set(field.stream, terms);
    const term = field.term(args, scope);
    const listening = terms.get(term);
    if (listening) listening.push(endpoint);
    else terms.set(term, [endpoint]);
  }
  return {
    revision,
    byId,
    find: (stream, terms) => {
      const listening = byTerm.get(stream);
      return listening ? terms.flatMap((term) => listening.get(term) ?? []) : [];
    },
  };
}
