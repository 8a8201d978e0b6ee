import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { RequestRates } from '../admission/request-rates.ts';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import type { BffServer } from '../graphql/bff-server.ts';
import { TargetPolicy, type DnsLookup } from './attempts/target-policy.ts';
import { DeliveryHistory } from './deliveries/delivery-history.ts';
import { EndpointStore } from './endpoints/endpoint-store.ts';
import { SecretBox } from './endpoints/secret-box.ts';
import { createOpenApi } from './rest/openapi.ts';
import { createRouter } from './rest/router.ts';
import { createRoutes } from './rest/routes.ts';
import type { WebhookTables } from './tables.ts';

export interface WebhooksOptions {
  readonly database: Database<WebhookTables>;
  /** Keys that the secrets of endpoints are encrypted with: see `SecretBox`. The same as the dispatchers'. */
  readonly secretKeys: readonly string[];
  /** A registration reads the ends of its topic: the endpoint gets the changes after them. */
  readonly log: EventLog;
  readonly servers: readonly BffServer[];
  readonly verifier: TokenVerifier;
  /** Charges each request to its viewer. Default: none is charged. */
  readonly rates?: RequestRates;
  readonly logger: Logger;
  /** Allows private and loopback addresses, for development and tests: see `target-policy.ts`. Default false. */
  readonly allowPrivateTargets?: boolean;
  /** Epoch milliseconds. Default `Date.now`. */
  readonly clock?: () => number;
  /** Resolver of receivers' names, for tests. Default `lookup` of `node:dns`. */
  readonly dns?: DnsLookup;
}

/**
 * Creates the route of the REST interface with which partners manage their webhooks. It answers paths under
 * `/webhooks/`, undefined for any other, and never rejects. Its OpenAPI description is at `/webhooks/openapi.json`.
 *
 * `webhookMigrations` have to run before the first request.
 */
export function createWebhooksRoute(
  options: WebhooksOptions,
): (request: Request) => Promise<Response | undefined> {
  const { database, servers, logger, verifier, log, clock = Date.now } = options;
  const routes = createRoutes({
    servers: new Map(servers.map((server) => [server.bff.name, server])),
    store: new EndpointStore(database, new SecretBox(options.secretKeys), clock),
    history: new DeliveryHistory(database, clock),
    policy: new TargetPolicy({ allowPrivateTargets: options.allowPrivateTargets, dns: options.dns }),
    log,
  });
  const openApi = createOpenApi(routes);
  const route = createRouter({
    routes,
    verifier,
    rates: options.rates,
    logger,
    describeGraphqlError: (error) => servers[0]?.errors(error) ?? [],
  });
  return async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/webhooks/openapi.json' && request.method === 'GET') return Response.json(openApi);
    return pathname.startsWith('/webhooks/') ? route(request) : undefined;
  };
}
