import {
  deadLetterTopic,
  redrivenTopic,
  topicSpecs,
  type MessageDefinition,
  type TopicDefinition,
} from '@tidegate/core';
import type { Database, Migrations, Tables } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { startConsumer, startRelay, type ConsumerOptions, type Outbox } from '@tidegate/messaging';
import type { CallerKeys } from './callers/caller-keys.ts';
import { createServiceHandler, type Implementation } from './operations/index.ts';
import type { FetchHandler } from '@tidegate/runtime/http';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';

/** The parts that every service is built on. Its process chooses the adapters and closes them. */
export interface ServiceDependencies<TheTables = Tables> {
  readonly database: Database<TheTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Default: nothing is measured. */
  readonly metrics?: Metrics | undefined;
  /** Epoch milliseconds, for due times and leases. Default `Date.now`; `runService` gives that of the database. */
  readonly clock?: () => number;
  /** Partitions of each topic, the same number in every service. Default 6. */
  readonly partitions?: number;
  /** Verify commands that come through the log. Default: none is believed. */
  readonly callerKeys?: CallerKeys;
}

export interface Service<Name extends string = string> {
  readonly name: Name;
  /** Answers the operations of the service. */
  readonly handle: FetchHandler;
  /** Migrates the database, creates the topics, then relays and consumes. When it rejects, call `stop`: it stops the parts that run. */
  start(): Promise<void>;
  /** Finishes the messages under way. Idempotent. */
  stop(): Promise<void>;
}

export interface Stoppable {
  stop(): Promise<void>;
}

export interface ServiceOptions<Name extends string, Definitions extends readonly MessageDefinition[]> {
  /** Name of the service and of its consumer group. */
  readonly name: Name;
  readonly dependencies: ServiceDependencies;
  readonly migrations: Migrations;
  /** The outbox that the service writes its messages to. `start` relays it to the log. */
  readonly outbox: Outbox;
  /** Topics that the service writes to. */
  readonly ownedTopics: readonly TopicDefinition[];
  /** Messages that the service consumes. */
  readonly consumed: Definitions;
  /** Handles one consumed message. See `ConsumerOptions`. */
  readonly handle: ConsumerOptions<Definitions>['handle'];
  /** Deduplicates consumed messages by an inbox. See `ConsumerOptions`. Default true. */
  readonly inbox?: boolean;
  /** Operations that the service answers. Default: none. */
  readonly implementations?: readonly Implementation[];
  /** Runs when the relay is running and before the first message is consumed. Its result is stopped after the consumer. */
  readonly beforeConsuming?: () => Stoppable | Promise<void>;
}

export const defaultPartitions = 6;

/**
 * Creates a service: an outbox that is relayed, a consumer group of its own, operations that are answered.
 *
 * @example
 * const service = createService({
 *   name: 'bookings',
 *   dependencies: { database, log, logger },
 *   migrations: { ...outboxMigrations, ...inboxMigrations },
 *   outbox,
 *   ownedTopics: [bookingEvents],
 *   consumed: [TripCancelled],
 *   handle: async ({ data }, unit) => refund(unit, data.tripId),
 *   implementations: [implement(bookTrip, book)],
 * });
 * await service.start();
 */
export function createService<Name extends string, const Definitions extends readonly MessageDefinition[]>(
  options: ServiceOptions<Name, Definitions>,
): Service<Name> {
  return new MessageService(options);
}

class MessageService<
  Name extends string,
  const Definitions extends readonly MessageDefinition[],
> implements Service<Name> {
  readonly name: Name;
  readonly handle: FetchHandler;
  readonly #options: ServiceOptions<Name, Definitions>;
  readonly #running: Stoppable[] = [];

  constructor(options: ServiceOptions<Name, Definitions>) {
    const { implementations = [], dependencies } = options;
    this.#options = options;
    this.name = options.name;
    this.handle = createServiceHandler({ implementations, logger: dependencies.logger });
  }

  /** The relay starts first and stops last, so that messages added while stopping are still published. */
  async start(): Promise<void> {
    const { name, outbox, consumed, handle, inbox = true } = this.#options;
    const { database, log, logger, metrics, partitions = defaultPartitions } = this.#options.dependencies;
    await database.migrate(this.#options.migrations);
    const topics = [...this.#options.ownedTopics, ...consumed.map(({ topic }) => topic)];
    await log.ensureTopics(topicSpecs([...new Set([...topics, deadLetterTopic, redrivenTopic])], partitions));
    const parts = { database, log, logger, metrics };
    this.#running.push(await startRelay({ ...parts, outbox, name }));
    const started = await this.#options.beforeConsuming?.();
    if (started) this.#running.push(started);
    this.#running.push(await startConsumer({ ...parts, group: name, definitions: consumed, inbox, handle }));
  }

  async stop(): Promise<void> {
    for (const component of this.#running.splice(0).reverse()) await component.stop();
  }
}
