import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { startConsumer, type Consumer } from '@tidegate/messaging';
import { startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';
import type { BffServer } from '../graphql/bff-server.ts';
import { ChangeIntake } from './deliveries/change-fan-out.ts';
import { createBodyRenderer } from './attempts/delivery-body.ts';
import { DeliveryQueue } from './deliveries/delivery-queue.ts';
import { DeliverySender } from './attempts/delivery-sender.ts';
import { sweepDeliveries } from './deliveries/delivery-retention.ts';
import { deliveriesChannel } from './endpoints/endpoint-store.ts';
import { RegisteredEndpoints } from './endpoints/endpoint-cache.ts';
import { defaultRetryScheduleMs } from './attempts/retry-schedule.ts';
import { webhookMigrations, type WebhookTables } from './tables.ts';
import { createTargetPolicy } from './attempts/target-policy.ts';
import { createWebhookClient } from './attempts/webhook-client.ts';
import { createWebhookMetrics } from './attempts/webhook-metrics.ts';

export interface DispatcherOptions {
  /** The one that `createWebhooks` writes to. */
  readonly database: Database<WebhookTables>;
  readonly log: EventLog;
  readonly servers: readonly BffServer[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** For development and tests only: see `TargetPolicy`. Default false. */
  readonly allowPrivateTargets?: boolean;
  readonly limits?: Partial<DispatcherLimits>;
  readonly clock?: () => number;
}

/** Every bound of the dispatcher in one place. */
export interface DispatcherLimits {
  /** The longest wait before each retry; after the last the delivery is dead. */
  readonly retryScheduleMs: readonly number[];
  readonly deadlineMs: number;
  readonly maxConcurrent: number;
  readonly maxConcurrentPerEndpoint: number;
  /** How long a dispatcher that died keeps what it held; more than `deadlineMs`. */
  readonly leaseMs: number;
  /** Failing for so long without one success disables an endpoint. */
  readonly disableAfterMs: number;
  readonly maxPendingPerEndpoint: number;
  readonly keepDeliveredMs: number;
  readonly keepDeadMs: number;
  readonly sweepIntervalMs: number;
  /** How often due deliveries are looked for without being told. */
  readonly pollMs: number;
  /** How long `stop` waits for attempts under way. */
  readonly stopGraceMs: number;
}

export interface Dispatcher {
  /** Resolves when changes are taken and deliveries sent. When it rejects, it may be called again. */
  start(): Promise<void>;
  /** Takes no more, waits for attempts under way. What is not sent stays queued. Idempotent. */
  stop(): Promise<void>;
}

export const dispatcherGroup = 'webhook-dispatcher';

const DAY_MS = 24 * 60 * 60 * 1000;

const defaultLimits: DispatcherLimits = {
  retryScheduleMs: defaultRetryScheduleMs,
  deadlineMs: 10_000,
  maxConcurrent: 64,
  maxConcurrentPerEndpoint: 8,
  leaseMs: 40_000,
  disableAfterMs: 5 * DAY_MS,
  maxPendingPerEndpoint: 100_000,
  keepDeliveredMs: 7 * DAY_MS,
  keepDeadMs: 30 * DAY_MS,
  sweepIntervalMs: 60_000,
  pollMs: 1_000,
  stopGraceMs: 3_000,
};

/**
 * Sends webhooks: takes changes from the log as a consumer group, queues them for the endpoints that want them, and
 * sends what is due. Any number of dispatchers share the work, on the log and in the database.
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  const { database, servers, logger, clock = Date.now } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const endpoints = new RegisteredEndpoints(servers, logger);
  const client = createWebhookClient({
    policy: createTargetPolicy({ allowPrivateTargets: options.allowPrivateTargets ?? false }),
    deadlineMs: limits.deadlineMs,
    connectionsPerEndpoint: limits.maxConcurrentPerEndpoint,
  });
  const sender = new DeliverySender({
    ...limits,
    database,
    endpoints,
    client,
    logger,
    clock,
    queue: new DeliveryQueue(database, clock),
    renderer: createBodyRenderer(),
    metrics: createWebhookMetrics(options.metrics),
    onFinished: () => loop?.wake(),
  });
  let loop: DueLoop | undefined;
  let consumer: Consumer | undefined;
  let stopListening: (() => Promise<void>) | undefined;
  let sweeping: Promise<void> = Promise.resolve();
  let sweepTimer: NodeJS.Timeout | undefined;
  let stopped: Promise<void> | undefined;

  function sweep(): Promise<void> {
    return sweepDeliveries({ ...limits, database, now: clock() }).catch((error: unknown) => {
      logger.warn({ err: error }, 'old deliveries could not be swept; trying again later');
    });
  }

  const onFailure = (err: unknown): void =>
    logger.warn({ err }, 'looking for due deliveries failed; trying again');

  async function start(): Promise<void> {
    await database.migrate(webhookMigrations);
    consumer ??= await startIntake();
    stopListening ??= await database.signals.listen(deliveriesChannel, () => loop?.wake());
    loop ??= startDueLoop({ pass: () => sender.pass(), clock, pollMs: limits.pollMs, onFailure });
    sweepTimer ??= setInterval(() => (sweeping = sweeping.then(sweep)), limits.sweepIntervalMs).unref();
  }

  async function startIntake(): Promise<Consumer> {
    const epoch = await options.log.epoch();
    const intake = new ChangeIntake({ database, endpoints, servers, epoch, clock });
    // A group that is joined before its topics exist would be given nothing of them.
    await Promise.all(intake.definitions.map(({ topic }) => options.log.ends(topic.name)));
    return startConsumer({
      database,
      log: options.log,
      logger,
      group: dispatcherGroup,
      definitions: intake.definitions,
      handle: (message, unit, record) => intake.take(message, unit, record),
    });
  }

  async function stop(): Promise<void> {
    clearInterval(sweepTimer);
    await consumer?.stop();
    await stopListening?.();
    await loop?.stop();
    await sender.stop(limits.stopGraceMs);
    await sweeping;
    await client.close();
  }

  return { start, stop: () => (stopped ??= stop()) };
}
