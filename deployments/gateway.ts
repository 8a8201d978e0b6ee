/** One gateway: the BFFs named by `BFFS`, on Kafka, Redis and the services over HTTP. Run as many as needed. */
import { roles } from '@order-platform/bff-shared';
import { fileURLToPath } from 'node:url';
import { mobileBff, readMobileBff } from '@order-platform/bff-mobile';
import { readWebBff, webBff } from '@order-platform/bff-web';
import { flag, hostPorts, listOf, port, secret, text, url } from '@tidegate/runtime/config';
import { catalogue, topics } from '@order-platform/contracts';
import { TidegateError } from '@tidegate/core';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { createKafkaEventLog } from '@tidegate/event-log/kafka';
import { createHealthHandler, runProcess } from '@tidegate/runtime/process';
import { createServiceClient } from '@tidegate/service/operations';
import { createRedisSharedState } from '@tidegate/shared-state/redis';
import {
  createAsyncApiRoute,
  createTokenVerifier,
  createComposition,
  Gateway,
  edgeOptions,
  edgeSettings,
  startEdgeServer,
  type WebhookTables,
  createWebhooks,
  reloadOnHangup,
} from '@tidegate/gateway';

const PING_MS = 3_000;
const STOP_GRACE_MS = 5_000;
const MICROFRONTENDS = fileURLToPath(new URL('../microfrontends', import.meta.url));
const bffs = { web: webBff, mobile: mobileBff };
const readers = { web: readWebBff, mobile: readMobileBff };

runProcess({
  name: 'gateway',
  serve: false,
  config: {
    PORT: port().default(4000),
    BFFS: listOf(['web', 'mobile'], 'the BFFs this process hosts'),
    KAFKA_BROKERS: hostPorts('the Kafka brokers'),
    DATABASE_URL: url(['postgres', 'postgresql'], 'the Postgres database'),
    REDIS_URL: url(['redis', 'rediss'], 'the Redis for shared state'),
    ORDERS_URL: url(['http', 'https'], 'where orders is served'),
    ORDER_VIEW_URL: url(['http', 'https'], 'where order-view is served'),
    CATALOG_VIEW_URL: url(['http', 'https'], 'where catalog-view is served'),
    JWT_SECRET: secret('what tokens are signed with; or set JWKS_URL').optional(),
    JWKS_URL: url(['https', 'http'], "where the identity provider's keys are served").optional(),
    CURSOR_SECRETS: text(
      'what cursors are signed with: secrets of at least 32 characters, separated by commas, the newest first',
    ).regex(/^[^,]{32,}(,[^,]{32,})*$/),
    WEBHOOK_ALLOW_PRIVATE: flag('webhooks to private addresses: for development only').default(false),
    MICROFRONTENDS_DIR: text('the folder of the built micro-frontends').default(MICROFRONTENDS),
    TRUSTED_DOCUMENTS_ONLY: flag('only registered documents on the mobile BFF').default(true),
    ...edgeSettings,
  },
  async start(config, host) {
    const { logger, metrics, readiness } = host;
    const health = createHealthHandler({ readiness, metrics });
    const edge = edgeOptions(config);
    const server = await startEdgeServer({
      host: config.HOST,
      port: config.PORT,
      health,
      metrics,
      ...edge.server,
    });
    host.add({ name: 'http server', stop: () => server.stop(STOP_GRACE_MS) });

    const composition = createComposition({ root: config.MICROFRONTENDS_DIR, logger });
    const log = createKafkaEventLog({
      brokers: config.KAFKA_BROKERS,
      clientId: 'gateway',
      logger,
      // A cursor must not outlive the topics it points into. The same on every replica.
      epochTopics: [topics.orderDocuments.name, topics.productDocuments.name, topics.commandOutcomes.name],
    });
    host.add({ name: 'kafka', stop: () => log.close() });
    const database = createPostgresDatabase<WebhookTables>({
      url: config.DATABASE_URL,
      schema: 'webhooks',
      logger,
    });
    host.add({ name: 'postgres', stop: () => database.close() });
    const state = createRedisSharedState({ url: config.REDIS_URL, keyPrefix: 'tidegate:' });
    host.add({ name: 'redis', stop: () => state.close() });
    for (const [name, ping] of [
      ['postgres', () => database.ping(PING_MS)],
      ['kafka', () => log.ping(PING_MS)],
      ['redis', () => state.ping(PING_MS)],
    ] as const) {
      await host.dependency(name, ping, ping);
    }

    const verifier = createTokenVerifier({ roles, ...tokenKeys(config), ...edge.tokens });
    const gateway = new Gateway({
      bffs: config.BFFS.map((name) => bffs[name]),
      log,
      client: createServiceClient({
        services: {
          orders: config.ORDERS_URL,
          'order-view': config.ORDER_VIEW_URL,
          'catalog-view': config.CATALOG_VIEW_URL,
        },
        logger,
      }),
      state,
      verifier,
      cursorSecrets: config.CURSOR_SECRETS.split(','),
      logger,
      metrics,
      routes: [
        async (request) => health(request),
        createAsyncApiRoute({ title: 'Tidegate order platform', messages: catalogue }),
        (request) => webhooks.handle(request),
        (request) => composition.handle(request),
      ],
      trustedOnly: config.TRUSTED_DOCUMENTS_ONLY,
      ...edge.gateway,
    });
    host.add({ name: 'live edge', stop: () => gateway.stop() });
    // SIGHUP: a release of the app brings documents of its own, and no connection has to go for it.
    const reload = reloadOnHangup({ gateway, readers: config.BFFS.map((name) => readers[name]), logger });
    host.add({ name: 'reload', stop: async () => reload.stop() });
    const webhooks = createWebhooks({
      database,
      log,
      servers: gateway.servers,
      verifier: gateway.verifier,
      logger,
      allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE,
    });
    await database.migrate(webhooks.migrations);
    // The topics are the services' to create; until they have, the hub has nothing to tail.
    await host.dependency('document topics', () => gateway.start(host.signal));
    host.addReadinessCheck('live hub', () => gateway.checkFlow());
    server.serve(gateway);
  },
});

function tokenKeys(config: { JWT_SECRET?: string | undefined; JWKS_URL?: string | undefined }) {
  if (config.JWKS_URL) return { jwksUrl: config.JWKS_URL };
  if (config.JWT_SECRET) return { secret: config.JWT_SECRET };
  throw new TidegateError(
    'CONFIG_INVALID',
    'JWT_SECRET is not set; it expects a secret of at least 32 characters, or JWKS_URL in its place',
  );
}
