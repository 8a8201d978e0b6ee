/** A gateway on a shared log, as a process of its own that can be killed; prints its address when it is ready. */
import { Gateway, startEdgeServer } from '@tidegate/gateway';
import { createServiceClient } from '@tidegate/service/operations';
import { createMemorySharedState } from '@tidegate/shared-state';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { createItemBff, defineItemChanged, type Item } from './item-bff.ts';
import { itemVerifier } from './item-token.ts';
import { openLog, type LogPlace } from './log-place.ts';
import { CURSOR_SECRET, replicaLimits } from './replica.ts';

export interface ReplicaProcessOptions {
  readonly place: LogPlace;
  readonly topic: string;
  /** Where the committed items are read for snapshots: `GET <stateUrl>/<key>`. */
  readonly stateUrl: string;
}

const { place, topic, stateUrl } = JSON.parse(process.argv[2] ?? '') as ReplicaProcessOptions;

const gateway = new Gateway({
  bffs: [createItemBff(defineItemChanged(topic), readItem)],
  log: openLog(place, topic),
  client: createServiceClient({ services: {}, logger: silentLogger }),
  state: createMemorySharedState({ maxEntries: 1_000 }),
  verifier: itemVerifier,
  cursorSecrets: [CURSOR_SECRET],
  logger: silentLogger,
  metrics: createMetrics({ nodeMetrics: false }),
  routes: [],
  trustedOnly: false,
  limits: replicaLimits,
});
const edge = await startEdgeServer({ host: '127.0.0.1', port: 0, health: () => undefined });
await gateway.start(AbortSignal.timeout(20_000));
edge.serve(gateway);
process.once('SIGTERM', () => void drain());
console.log(`ready ${edge.url}`);

async function drain(): Promise<void> {
  await gateway.stop();
  process.exit(0);
}

async function readItem(key: string): Promise<Item | undefined> {
  const response = await fetch(`${stateUrl}/${key}`);
  return response.ok ? ((await response.json()) as Item) : undefined;
}
