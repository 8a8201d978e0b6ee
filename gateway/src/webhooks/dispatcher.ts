import type { Bff } from '@tidegate/bff';
import { DatabaseClock, type Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { startConsumer, type Consumer } from '@tidegate/messaging';
import { startDueLoop, type DueLoop } from '@tidegate/runtime/resilience';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';
import type { ServiceClient } from '@tidegate/service/operations';
import type { SharedState } from '@tidegate/shared-state';
import type { BffServer } from '../graphql/bff-server.ts';
import { createBffServers } from '../graphql/create-bff-servers.ts';
import { widestOperationLimits } from '../graphql/operation-limits.ts';
import { BodyRenderer } from './attempts/delivery-body.ts';
import { DeliverySender } from './attempts/delivery-sender.ts';
import { TargetPolicy } from './attempts/target-policy.ts';
import { WebhookClient } from './attempts/webhook-client.ts';
import { createWebhookMetrics } from './attempts/webhook-metrics.ts';
import { ChangeFanOut } from './deliveries/change-fan-out.ts';
import { sampleDeliveries } from './deliveries/delivery-samples.ts';
import { DeliveryQueue } from './deliveries/delivery-queue.ts';
import { sweepDeliveries } from './deliveries/delivery-retention.ts';
import { deliveriesChannel } from './deliveries/pending-delivery.ts';
import { defaultDispatcherLimits, type DispatcherLimits } from './dispatcher-limits.ts';
import { EndpointCache } from './endpoints/endpoint-cache.ts';
import { resealSecrets } from './endpoints/reseal-secrets.ts';
import { RevokedEndpoints } from './endpoints/revoked-endpoints.ts';
import { SecretBox } from './endpoints/secret-box.ts';
import { webhookMigrations } from './migrations.ts';
import type { WebhookTables } from './tables.ts';

export interface DispatcherOptions {
  /** Database that the gateway registers endpoints in. */
  readonly database: Database<WebhookTables>;
  /** Keys that the secrets of endpoints are encrypted with, at least 32 characters each, the newest first. */
  readonly secretKeys: readonly string[];
  readonly log: EventLog;
  readonly bffs: readonly Bff[];
  /** Default: a client that knows no service. */
  readonly services?: ServiceClient;
  /** Default: memory of this process. */
  readonly state?: SharedState;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Allows private and loopback addresses, for development and tests: see `target-policy.ts`. Default false. */
  readonly allowPrivateTargets?: boolean;
  /** Defaults: `DispatcherLimits`. */
  readonly limits?: Partial<DispatcherLimits>;
  /** Epoch milliseconds. Default: the clock of the database, which all dispatchers share. */
  readonly clock?: () => number;
}

/** Sends webhooks. */
export interface Dispatcher {
  /** Resolves when changes are consumed and deliveries are sent. May be called again after it rejected. */
  start(): Promise<void>;
  /**
   * Stops consuming and claiming, and waits up to `stopGraceMs` for attempts in flight. Deliveries that are not sent
   * stay enqueued. Idempotent.
   */
  stop(): Promise<void>;
  /** For `/readyz`. @throws Error while revocations cannot be read, so that a revoked partner may still get webhooks. */
  check(): void;
}

/** Consumer group of all dispatchers. */
const dispatcherGroup = 'webhook-dispatcher';

/**
 * Creates a dispatcher: it consumes changes from the log, fans them out to the endpoints that select them, and sends
 * the due deliveries. Any number of dispatchers share the work, by partition and by delivery.
 *
 * @example
 * const dispatcher = createDispatcher({ database, secretKeys, log, bffs: [tripBff], logger, metrics });
 * await dispatcher.start();
 * // … when the process stops:
 * await dispatcher.stop();
 */
export function createDispatcher(options: DispatcherOptions): Dispatcher {
  return new WebhookDispatcher(options);
}

class WebhookDispatcher implements Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #limits: DispatcherLimits;
  readonly #databaseClock: DatabaseClock | undefined;
  readonly #clock: () => number;
  readonly #servers: readonly BffServer[];
  readonly #box: SecretBox;
  readonly #endpoints: EndpointCache;
  readonly #client: WebhookClient;
  readonly #sender: DeliverySender;
  readonly #revoked: RevokedEndpoints;
  #consumer: Consumer | undefined;
  #stopListening: (() => Promise<void>) | undefined;
  #endSamples: (() => void) | undefined;
  #loop: DueLoop | undefined;
  #sweepTimer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(options: DispatcherOptions) {
    this.#options = options;
    this.#limits = { ...defaultDispatcherLimits, ...options.limits };
    this.#databaseClock = options.clock ? undefined : new DatabaseClock(options.database);
    this.#clock = options.clock ?? this.#databaseClock!.now;
    const { bffs, services, state, logger } = options;
    // Endpoints are registered at the gateway, under its limits.
    const limits = widestOperationLimits;
    this.#servers = createBffServers({ bffs, services, state, logger, limits, trustedOnly: true });
    this.#box = new SecretBox(options.secretKeys);
    this.#endpoints = new EndpointCache(this.#servers, this.#box, logger);
    this.#revoked = new RevokedEndpoints({
      database: options.database,
      log: options.log,
      logger,
      clock: this.#clock,
    });
    this.#client = new WebhookClient({
      policy: new TargetPolicy({ allowPrivateTargets: options.allowPrivateTargets }),
      deadlineMs: this.#limits.deadlineMs,
      connectionsPerHost: this.#limits.maxConcurrent,
    });
    this.#sender = new DeliverySender({
      ...this.#limits,
      database: options.database,
      endpoints: this.#endpoints,
      client: this.#client,
      logger,
      clock: this.#clock,
      queue: new DeliveryQueue(options.database, this.#clock),
      renderer: new BodyRenderer(),
      metrics: createWebhookMetrics(options.metrics),
      onFinished: () => this.#loop?.wake(),
    });
  }

  async start(): Promise<void> {
    const { database, logger, metrics } = this.#options;
    await database.migrate(webhookMigrations);
    await this.#databaseClock?.start();
    this.#endSamples ??= sampleDeliveries({ metrics, database, clock: this.#clock });
    await resealSecrets(database, this.#box, logger);
    await this.#revoked.start();
    this.#consumer ??= await this.#startConsumer();
    this.#stopListening ??= await database.signals.listen(deliveriesChannel, () => this.#loop?.wake());
    this.#loop ??= this.#startLoop();
    this.#sweepTimer ??= setInterval(() => this.#sweep(), this.#limits.sweepIntervalMs).unref();
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  check(): void {
    this.#revoked.check();
  }

  async #startConsumer(): Promise<Consumer> {
    const { database, log, logger, metrics } = this.#options;
    const fanOut = new ChangeFanOut({
      database,
      endpoints: this.#endpoints,
      servers: this.#servers,
      clock: this.#clock,
    });
    // Rejects until all topics exist: a consumer group that joins earlier gets no partitions of a missing topic.
    await fanOut.readEpochs(log);
    return startConsumer({
      database,
      log,
      logger,
      metrics,
      group: dispatcherGroup,
      definitions: fanOut.definitions,
      handle: (message, unit, record) => fanOut.enqueue(message, unit, record),
    });
  }

  #startLoop(): DueLoop {
    return startDueLoop({
      pass: () => this.#sender.sendDue(),
      clock: this.#clock,
      pollMs: this.#limits.pollMs,
      onFailure: (err) => {
        this.#options.logger.warn({ err }, 'looking for due deliveries failed; trying again');
      },
    });
  }

  /** Sweeps run one after the other: a slow one delays the next. */
  #sweep(): void {
    const { database, logger } = this.#options;
    this.#sweeping = this.#sweeping
      .then(() => sweepDeliveries({ ...this.#limits, database, nowMs: this.#clock() }))
      .catch((err: unknown) => {
        logger.warn({ err }, 'old deliveries could not be swept; trying again later');
      });
  }

  async #stop(): Promise<void> {
    clearInterval(this.#sweepTimer);
    this.#endSamples?.();
    this.#databaseClock?.stop();
    await this.#consumer?.stop();
    await this.#stopListening?.();
    await this.#loop?.stop();
    await this.#revoked.stop();
    await this.#sender.stop(this.#limits.stopGraceMs);
    await this.#sweeping;
    await this.#client.close();
  }
}
