/** One gateway: the BFFs named by `BFFS`, on Kafka, Redis and the services over HTTP. Run as many as needed. */
import { fileURLToPath } from 'node:url';
import { mobileBff, readMobileBff } from '@order-platform/bff-mobile';
import { roles, viewerClaims } from '@order-platform/bff-shared';
import { readWebBff, webBff } from '@order-platform/bff-web';
import { catalogue } from '@order-platform/contracts';
import {
  createGateway,
  gatewayOptionsFrom,
  gatewaySettings,
  reloadOnHangup,
  secretSettings,
  secretsFrom,
  webhookKeysFrom,
  webhookSettings,
} from '@tidegate/gateway';
import { listOf, port, text } from '@tidegate/runtime/config';
import { runProcess } from '@tidegate/runtime/process';
import { backendSettings, createBackends } from './production.ts';

const MICROFRONTENDS = fileURLToPath(new URL('../microfrontends', import.meta.url));
const bffs = { web: webBff, mobile: mobileBff };
const readers = { web: readWebBff, mobile: readMobileBff };

runProcess({
  name: 'gateway',
  config: {
    PORT: port().default(4000),
    BFFS: listOf(['web', 'mobile'], 'the BFFs this process hosts'),
    MICROFRONTENDS_DIR: text('the folder of the built micro-frontends').default(MICROFRONTENDS),
    ...backendSettings,
    ...secretSettings,
    ...webhookSettings,
    ...gatewaySettings,
  },
  async start(config, host) {
    const { logger, metrics, readiness, server, operations } = host;
    const { jwt, cursorSecrets } = secretsFrom(config);
    const { database, clock, log, state, services } = createBackends(config, {
      clientId: 'gateway',
      logger,
      metrics,
    });
    const gateway = createGateway({
      bffs: config.BFFS.map((name) => bffs[name]),
      log,
      state,
      services,
      auth: { roles, claims: viewerClaims, ...jwt },
      cursorSecrets,
      webhooks: {
        database,
        secretKeys: webhookKeysFrom(config),
        allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE,
        clock: clock.now,
      },
      microFrontends: { root: config.MICROFRONTENDS_DIR },
      asyncApi: { title: 'Tidegate order platform', messages: catalogue },
      ...gatewayOptionsFrom(config),
      logger,
      metrics,
      readiness,
      server,
      operations,
    });
    // Without Redis, rate limits are counted by each process and reads may be older: no reason to wait, nor to be unready.
    host.add({ name: 'redis', stop: () => state.close() });
    await host.connect({ postgres: database, kafka: log });
    await host.dependency('clock', () => clock.start());
    host.add({ name: 'clock', stop: async () => clock.stop() });

    host.add(gateway);
    // SIGHUP: a release of the app brings documents of its own, and no connection is closed for it.
    const reload = reloadOnHangup({ gateway, readers: config.BFFS.map((name) => readers[name]), logger });
    host.add({ name: 'reload', stop: async () => reload.stop() });
    // The services create the topics; until then the hub has nothing to tail.
    await host.dependency('document topics', () => gateway.start(host.signal));
  },
});
