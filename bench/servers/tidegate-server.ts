/** Entry of the gateway under measurement, on a real log, with a BFF without services. Other processes append. */
import { createTokenVerifier, Gateway, startEdgeServer, type GatewayLimits } from '@tidegate/gateway';
import { createServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState } from '@tidegate/shared-state';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { benchOptions } from '../processes/pinned-process.ts';
import { benchBff } from './bench-bff.ts';
import { controlServer } from './server-control.ts';
import { openTickLog, type TickLogPlace } from './tick-log.ts';

export interface TidegateServerOptions {
  readonly place: TickLogPlace;
  readonly secret: string;
  readonly limits?: Partial<GatewayLimits>;
}

const { place, secret, limits } = benchOptions() as TidegateServerOptions;
const log = await openTickLog(place);
const gateway = new Gateway({
  bffs: [benchBff],
  log,
  client: createServiceClient({ services: {}, logger: silentLogger }),
  state: createMemorySharedState({ maxEntries: 1_000 }),
  verifier: createTokenVerifier({ roles: ['operator'], secret }),
  cursorSecrets: [secret],
  logger: silentLogger,
  metrics: createMetrics(),
  routes: [],
  trustedOnly: false,
  // Every client of a measurement is the same viewer at the same address.
  limits: { maxConnectionsPerViewer: 1_000_000, maxSubscriptionsPerViewer: 10_000_000, ...limits },
});
const edge = await startEdgeServer({ host: '127.0.0.1', port: 0, health: () => undefined });
await gateway.start(new AbortController().signal);
edge.serve(gateway);
controlServer({ port: Number(new URL(edge.url).port), subscriptions: () => gateway.hub.subscriptions });
