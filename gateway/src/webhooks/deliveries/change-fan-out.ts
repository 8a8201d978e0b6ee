import type { LiveStream } from '@tidegate/bff';
import type { Envelope, MessageDefinition } from '@tidegate/core';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { EventLog, LogRecord } from '@tidegate/event-log';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { EndpointCache, EndpointIndex, PreparedEndpoint } from '../endpoints/endpoint-cache.ts';
import type { WebhookTables } from '../tables.ts';
import { orderingKey } from './delivery-order.ts';
import { enqueueDeliveries } from './pending-delivery.ts';

export interface ChangeFanOutOptions {
  readonly database: Database<WebhookTables>;
  readonly endpoints: EndpointCache;
  readonly servers: readonly BffServer[];
  readonly clock: () => number;
}

/** Fans each change out: enqueues one delivery for every endpoint whose subscription selects it. */
export class ChangeFanOut {
  /** Messages to consume. */
  readonly definitions: readonly MessageDefinition[];
  readonly #options: ChangeFanOutOptions;
  readonly #streams: readonly LiveStream[];
  /** Epoch of each topic. Offsets of another epoch name other records. */
  #epochs: ReadonlyMap<string, string> = new Map();
  /**
   * One index per transaction, so one look at the endpoints serves a whole batch. The batch's records were in the log
   * before the transaction began, so an endpoint that the index lacks was registered after them
   * and must not receive them.
   */
  readonly #indexes = new WeakMap<UnitOfWork<WebhookTables>, Promise<EndpointIndex>>();

  constructor(options: ChangeFanOutOptions) {
    this.#options = options;
    this.#streams = streamsOf(options.servers);
    this.definitions = [...new Set(this.#streams.map((stream) => stream.definition))];
  }

  /** To be called before the first change. @throws TidegateError NOT_FOUND while a topic does not exist. */
  async readEpochs(log: EventLog): Promise<void> {
    const names = [...new Set(this.definitions.map(({ topic }) => topic.name))];
    const epochs = await Promise.all(names.map((name) => log.epoch(name)));
    this.#epochs = new Map(names.map((name, index) => [name, epochs[index]!]));
  }

  /** Enqueues the deliveries of one change in the consumer's transaction. */
  async enqueue(message: Envelope, unit: UnitOfWork<WebhookTables>, record: LogRecord): Promise<void> {
    const index = await this.#index(unit);
    const selecting = this.#streams
      .filter((stream) => stream.definition.type === message.type)
      .flatMap((stream) => index.find(stream, stream.terms(message.data)))
      .filter((endpoint) => this.#isFromStart(endpoint, record) && selects(endpoint, message));
    if (selecting.length > 0) await this.#enqueueFor(selecting, message, unit, record);
  }

  #index(unit: UnitOfWork<WebhookTables>): Promise<EndpointIndex> {
    const known = this.#indexes.get(unit) ?? this.#options.endpoints.current(unit.tx);
    this.#indexes.set(unit, known);
    return known;
  }

  #isFromStart({ startsAt }: PreparedEndpoint, { topic, partition, offset }: LogRecord): boolean {
    return startsAt.epoch !== this.#epochs.get(topic) || offset >= (startsAt.offsets[partition] ?? 0);
  }

  async #enqueueFor(
    endpoints: readonly PreparedEndpoint[],
    message: Envelope,
    unit: UnitOfWork<WebhookTables>,
    record: LogRecord,
  ): Promise<void> {
    const nowMs = this.#options.clock();
    const changeId = `${message.source} ${message.id}`;
    await unit.tx
      .insertInto('webhook_changes')
      .values({ id: changeId, envelope: JSON.stringify(envelopeOf(message)), created_at: nowMs })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const deliveries = endpoints.map((endpoint) => ({
      endpointId: endpoint.id,
      orderingKey: orderingKey(record.topic, message.subject),
      event: message,
      changeId,
      body: null,
    }));
    await enqueueDeliveries(this.#options.database, unit, deliveries, nowMs);
  }
}

function selects({ request: { field, args, scope } }: PreparedEndpoint, { data }: Envelope): boolean {
  return scope.sees(data) && (field.matches?.(data, args) ?? true);
}

/** Removes `name`, which the message parser added to the envelope. */
function envelopeOf(message: Envelope & { readonly name?: string }): Envelope {
  const { name: _name, ...envelope } = message;
  return envelope;
}

/** Returns the streams of all live fields that a webhook may subscribe to: a field with `once` is refused. */
function streamsOf(servers: readonly BffServer[]): LiveStream[] {
  const fields = servers.flatMap((server) => Object.values(server.bff.liveFields));
  return [...new Set(fields.filter((field) => !field.once).map((field) => field.stream))];
}
