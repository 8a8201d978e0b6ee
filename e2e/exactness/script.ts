import fc from 'fast-check';
import type { OperationSpec } from './expected-view.ts';
import type { ClientSpec } from './resuming-client.ts';
import { foreignWays, type BrokerTrouble, type ForeignWay } from './brokers/trouble.ts';
import { KEYS } from './item-bff.ts';
import { MALFORMED_KINDS } from './item-writer.ts';

export const REPLICAS = 2;
export const CLIENTS = 3;

export type Step =
  /** Commits items. `later`: the relay publishes them with the next ones, so that snapshots are ahead of the log. */
  | {
      readonly kind: 'write';
      readonly keys: readonly string[];
      readonly relay: 'later' | 'once' | 'twice' | ForeignWay;
      readonly malformed: number;
    }
  /** Publishes more changes of one key than the hub's history holds. */
  | { readonly kind: 'burst'; readonly key: string; readonly count: number }
  /** Publishes more bytes than the kernel buffers for a client that does not read. */
  | { readonly kind: 'flood'; readonly key: string; readonly itemBytes: number }
  /** Stops a client's reads and overflows its outbound queue with changes of its key and of others. */
  | {
      readonly kind: 'stall';
      readonly client: number;
      readonly others: readonly string[];
      readonly itemBytes: number;
    }
  /** `reconnect`: the connection breaks, and the client connects to another replica at once. */
  | { readonly kind: 'connect' | 'reconnect'; readonly client: number; readonly replica: number }
  /** A new connection that the client breaks off after this many turns; then it connects again. */
  | { readonly kind: 'abort'; readonly client: number; readonly replica: number; readonly turns: number }
  | {
      readonly kind: 'vanish' | 'close' | 'unsubscribe' | 'resubscribe' | 'pause' | 'resume' | 'renew';
      readonly client: number;
    }
  /** SIGKILL. `back`: a successor starts at once; otherwise when both replicas are down, or at the end. */
  | { readonly kind: 'kill'; readonly replica: number; readonly back: boolean }
  /** Drains a replica. `back`: its successor starts meanwhile. */
  | { readonly kind: 'restart'; readonly replica: number; readonly back: boolean }
  /** Holds back one replica's tail, or releases it. */
  | { readonly kind: 'lag'; readonly replica: number; readonly on: boolean }
  | ({ readonly kind: 'broker' } & BrokerTrouble)
  | { readonly kind: 'wait'; readonly turns: number };

/** Item sizes: a fraction of the outbound queue's limit, and more than the limit. */
const ITEM_BYTES = [40_000, 300_000];

/** All random choices of one run. The scheduling of sockets remains random. */
export interface Script {
  readonly clients: readonly ClientSpec[];
  /** True for clients that connect before the first step. */
  readonly early: readonly boolean[];
  readonly steps: readonly Step[];
  /** Duration of consecutive snapshots and log reads, in turns of the event loop. */
  readonly delays: readonly number[];
}

const replica = fc.nat({ max: REPLICAS - 1 });
const client = fc.nat({ max: CLIENTS - 1 });
const key = fc.constantFrom(...KEYS);

const operation: fc.Arbitrary<OperationSpec> = fc
  .record({
    field: fc.constantFrom('item', 'item', 'item', 'itemChanges', 'items', 'owned'),
    overflow: fc.constantFrom('close', 'latest-per-key', 'snapshot', 'snapshot'),
    key,
    slow: fc.boolean(),
  })
  .map((spec) =>
    spec.overflow === 'snapshot' && spec.field !== 'item' ? { ...spec, overflow: 'latest-per-key' } : spec,
  );

const LONGER_THAN_A_RUN_MS = 3_600_000;

/** Most tokens outlive the run; some expire several times within it. */
function clientSpec({ shortTokenMs = 60 }: { shortTokenMs?: number }): fc.Arbitrary<ClientSpec> {
  return fc.record({
    transport: fc.constantFrom('websocket', 'websocket', 'sse'),
    tokenLifetimeMs: fc.constantFrom(LONGER_THAN_A_RUN_MS, LONGER_THAN_A_RUN_MS, shortTokenMs),
    operations: fc.array(operation, { minLength: 1, maxLength: 2 }),
  });
}

