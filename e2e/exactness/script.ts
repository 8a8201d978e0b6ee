import fc from 'fast-check';
import type { OperationSpec } from './expected-view.ts';
import type { ClientSpec } from './resuming-client.ts';
import { KEYS } from './item-bff.ts';
import { MALFORMED_KINDS } from './item-writer.ts';

export const REPLICAS = 2;
export const CLIENTS = 3;

export type Step =
  /** Items are committed; `later`: the relay publishes them with the next ones, so that snapshots are ahead. */
  | {
      readonly kind: 'write';
      readonly keys: readonly string[];
      readonly relay: 'later' | 'once' | 'twice';
      readonly malformed: number;
    }
  /** More changes of one key than the hub's history holds. */
  | { readonly kind: 'burst'; readonly key: string; readonly count: number }
  /** More bytes than the kernel takes for a client that does not read. */
  | { readonly kind: 'flood'; readonly key: string; readonly itemBytes: number }
  /** A client stops reading, and more than may wait for it is published of what it watches, and of other keys. */
  | {
      readonly kind: 'stall';
      readonly client: number;
      readonly others: readonly string[];
      readonly itemBytes: number;
    }
  /** `reconnect`: the connection breaks, and the client is back with another replica before anybody notices. */
  | { readonly kind: 'connect' | 'reconnect'; readonly client: number; readonly replica: number }
  | {
      readonly kind: 'vanish' | 'close' | 'unsubscribe' | 'pause' | 'resume' | 'renew';
      readonly client: number;
    }
  /** SIGKILL; `back`: another process takes its place at once, otherwise only when both are gone or at the end. */
  | { readonly kind: 'kill'; readonly replica: number; readonly back: boolean }
  /** Drains; `back`: while its successor starts. */
  | { readonly kind: 'restart'; readonly replica: number; readonly back: boolean }
  /** One replica's tail falls behind the other's, or comes level again. */
  | { readonly kind: 'lag'; readonly replica: number; readonly on: boolean }
  | { readonly kind: 'wait'; readonly turns: number };

/** One that many fit into a connection's bound, and one that alone is more than it. */
const ITEM_BYTES = [40_000, 300_000];

/** Everything random about one run. What it cannot fix is how the machine schedules sockets. */
export interface Script {
  readonly clients: readonly ClientSpec[];
  /** Which of the clients are there from the beginning. */
  readonly early: readonly boolean[];
  readonly steps: readonly Step[];
  /** Turns of the event loop that snapshots and reads of the log take, one after the other. */
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

const OUTLIVES_A_RUN_MS = 3_600_000;

/** Most tokens outlive a run by far; some end several times within one. */
function clientSpec({ shortTokenMs = 60 }: { shortTokenMs?: number }): fc.Arbitrary<ClientSpec> {
  return fc.record({
    transport: fc.constantFrom('websocket', 'websocket', 'sse'),
    tokenLifetimeMs: fc.constantFrom(OUTLIVES_A_RUN_MS, OUTLIVES_A_RUN_MS, shortTokenMs),
    operations: fc.array(operation, { minLength: 1, maxLength: 2 }),
  });
}

const write = fc.record({
  kind: fc.constant('write' as const),
  keys: fc.array(key, { minLength: 1, maxLength: 5 }),
  relay: fc.constantFrom('later' as const, 'once' as const, 'once' as const, 'twice' as const),
  malformed: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.nat({ max: MALFORMED_KINDS }) },
  ),
});

const ofClient = fc.record({
  kind: fc.constantFrom(
    'vanish' as const,
    'vanish' as const,
    'close' as const,
    'unsubscribe' as const,
    'pause' as const,
    'resume' as const,
    'renew' as const,
  ),
  client,
});

/**
 * How much is published at once: `none` where nothing can be clogged; `stalls`: often more than may wait for a client
 * whose connection is clogged; `all`: now and then more than a kernel takes, too, which takes long.
 */
export type Floods = 'none' | 'stalls' | 'all';

const STALL_WEIGHTS: Readonly<Record<Floods, number>> = { none: 0, stalls: 60, all: 24 };

function step({ floods }: { floods: Floods }): fc.Arbitrary<Step> {
  return fc.oneof(
    { weight: 90, arbitrary: write },
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
    { weight: 36, arbitrary: ofClient },
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

/** Scripts of up to `maxSteps` steps. */
export function scripts(options: {
  readonly maxSteps: number;
  readonly floods: Floods;
  /** Where a run takes seconds a token has to live longer, or a client does nothing but come back. */
  readonly shortTokenMs?: number;
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
