/**
 * `npm start`: everything in one process on the embedded adapters. Read top to bottom, this is the picture of
 * ARCHITECTURE.md with SQLite in place of Kafka and Postgres, and calls in place of HTTP between the services.
 */
import { catalogue } from '@order-platform/contracts';
import { roles } from '@order-platform/bff-shared';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mobileBff } from '@order-platform/bff-mobile';
import { webBff } from '@order-platform/bff-web';
import { flag, integer, port, secret, text } from '@tidegate/runtime/config';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import {
  createAsyncApiRoute,
  createComposition,
  createDispatcher,
  createTokenVerifier,
  createWebhooks,
  edgeOptions,
  edgeSettings,
  Gateway,
  startEdgeServer,
  type WebhookTables,
} from '@tidegate/gateway';
import { createHealthHandler, runProcess } from '@tidegate/runtime/process';
import { devSecret } from '@tidegate/runtime/dev-secret';
import { createMemorySharedState } from '@tidegate/shared-state';
import { startDemoTraffic } from './embedded/demo-traffic.ts';
import { buildMicrofrontends } from '../microfrontends/build.ts';
import { createDevLogin } from './embedded/dev-login.ts';
import { createOrderPlatform } from './embedded/order-platform.ts';

// A newcomer's terminal is for the address and for what goes wrong.
process.env['LOG_LEVEL'] ??= 'warn';

const STOP_GRACE_MS = 2_000;
const MAX_SHARED_ENTRIES = 100_000;
const DEMO_RESTOCK = { belowQuantity: 10, toQuantity: 120 };
const MICROFRONTENDS = fileURLToPath(new URL('../microfrontends', import.meta.url));
const LOOPBACK = ['127.0.0.1', '::1', 'localhost'];

runProcess({
  name: 'tidegate',
  serve: false,
  config: {
    PORT: port().default(4000),
    DATA_DIR: text('the folder for all data').default('.data'),
    DEMO: flag('demo traffic').default(true),
    JWT_SECRET: secret('what tokens are signed with').optional(),
    CURSOR_SECRETS: secret('what cursors are signed with').optional(),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, chosen once').default(6),
    SHIPPING_DISPATCH_MS: integer(0, 3_600_000, 'milliseconds from confirmed to dispatched').default(1_500),
    SHIPPING_DELIVERY_MS: integer(0, 3_600_000, 'milliseconds from dispatched to delivered').default(4_000),
    WEBHOOK_ALLOW_PRIVATE: flag('webhooks to private addresses').default(false),
    TRUSTED_DOCUMENTS_ONLY: flag('only registered documents on the mobile BFF').default(true),
    ...edgeSettings,
  },
  async start(config, host) {
    const { logger, metrics, readiness } = host;
    const dataDir = resolve(config.DATA_DIR);
    const jwtSecret = config.JWT_SECRET ?? (await devSecret(dataDir));
    const cursorSecret = config.CURSOR_SECRETS ?? (await devSecret(dataDir, 'dev-cursor-secret'));

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

    await buildMicrofrontends({ log: (line) => console.log(line) });
    const composition = createComposition({ root: MICROFRONTENDS, logger });

    const log = createSqliteEventLog({ path: join(dataDir, 'event-log.sqlite'), logger, pollMs: 0 });
    host.add({ name: 'event log', stop: () => log.close() });
    const platform = createOrderPlatform({
      dataDir,
      log,
      logger,
      partitions: config.TOPIC_PARTITIONS,
      shipping: { prepareMs: config.SHIPPING_DISPATCH_MS, deliverMs: config.SHIPPING_DELIVERY_MS },
      ...(config.DEMO && { restock: DEMO_RESTOCK }),
    });
    host.add({ name: 'order platform', stop: () => platform.stop() });
    await platform.start();

    const state = createMemorySharedState({ maxEntries: MAX_SHARED_ENTRIES });
    const verifier = createTokenVerifier({ roles, secret: jwtSecret, ...edge.tokens });
    const gateway = new Gateway({
      bffs: [webBff, mobileBff],
      log,
      client: platform.client,
      state,
      verifier,
      cursorSecrets: cursorSecret.split(','),
      logger,
      metrics,
      routes: [
        async (request) => health(request),
        createAsyncApiRoute({ title: 'Tidegate order platform', messages: catalogue }),
        (request) => webhooks.handle(request),
        ...(LOOPBACK.includes(config.HOST) ? [createDevLogin(jwtSecret)] : []),
        (request) => composition.handle(request),
      ],
      trustedOnly: config.TRUSTED_DOCUMENTS_ONLY,
      ...edge.gateway,
    });
    host.add({ name: 'gateway', stop: () => gateway.stop() });

    const database = createSqliteDatabase<WebhookTables>({ path: join(dataDir, 'webhooks.sqlite'), logger });
    host.add({ name: 'webhooks database', stop: () => database.close() });
    const shared = {
      database,
      log,
      servers: gateway.servers,
      logger,
      allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE,
    };
    const webhooks = createWebhooks({ ...shared, verifier: gateway.verifier });
    await database.migrate(webhooks.migrations);
    const dispatcher = createDispatcher({ ...shared, metrics });
    host.add({ name: 'dispatcher', stop: () => dispatcher.stop() });
    await dispatcher.start();

    await gateway.start(host.signal);
    host.addReadinessCheck('live hub', () => gateway.checkFlow());
    server.serve(gateway);

    if (config.DEMO) {
      const traffic = startDemoTraffic(platform.client, logger);
      host.add({ name: 'demo traffic', stop: () => traffic.stop() });
    }
    // After everything that the frame of the process has to say: the address comes last.
    setImmediate(() => console.log(`Tidegate ready at ${server.url}`));
  },
});
