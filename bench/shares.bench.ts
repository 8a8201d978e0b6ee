/**
 * Webhook shares: the effect of one partner's trouble on another partner's deliveries. On Postgres when DATABASE_URL is
 * set, else on SQLite.
 *
 * Measured one after the other with one dispatcher: nothing else to do; 90,000 deliveries held back behind a delivery that
 * waits for its retry; ten endpoints of one partner that never answer.
 *
 * Figures: `p50Ms` and `p99Ms` of the time from a change's append to its receipt, `quiet`, `heldBack` and `hanging`;
 * `heldBack.p50Ratio`: 1 is ideal, and `hanging.delivered`: share of the changes that arrived within 30 s.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { createPostgresDatabase } from '@tidegate/database/postgres';
import { postgresUrlFromEnv, until } from '@tidegate/testing';
import { enqueueDeliveries } from '../gateway/src/webhooks/deliveries/pending-delivery.ts';
import { defaultDispatcherLimits } from '../gateway/src/webhooks/dispatcher-limits.ts';
import type { WebhookTables } from '../gateway/src/webhooks/tables.ts';
import { createWebhookWorld, type WebhookWorld } from '../gateway/src/webhooks/webhook-world.fixture.ts';
import { percentile } from './percentiles.ts';
import type { Measurement } from './run.ts';

const CHANGES = 600;
const EVERY_MS = 10;
const COUNTERS = 50;
const HELD_BACK = 90_000;
const HANGING = 10;
const HOUR_MS = 3_600_000;
const ARRIVE_WITHIN_MS = 30_000;

async function measure(log: (line: string) => void): Promise<Record<string, number>> {
  const url = postgresUrlFromEnv();
  const schema = `bench_${randomUUID().slice(0, 8)}`;
  const database = url ? createPostgresDatabase<WebhookTables>({ url, schema }) : undefined;
  const world = await createWebhookWorld(database && { database });
  try {
    await world.startDispatcher(defaultDispatcherLimits);
    const run = new Run(world);
    await run.begin();
    await run.period();
    const quiet = await run.period();
    log(`quiet: ${describe(quiet)}`);
    await run.holdBack();
    const heldBack = await run.period();
    log(`${HELD_BACK} held back: ${describe(heldBack)}`);
    await run.hang();
    const hanging = await run.period();
    log(`${HANGING} hanging: ${describe(hanging)}`);
    return {
      ...figures('quiet', quiet),
      ...figures('heldBack', heldBack),
      'heldBack.p50Ratio': percentile(heldBack, 0.5) / percentile(quiet, 0.5),
      ...figures('hanging', hanging),
      'hanging.delivered': hanging.length / CHANGES,
    };
  } finally {
    await database?.query.schema.dropSchema(schema).cascade().execute();
    await world.close();
  }
}

class Run {
  readonly #world: WebhookWorld;
  readonly #arrivedAt = new Map<string, number>();
  #version = 0;
  #troubled = '';

  constructor(world: WebhookWorld) {
    this.#world = world;
  }

  /** Registers the measured endpoint, and that of the partner that will have trouble. */
  async begin(): Promise<void> {
    const measured = await this.#world.startReceiver(({ event }, response) => {
      this.#arrivedAt.set(event.id, performance.now());
      response.writeHead(204).end();
    });
    await this.#world.register(measured.url, undefined, {}, 'partner-other');
    const troubled = await this.#world.startReceiver();
    this.#troubled = (await this.#world.register(troubled.url)).id;
  }

  /** Returns the milliseconds from append to receipt of each change that arrived in time. */
  async period(): Promise<number[]> {
    const appendedAt = new Map<string, number>();
    for (let change = 0; change < CHANGES; change++) {
      if (change % COUNTERS === 0) this.#version += 1;
      const counter = `counter-${change % COUNTERS}`;
      appendedAt.set(`counter/${counter}@${this.#version}`, performance.now());
      await this.#world.change(counter, this.#version);
      await pause(EVERY_MS);
    }
    const arrived = (): string[] => [...appendedAt.keys()].filter((id) => this.#arrivedAt.has(id));
    await until(() => arrived().length === CHANGES, {
      what: 'every change to arrive',
      timeoutMs: ARRIVE_WITHIN_MS,
      everyMs: 100,
    }).catch(() => undefined);
    return arrived().map((id) => this.#arrivedAt.get(id)! - appendedAt.get(id)!);
  }

  async holdBack(): Promise<void> {
    const { database } = this.#world;
    const deliveries = Array.from({ length: HELD_BACK }, (_, index) => ({
      endpointId: this.#troubled,
      orderingKey: 'held back',
      event: { source: '/bench', id: `held-back@${index}`, subject: 'held back', sequence: index },
      changeId: null,
      body: '{}',
    }));
    await database.transaction(async (unit) => {
      await enqueueDeliveries(database, unit, deliveries, 0);
      await unit.tx
        .updateTable('webhook_deliveries')
        .set({ next_attempt_at: Date.now() + HOUR_MS })
        .where('event_id', '=', 'held-back@0')
        .execute();
    });
  }

  async hang(): Promise<void> {
    const hanging = await this.#world.startReceiver(() => {});
    for (let index = 0; index < HANGING; index++) await this.#world.register(`${hanging.url}/${index}`);
  }
}

function figures(name: string, samples: readonly number[]): Record<string, number> {
  return { [`${name}.p50Ms`]: percentile(samples, 0.5), [`${name}.p99Ms`]: percentile(samples, 0.99) };
}

function describe(samples: readonly number[]): string {
  const [p50, p99] = [percentile(samples, 0.5), percentile(samples, 0.99)];
  return `${samples.length} of ${CHANGES} arrived, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;
}

export default {
  description: "webhooks: the effect of one partner's trouble on another partner's deliveries",
  measure,
} satisfies Measurement;
