import type { LiveStream } from '@tidegate/bff';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { Kysely } from 'kysely';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { LiveRequest } from '../../live/live-request.ts';
import { createSigner, type Signer } from '../attempts/signing.ts';
import type { EndpointRow, WebhookTables } from '../tables.ts';
import { prepareSubscription } from './endpoint-subscription.ts';

/** An enabled endpoint, ready to match, render and sign. */
export interface RegisteredEndpoint {
  readonly id: string;
  readonly url: string;
  readonly revision: number;
  readonly request: LiveRequest;
  /** Endpoints with equal groups get equal bodies. */
  readonly group: string;
  readonly startsAt: { readonly epoch: string; readonly offsets: readonly number[] };
  signers(now: number): readonly Signer[];
}

/** All enabled endpoints, by id and by what they listen for. */
export interface EndpointIndex {
  readonly revision: number;
  readonly byId: ReadonlyMap<string, RegisteredEndpoint>;
  find(stream: LiveStream, terms: readonly string[]): readonly RegisteredEndpoint[];
}

/**
 * Holds the endpoints in memory and is never behind: a look at the one revision row tells whether the database has
 * others by now. So a change appended after a registration was answered is matched with it, by every dispatcher.
 */
export class RegisteredEndpoints {
  readonly #servers: ReadonlyMap<string, BffServer>;
  readonly #logger: Logger;
  #index: EndpointIndex = createIndex(-1, new Map());

  constructor(servers: readonly BffServer[], logger: Logger) {
    this.#servers = new Map(servers.map((server) => [server.bff.name, server]));
    this.#logger = logger;
  }

  /** `db`: the transaction whose view counts, or the database. */
  async current(db: Kysely<WebhookTables>): Promise<EndpointIndex> {
    const { revision } = await db.selectFrom('webhook_revision').select('revision').executeTakeFirstOrThrow();
    if (revision <= this.#index.revision) return this.#index;
    const index = createIndex(revision, await this.#load(db));
    if (index.revision > this.#index.revision) this.#index = index;
    return index;
  }

  /** Only what has changed is read and prepared again. */
  async #load(db: Kysely<WebhookTables>): Promise<Map<string, RegisteredEndpoint>> {
    const known = this.#index.byId;
    const enabled = await db
      .selectFrom('webhook_endpoints')
      .select(['id', 'revision'])
      .where('status', '=', 'enabled')
      .execute();
    const loaded = new Map<string, RegisteredEndpoint>();
    for (const { id, revision } of enabled) {
      const before = known.get(id);
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

  #prepare(row: EndpointRow): RegisteredEndpoint | undefined {
    try {
      const variables = JSON.parse(row.variables) as Record<string, unknown>;
      const request = prepareSubscription(this.#servers, {
        partner: row.partner,
        bff: row.bff,
        document: row.document,
        operationName: row.operation_name ?? undefined,
        variables,
      });
      return {
        id: row.id,
        url: row.url,
        revision: row.revision,
        request,
        group: `${request.fingerprint} ${request.scope.id}`,
        startsAt: JSON.parse(row.starts_at) as RegisteredEndpoint['startsAt'],
        signers: signersOf(row),
      };
    } catch (error) {
      // It was valid when it was registered: the schema has changed under it. Its partner sees dead deliveries.
      this.#logger.error({ err: error, endpoint: row.id }, 'an endpoint does not fit its BFF any more');
      return undefined;
    }
  }
}

function signersOf(row: EndpointRow): RegisteredEndpoint['signers'] {
  const current = createSigner(row.secret);
  const until = row.previous_secret_until ?? 0;
  const both = row.previous_secret ? [current, createSigner(row.previous_secret)] : [current];
  return (now) => (now < until ? both : both.slice(0, 1));
}

function createIndex(revision: number, byId: ReadonlyMap<string, RegisteredEndpoint>): EndpointIndex {
  const byTerm = new Map<LiveStream, Map<string, RegisteredEndpoint[]>>();
  for (const endpoint of byId.values()) {
    const { field, args, scope } = endpoint.request;
    const terms = byTerm.get(field.stream) ?? new Map<string, RegisteredEndpoint[]>();
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