function write(brokers: boolean) {
  const ways: readonly ForeignWay[] = brokers ? foreignWays : [];
  return fc.record({
    kind: fc.constant('write' as const),
    keys: fc.array(key, { minLength: 1, maxLength: 5 }),
    relay: fc.constantFrom('later' as const, 'once' as const, 'once' as const, 'twice' as const, ...ways),
    malformed: fc.oneof(
      { weight: 3, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.nat({ max: MALFORMED_KINDS }) },
    ),
  });
}

const broker = fc.record({
  kind: fc.constant('broker' as const),
  broker: fc.integer({ min: 1, max: 3 }),
  way: fc.constantFrom('freeze' as const, 'freeze' as const, 'restart' as const, 'kill' as const),
  ms: fc.integer({ min: 100, max: 2_000 }),
});

const ofClient = fc.record({
  kind: fc.constantFrom(
    'vanish' as const,
    'vanish' as const,
    'close' as const,
    'unsubscribe' as const,
    'resubscribe' as const,
    'resubscribe' as const,
    'pause' as const,
    'resume' as const,
    'renew' as const,
  ),
  client,
});

/**
 * Overflows in a script. `none`: for replicas that cannot be clogged. `stalls`: many overflows of clogged connections.
 * `all`: fewer of these, and rare overflows of a kernel's buffer, which take long.
 */
export type Floods = 'none' | 'stalls' | 'all';

const STALL_WEIGHTS: Readonly<Record<Floods, number>> = { none: 0, stalls: 60, all: 24 };

function step({ floods, brokers = false }: { floods: Floods; brokers?: boolean }): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 90, arbitrary: write(brokers) },
    { weight: brokers ? 8 : 0, arbitrary: broker },
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('burst' as const),
        key,
        count: fc.integer({ min: 8, max: 30 }),
      }),
    },
    {
      weight: floods === 'all' ? 1 : 0,
      arbitrary: fc.record({
        kind: fc.constant('flood' as const),
        key,
        itemBytes: fc.constantFrom(...ITEM_BYTES),
      }),
    },
    {
      weight: STALL_WEIGHTS[floods],
      arbitrary: fc.record({
        kind: fc.constant('stall' as const),
        client,
        others: fc.array(key, { maxLength: 1 }),
        itemBytes: fc.constantFrom(...ITEM_BYTES),
      }),
    },
    {
      weight: 42,
      arbitrary: fc.record({
        kind: fc.constantFrom('connect' as const, 'reconnect' as const),
        client,
        replica,
      }),
    },
    { weight: 46, arbitrary: ofClient },
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('abort' as const),
        client,
        replica,
        turns: fc.nat({ max: 6 }),
      }),
    },
    { weight: 9, arbitrary: fc.record({ kind: fc.constant('kill' as const), replica, back: fc.boolean() }) },
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('restart' as const), replica, back: fc.boolean() }),
    },
    { weight: 12, arbitrary: fc.record({ kind: fc.constant('lag' as const), replica, on: fc.boolean() }) },
    {
      weight: 42,
      arbitrary: fc.record({ kind: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 60 }) }),
    },
  );
}

/** Generates scripts of up to `maxSteps` steps. */
export function scripts(options: {
  readonly maxSteps: number;
  readonly floods: Floods;
  /** Lifetime of short-lived tokens in milliseconds. Default 60; more for slow runs, or clients only reconnect. */
  readonly shortTokenMs?: number;
  /** Foreign producers, and brokers that freeze and restart. Default false: no log has them but Kafka. */
  readonly brokers?: boolean;
}): fc.Arbitrary<Script> {
  return fc.record({
    clients: fc.array(clientSpec(options), { minLength: CLIENTS, maxLength: CLIENTS }),
    early: fc.array(fc.boolean(), { minLength: CLIENTS, maxLength: CLIENTS }),
    steps: fc.array(step(options), {
      minLength: Math.floor(options.maxSteps / 3),
      maxLength: options.maxSteps,
      size: 'max',
    }),
    delays: fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 }),
  });
}
