import type { Database, Migrations } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { BffServer } from '../graphql/bff-server.ts';
import { DeliveryHistory } from './deliveries/delivery-history.ts';
import { EndpointStore } from './endpoints/endpoint-store.ts';
import { createOpenApi } from './rest/openapi.ts';
import { createRouter } from './rest/router.ts';
import { createRoutes } from './rest/routes.ts';
import { webhookMigrations, type WebhookTables } from './tables.ts';
import { createTargetPolicy, type DnsLookup } from './attempts/target-policy.ts';

export interface WebhooksOptions {
  readonly database: Database<WebhookTables>;
  /** Tells where in the log a registration begins. */
  readonly log: EventLog;
  readonly servers: readonly BffServer[];
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
  /** For development and tests only: see `TargetPolicy`. Default false. */
  readonly allowPrivateTargets?: boolean;
  readonly clock?: () => number;
  /** For tests. */
  readonly dns?: DnsLookup;
}

export interface Webhooks {
  /** A route of the gateway: undefined for what is not under `/webhooks`. Never rejects. */
  readonly handle: (request: Request) => Promise<Response | undefined>;
  /** To be run before `handle` is called. */
  readonly migrations: Migrations;
}

/** Where partners manage their webhooks: REST under `/webhooks`, described at `/webhooks/openapi.json`. */
export function createWebhooks(options: WebhooksOptions): Webhooks {
  const { database, servers, logger, verifier, log, clock = Date.now } = options;
  const routes = createRoutes({
    servers: new Map(servers.map((server) => [server.bff.name, server])),
    store: new EndpointStore(database, clock),
    history: new DeliveryHistory(database, clock),
    policy: createTargetPolicy({
      allowPrivateTargets: options.allowPrivateTargets ?? false,
      ...(options.dns && { dns: options.dns }),
    }),
    log,
  });
  const openApi = createOpenApi(routes);
  const route = createRouter({
    routes,
    verifier,
    logger,
    describeGraphqlError: (error) => servers[0]?.errors(error) ?? [],
  });
  return {
    handle: async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/webhooks/openapi.json' && request.method === 'GET') return Response.json(openApi);
      return pathname.startsWith('/webhooks/') ? route(request) : undefined;
    },
    migrations: webhookMigrations,
  };
}
