/**
 * `npm start`: everything in one process on the embedded adapters. Read top to bottom, this is the picture of
 * ARCHITECTURE.md with SQLite in place of Kafka and Postgres, and calls in place of HTTP between the services.
 */
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mobileBff } from '@order-platform/bff-mobile';
import { roles, viewerClaims } from '@order-platform/bff-shared';
import { webBff } from '@order-platform/bff-web';
import { catalogue } from '@order-platform/contracts';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import { measureEventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import {
  createDispatcher,
  createGateway,
  gatewayOptionsFrom,
  gatewaySettings,
  jwtSettings,
  webhookSettings,
  type WebhookTables,
} from '@tidegate/gateway';
import { flag, integer, oneOf, port, secret, text } from '@tidegate/runtime/config';
import { runProcess } from '@tidegate/runtime/process';
import { createMemorySharedState } from '@tidegate/shared-state';
import { buildInChild } from '../microfrontends/build.ts';
import { bytesOfFolder, claimDataFolder } from './embedded/data-folder.ts';
import { startDemoTraffic } from './embedded/demo-traffic.ts';
import { createOrderPlatform } from './embedded/order-platform.ts';
import { readSecrets } from './embedded/secrets.ts';

// A newcomer's terminal shows the address and problems, nothing else.
process.env['LOG_LEVEL'] ??= 'warn';

const MB = 1024 * 1024;
const MAX_SHARED_ENTRIES = 100_000;
const DEMO_RESTOCK = { belowQuantity: 10, toQuantity: 120 };
const MICROFRONTENDS = fileURLToPath(new URL('../microfrontends', import.meta.url));

runProcess({
  name: 'tidegate',
  config: {
    PORT: port().default(4000),
    DATA_DIR: text('the folder for all data').default('.data'),
    DURABILITY: oneOf(['process', 'power'], 'failure that accepted commands survive').default('process'),
    DEMO: flag('demo traffic').default(true),
    DEMO_MAX_DATA_MB: integer(1, 1_000_000, 'MB in DATA_DIR from which the demo traffic pauses').default(900),
    EVENT_LOG_MAX_MB: integer(0, 1_000_000, 'bound of the event log in MB; 0: none').default(300),
    DEV_LOGIN: flag('POST /dev/token signs tokens for programs of this machine').default(true),
    ...jwtSettings,
    CURSOR_SECRETS: secret('what cursors are signed with').optional(),
    TOPIC_PARTITIONS: integer(1, 1_000, 'partitions of each topic, chosen once').default(6),
    SHIPPING_DISPATCH_MS: integer(0, 3_600_000, 'milliseconds from confirmed to dispatched').default(1_500),
    SHIPPING_DELIVERY_MS: integer(0, 3_600_000, 'milliseconds from dispatched to delivered').default(4_000),
    ...webhookSettings,
    ...gatewaySettings,
  },
  async start(config, host) {
    const { logger, metrics, readiness, server, operations } = host;
    const dataDir = resolve(config.DATA_DIR);
    const releaseDataDir = claimDataFolder(dataDir);
    host.add({ name: 'data folder', stop: async () => releaseDataDir() });
    const { jwt, cursorSecrets, webhookKeys, login } = await readSecrets(config, dataDir);
    await buildInChild();

    const parts = { logger, metrics, durability: config.DURABILITY };
    const file = (name: string) => ({ path: join(dataDir, `${name}.sqlite`), ...parts });
    const maxBytes = config.EVENT_LOG_MAX_MB * MB;
    const log = measureEventLog(createSqliteEventLog({ ...file('event-log'), pollMs: 0, maxBytes }), metrics);
    host.add({ name: 'event log', stop: () => log.close() });
    const database = createSqliteDatabase<WebhookTables>(file('webhooks'));
    host.add({ name: 'webhooks database', stop: () => database.close() });
    const state = createMemorySharedState({ maxEntries: MAX_SHARED_ENTRIES });

    const platform = createOrderPlatform({
      ...{ dataDir, log, ...parts },
      partitions: config.TOPIC_PARTITIONS,
      shipping: { prepareMs: config.SHIPPING_DISPATCH_MS, deliverMs: config.SHIPPING_DELIVERY_MS },
      ...(config.DEMO && { restock: DEMO_RESTOCK }),
    });
    host.add({ name: 'order platform', stop: () => platform.stop() });
    await platform.start();

    const bffs = [webBff, mobileBff];
    const services = platform.client;
    const allowPrivateTargets = config.WEBHOOK_ALLOW_PRIVATE;
    const webhooks = { database, secretKeys: webhookKeys, allowPrivateTargets };
    const gateway = createGateway({
      bffs,
      log,
      state,
      services,
      auth: { roles, claims: viewerClaims, ...jwt },
      cursorSecrets,
      webhooks,
      microFrontends: { root: MICROFRONTENDS },
      asyncApi: { title: 'Tidegate order platform', messages: catalogue },
      routes: [login],
      ...gatewayOptionsFrom(config),
      ...{ logger, metrics, readiness, server, operations },
    });
    host.add(gateway);
    const dispatcher = createDispatcher({ bffs, log, state, services, ...webhooks, logger, metrics });
    host.add({ name: 'dispatcher', stop: () => dispatcher.stop() });
    await dispatcher.start();
    await gateway.start(host.signal);

    if (config.DEMO) {
      const usedBytes = () => bytesOfFolder(dataDir);
      const maxDataMb = config.DEMO_MAX_DATA_MB;
      const traffic = startDemoTraffic({ client: services, logger, usedBytes, maxDataMb });
      host.add({ name: 'demo traffic', stop: () => traffic.stop() });
    }
    // After all that `runProcess` prints: the address is the last line.
    setImmediate(() => console.log(`Tidegate ready at ${server.url}`));
  },
});
