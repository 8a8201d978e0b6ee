import { createHash } from 'node:crypto';
import type { LiveStream } from '@tidegate/bff';
import type { Envelope, MessageDefinition } from '@tidegate/core';
import type { Database, UnitOfWork } from '@tidegate/database';
import type { LogRecord } from '@tidegate/event-log';
import type { BffServer } from '../../graphql/bff-server.ts';
import { deliveriesChannel } from '../endpoints/endpoint-store.ts';
import type { EndpointIndex, RegisteredEndpoint, RegisteredEndpoints } from '../endpoints/endpoint-cache.ts';
import type { WebhookTables } from '../tables.ts';

export interface ChangeIntakeOptions {
  readonly database: Database<WebhookTables>;
  readonly endpoints: RegisteredEndpoints;
  readonly servers: readonly BffServer[];
  /** The log's incarnation: positions of another one mean nothing. */
  readonly epoch: string;
  readonly clock: () => number;
}

/** Statements have a bounded number of parameters, whatever the number of endpoints. */
const ROWS_PER_INSERT = 200;

/** Queues each change for the endpoints that want it, in the transaction that marks it as seen. */
export class ChangeIntake {
  readonly definitions: readonly MessageDefinition[];
  readonly #options: ChangeIntakeOptions;
  readonly #streams: readonly LiveStream[];
  /** One look at the endpoints serves a whole batch: its records were in the log before its transaction began. */
  readonly #indexes = new WeakMap<UnitOfWork<WebhookTables>, Promise<EndpointIndex>>();

  constructor(options: ChangeIntakeOptions) {
    this.#options = options;
    this.#streams = streamsOf(options.servers);
    this.definitions = [...new Set(this.#streams.map((stream) => stream.definition))];
  }

  async take(message: Envelope, unit: UnitOfWork<WebhookTables>, record: LogRecord): Promise<void> {
    const index = await this.#index(unit);
    const wanting = this.#streams
      .filter((stream) => stream.definition.type === message.type)
      .flatMap((stream) => index.find(stream, stream.terms(message.data)))
      .filter((endpoint) => this.#wants(endpoint, message, record));
    if (wanting.length > 0) await this.#queue(wanting, message, unit, record);
  }

  #index(unit: UnitOfWork<WebhookTables>): Promise<EndpointIndex> {
    const known = this.#indexes.get(unit) ?? this.#options.endpoints.current(unit.tx);
    this.#indexes.set(unit, known);
    return known;
  }

  #wants(endpoint: RegisteredEndpoint, message: Envelope, record: LogRecord): boolean {
    const { epoch, offsets } = endpoint.startsAt;
    if (epoch === this.#options.epoch && record.offset < (offsets[record.partition] ?? 0)) return false;
    const { field, args, scope } = endpoint.request;
    return scope.sees(message.data) && (field.matches?.(message.data, args) ?? true);
  }

  async #queue(
    endpoints: readonly RegisteredEndpoint[],
    message: Envelope,
    unit: UnitOfWork<WebhookTables>,
    record: LogRecord,
  ): Promise<void> {
    const now = this.#options.clock();
    const changeId = `${message.source} ${message.id}`;
    await unit.tx
      .insertInto('webhook_changes')
      .values({ id: changeId, envelope: JSON.stringify(envelopeOf(message)), created_at: now })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    const rows = endpoints.map((endpoint) => ({
      id: webhookId(endpoint.id, message),
      endpoint_id: endpoint.id,
      ordering_key: `${record.topic}/${message.subject}`,
      change_id: changeId,
      event_id: message.id,
      subject: message.subject,
      sequence: message.sequence,
      status: 'pending' as const,
      attempts: 0,
      next_attempt_at: now,
      lease_owner: null,
      lease_until: 0,
      body: null,
      created_at: now,
      finished_at: null,
    }));
    for (let from = 0; from < rows.length; from += ROWS_PER_INSERT) {
      await unit.tx
        .insertInto('webhook_deliveries')
        .values(rows.slice(from, from + ROWS_PER_INSERT))
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute();
    }
    this.#options.database.signals.notify(unit, deliveriesChannel);
  }
}

/**
 * The same for every attempt and after every crash, so that a receiver can drop what it has. Hashed, because the
 * signed bytes are `id.timestamp.body`: an id with a dot in it could be read in two ways.
 */
export function webhookId(endpointId: string, change: Pick<Envelope, 'source' | 'id'>): string {
  const hash = createHash('sha256').update(`${endpointId}\n${change.source}\n${change.id}`);
  return `msg_${hash.digest('base64url').slice(0, 32)}`;
}

/** Without what the parser added. */
function envelopeOf(message: Envelope & { readonly name?: string }): Envelope {
  const { name: _name, ...envelope } = message;
  return envelope;
}

function streamsOf(servers: readonly BffServer[]): LiveStream[] {
  const fields = servers.flatMap((server) => Object.values(server.bff.liveFields));
  // What completes after one message is not offered as a webhook: its topic need not be read.
  return [...new Set(fields.filter((field) => !field.once).map((field) => field.stream))];
}
