/** One webhook dispatcher, on Kafka and Postgres. Run as many as needed: they share the work. */
import { webBff } from '@order-platform/bff-web';
import { createDispatcher, webhookKeysFrom, webhookSettings } from '@tidegate/gateway';
import { port } from '@tidegate/runtime/config';
import { runProcess } from '@tidegate/runtime/process';
import { backendSettings, createBackends } from './production.ts';

runProcess({
  name: 'dispatcher',
  config: { PORT: port().default(4002), ...backendSettings, ...webhookSettings },
  async start(config, host) {
    const { logger, metrics } = host;
    const { database, clock, log, state, services } = createBackends(config, {
      clientId: 'dispatcher',
      logger,
      metrics,
    });
    host.add({ name: 'redis', stop: () => state.close() });
    await host.connect({ postgres: database, kafka: log });
    await host.dependency('clock', () => clock.start());
    host.add({ name: 'clock', stop: async () => clock.stop() });

    const dispatcher = createDispatcher({
      bffs: [webBff],
      database,
      log,
      state,
      services,
      secretKeys: webhookKeysFrom(config),
      allowPrivateTargets: config.WEBHOOK_ALLOW_PRIVATE,
      clock: clock.now,
      logger,
      metrics,
    });
    host.add({ name: 'dispatcher', stop: () => dispatcher.stop() });
    // The services create the topics; until then there is nothing to consume.
    await host.dependency('document topics', () => dispatcher.start());
    host.readiness.addCheck('revocations', () => dispatcher.check());
  },
});
