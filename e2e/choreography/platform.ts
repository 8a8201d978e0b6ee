import {
  cancelOrder,
  OrderDocumentChanged,
  placeOrder,
  topics,
  type CommandResult,
  type OrderDocument,
  type OrderStatus,
} from '@order-platform/contracts';
import { createMessageParser, type InputOf } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import type { OutboxTables } from '@tidegate/messaging';
import type { ServiceClient } from '@tidegate/service/operations';
import type { InventoryTables } from '@order-platform/service-inventory';
import type { PaymentProvider } from '@order-platform/service-payments/provider';
import { until } from '@tidegate/testing';
import { createServices, groups, type PlatformOptions, type Services } from './services.ts';
import type { Storage } from './storage.ts';

export type Line = InputOf<typeof placeOrder>['lines'][number];

const actor = { role: 'customer', id: 'ada' } as const;
const parse = createMessageParser([OrderDocumentChanged]);

/** All services of the order platform in this process. Commands are sent as customer `ada`. */
export class Platform implements AsyncDisposable {
  readonly log: EventLog;
  readonly #storage: Storage;
  readonly #services: Services;
  readonly #documents = new Map<string, OrderDocument[]>();

  /** Starts all services. Disposing of the platform disposes of the storage. */
  static async start(storage: Storage, options: PlatformOptions = {}): Promise<Platform> {
    const platform = new Platform(storage, createServices(storage, options));
    await Promise.all(platform.#services.all.map((service) => service.start()));
    await storage.log.tail({
      topics: [topics.orderDocuments.name],
      from: 'start',
      onRecords: (records) => platform.#keep(records),
    });
    return platform;
  }

  private constructor(storage: Storage, services: Services) {
    this.log = storage.log;
    this.#storage = storage;
    this.#services = services;
  }

  get client(): ServiceClient {
    return this.#services.client;
  }

  get provider(): PaymentProvider {
    return this.#services.provider;
  }

  get inventory(): Database<InventoryTables> {
    return this.#services.databases.inventory;
  }

  place(orderId: string, ...lines: Line[]): Promise<CommandResult> {
    const commandId = `place-${orderId}`;
    return this.client.call(placeOrder, { commandId, actor, orderId, customerId: actor.id, lines });
  }

  cancel(orderId: string): Promise<CommandResult> {
    const commandId = `cancel-${orderId}`;
    return this.client.call(cancelOrder, { commandId, actor, orderId, reason: 'changed my mind' });
  }

  /** Published documents of the order, oldest first. */
  published(orderId: string): readonly OrderDocument[] {
    return this.#documents.get(orderId) ?? [];
  }

  publishedOrders(): readonly string[] {
    return [...this.#documents.keys()];
  }

  /** Resolves with the order's document as soon as one with this status is published. */
  reaches(orderId: string, status: OrderStatus): Promise<OrderDocument> {
    return until(() => this.published(orderId).findLast((document) => document.status === status), {
      what: `${orderId} is ${status}`,
      timeoutMs: 20_000,
    });
  }

  /** Resolves when every outbox is empty and every consumer group has handled all records. */
  async idle(): Promise<void> {
    // Checked twice, because a message on its way from an outbox to a group is for a moment in neither.
    await until(async () => (await this.#isIdle()) && (await this.#isIdle()), {
      what: 'the platform is idle',
      timeoutMs: 60_000,
      everyMs: 20,
    });
  }

  /** Sets the faults of the payment provider. */
  async behave(behaviour: { delayMs?: number; failRate?: number }): Promise<void> {
    const body = JSON.stringify(behaviour);
    await this.provider.handle(new Request('http://provider/behaviour', { method: 'PUT', body }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#services.all.map((service) => service.stop()));
    await this.#storage[Symbol.asyncDispose]();
  }

  #keep(records: readonly LogRecord[]): void {
    for (const record of records) {
      const { data } = parse(record)!;
      this.#documents.set(data.orderId, [...this.published(data.orderId), data]);
    }
  }

  async #isIdle(): Promise<boolean> {
    for (const database of Object.values(this.#services.databases) as Database<OutboxTables>[]) {
      if (await database.query.selectFrom('outbox').select('id').executeTakeFirst()) return false;
    }
    const lags = await Promise.all(
      Object.entries(groups).flatMap(([group, consumed]) =>
        consumed.map(({ name }) => this.log.lag(group, name)),
      ),
    );
    return lags.flat().every(({ lag }) => lag === 0);
  }
}

/** Starts a platform on a storage of its own. */
export type StartPlatform = (options?: PlatformOptions) => Promise<Platform>;
