import { deadLetterTopic, topicSpecs, type MessageDefinition, type TopicDefinition } from '@tidegate/core';
import type { Database, Migrations, Tables } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import { startConsumer, startRelay, type ConsumerOptions, type Outbox } from '@tidegate/messaging';
import { createServiceHandler, type Implementation } from './operations/index.ts';
import { type FetchHandler } from '@tidegate/runtime/process';
import type { Logger } from '@tidegate/runtime/telemetry';

/** What every service is built on; its process chooses the adapters and closes them. */
export interface ServiceDependencies<TheTables = Tables> {
  readonly database: Database<TheTables>;
  readonly log: EventLog;
  readonly logger: Logger;
  /** Of each topic; the same in every service. Default 6. */
  readonly partitions?: number;
}

export interface Service<Name extends string = string> {
  readonly name: Name;
  readonly handle: FetchHandler;
  /** Migrates, creates topics, then relays and consumes. What a start that rejects has begun, `stop` ends. */
  start(): Promise<void>;
  /** Finishes what is under way. Idempotent. */
  stop(): Promise<void>;
}

export interface Stoppable {
  stop(): Promise<void>;
}

export interface ServiceOptions<Name extends string, Definitions extends readonly MessageDefinition[]> {
  /** Also the name of its consumer group. */
  readonly name: Name;
  readonly dependencies: ServiceDependencies;
  readonly migrations: Migrations;
  /** What the service writes to; `start` relays it. */
  readonly outbox: Outbox;
  /** The topics that it writes to. */
  readonly ownedTopics: readonly TopicDefinition[];
  readonly consumed: Definitions;
  /** See `ConsumerOptions`. */
  readonly handle: ConsumerOptions<Definitions>['handle'];
  /** See `ConsumerOptions`. Default true. */
  readonly inbox?: boolean;
  /** What it answers; by default nothing. */
  readonly implementations?: readonly Implementation[];
  /** Runs when messages are relayed and none is consumed yet; what it starts is stopped after the consumer. */
  readonly beforeConsuming?: () => Stoppable | Promise<void>;
}

export const defaultPartitions = 6;

/**
 * The life that all services share: an outbox that is relayed, a consumer group of its own, operations that are
 * answered. The relay comes first and goes last, so that what is handled while stopping is still published.
 */
export function createService<Name extends string, const Definitions extends readonly MessageDefinition[]>(
  options: ServiceOptions<Name, Definitions>,
): Service<Name> {
  const { name, outbox, consumed, handle, inbox = true, implementations = [] } = options;
  const { database, log, logger, partitions = defaultPartitions } = options.dependencies;
  const running: Stoppable[] = [];

  async function start(): Promise<void> {
    await database.migrate(options.migrations);
    const needed = [...options.ownedTopics, ...consumed.map(({ topic }) => topic), deadLetterTopic];
    await log.ensureTopics(topicSpecs([...new Set(needed)], partitions));
    running.push(await startRelay({ database, log, outbox, logger, name }));
    const started = await options.beforeConsuming?.();
    if (started) running.push(started);
    running.push(
      await startConsumer({ database, log, logger, group: name, definitions: consumed, inbox, handle }),
    );
  }

  async function stop(): Promise<void> {
    for (const component of running.splice(0).reverse()) await component.stop();
  }

  return { name, handle: createServiceHandler({ implementations, logger }), start, stop };
}
