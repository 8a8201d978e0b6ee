/** Entry of the gateway under measurement, on a real log, with a BFF without services. Other processes append. */
import { createGateway, type GatewayLimits } from '@tidegate/gateway';
import { createMetrics } from '@tidegate/runtime/telemetry';
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
const gateway = createGateway({
  bffs: [benchBff],
  log,
  auth: { roles: ['operator'], secret },
  cursorSecrets: [secret],
  metrics: createMetrics(),
  trustedOnly: false,
  // Every client of a measurement is the same viewer at the same address.
  limits: {
    maxConnectionsPerViewer: 1_000_000,
    maxSubscriptionsPerViewer: 10_000_000,
    maxCostPerViewer: 0,
    maxCostPerAddress: 0,
    ...limits,
  },
});
await gateway.start(new AbortController().signal);
controlServer({ port: Number(new URL(gateway.url).port), subscriptions: () => gateway.hub.subscriptions });
