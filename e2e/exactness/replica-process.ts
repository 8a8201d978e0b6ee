/** A gateway on a shared log, as a process that can be killed. Prints its address when it is ready. */
import { createGateway } from '@tidegate/gateway';
import { retry } from '@tidegate/runtime/resilience';
import { createItemBff, defineItemChanged, type Item } from './item-bff.ts';
import { itemVerifier } from './item-token.ts';
import { openLog, type LogPlace } from './log-place.ts';
import { CURSOR_SECRET, replicaLimits } from './replica.ts';

export interface ReplicaProcessOptions {
  readonly place: LogPlace;
  readonly topic: string;
  /** Address of the committed items, which snapshots read: `GET <stateUrl>/<key>`. */
  readonly stateUrl: string;
  /** Default: `replicaLimits`. */
  readonly limits?: typeof replicaLimits;
}

const {
  place,
  topic,
  stateUrl,
  limits = replicaLimits,
} = JSON.parse(process.argv[2] ?? '') as ReplicaProcessOptions;

const gateway = createGateway({
  bffs: [createItemBff(defineItemChanged(topic), readItem)],
  log: openLog(place),
  auth: itemVerifier,
  cursorSecrets: [CURSOR_SECRET],
  trustedOnly: false,
  limits,
});
// A broker may be away, as for any process of production.
const starting = AbortSignal.timeout(60_000);
await retry(() => gateway.start(starting), {
  attempts: Infinity,
  firstMs: 50,
  maxMs: 500,
  signal: starting,
});
process.once('SIGTERM', () => void drain());
console.log(`ready ${gateway.url}`);

async function drain(): Promise<void> {
  await gateway.stop();
  process.exit(0);
}

async function readItem(key: string): Promise<Item | undefined> {
  const response = await fetch(`${stateUrl}/${key}`);
  return response.ok ? ((await response.json()) as Item) : undefined;
}
