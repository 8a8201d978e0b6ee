import { createMessage, deadLetterTopic, encodeEnvelope, redrivenTopic, topicSpecs } from '@tidegate/core';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until, type TemporaryDirectory } from '@tidegate/testing';
import {
  CounterDocumentChanged,
  sampleTopics,
  type CounterDocument,
} from '@tidegate/testing/sample-messages';
import {
  allCounters,
  createCounterBff,
  createCounterServer,
  fixtureKeys,
  fixtureVerifier,
  LabelService,
} from './counter-bff.fixture.ts';
import { createDispatcher, type Dispatcher } from './dispatcher.ts';
import type { DispatcherLimits } from './dispatcher-limits.ts';
import { webhookMigrations } from './migrations.ts';
import { startReceiver, type Answer, type Receiver } from './receiver.fixture.ts';
import type { DeliveryAnswer, DeliveryPage, EndpointAnswer } from './rest/schemas.ts';
import type { WebhookTables } from './tables.ts';
import { createWebhooksRoute } from './webhooks-route.ts';

export interface WebhookWorldOptions {
  /** Default: a new SQLite database, closed with the world. */
  readonly database?: Database<WebhookTables>;
  /** Default true: receivers listen on loopback. */
  readonly allowPrivateTargets?: boolean;
}

export interface RestAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly json: T;
}

/** Creates a database, a log and the REST interface, all real; only the BFF's services are stand-ins. */
export async function createWebhookWorld(options: WebhookWorldOptions = {}): Promise<WebhookWorld> {
  const directory = await temporaryDirectory('tidegate-webhooks-');
  const world = new WebhookWorld(directory, options);
  await world.prepare();
  return world;
}

export class WebhookWorld {
  readonly labels = new LabelService();
  readonly database: Database<WebhookTables>;
  readonly log: EventLog;
  /** Environment of `dispatcher-process.fixture.ts`, so that it uses the same files. */
  readonly env: Readonly<Record<'DATABASE_PATH' | 'LOG_PATH', string>>;
  readonly #directory: TemporaryDirectory;
  readonly #shared: Omit<Parameters<typeof createDispatcher>[0], 'metrics'>;
  readonly #route: (request: Request) => Promise<Response | undefined>;
  readonly #dispatchers: Dispatcher[] = [];
  readonly #receivers: Receiver[] = [];
  #frozenMs: number | undefined;

  constructor(directory: TemporaryDirectory, options: WebhookWorldOptions) {
    this.#directory = directory;
    this.env = {
      DATABASE_PATH: `${directory.path}/webhooks.sqlite`,
      LOG_PATH: `${directory.path}/log.sqlite`,
    };
    this.database = options.database ?? createSqliteDatabase<WebhookTables>({ path: this.env.DATABASE_PATH });
    this.log = createSqliteEventLog({ path: this.env.LOG_PATH, logger: silentLogger, pollMs: 2 });
    this.#shared = {
      database: this.database,
      secretKeys: fixtureKeys,
      log: this.log,
      bffs: [createCounterBff(this.labels)],
      logger: silentLogger,
      allowPrivateTargets: options.allowPrivateTargets ?? true,
      clock: () => this.nowMs,
    };
    this.#route = createWebhooksRoute({
      ...this.#shared,
      servers: [createCounterServer(this.labels)],
      verifier: fixtureVerifier,
    });
  }

  async prepare(): Promise<void> {
    await this.log.ensureTopics(
      topicSpecs([sampleTopics.counterDocuments, deadLetterTopic, redrivenTopic], 2),
    );
    await this.database.migrate(webhookMigrations);
  }

  /** Time of the world in epoch milliseconds. It runs until the first `advance`. */
  get nowMs(): number {
    return this.#frozenMs ?? Date.now();
  }

  /** Stops the clock, and moves it forward. */
  advance(ms: number): void {
    this.#frozenMs = this.nowMs + ms;
  }

  handle(request: Request): Promise<Response | undefined> {
    return this.#route(request);
  }

  /** Calls the REST interface. A string body is sent as it is, any other value as JSON. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller names the answer's type
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    token = 'partner-acme',
  ): Promise<RestAnswer<T>> {
    const request = new Request(`http://gateway${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const response = (await this.handle(request))!;
    const text = await response.text();
    const json = (text ? JSON.parse(text) : undefined) as T;
    return { status: response.status, headers: response.headers, json };
  }

  /** Starts one more dispatcher with short retries. `close` stops it. */
  async startDispatcher(
    limits: Partial<DispatcherLimits> = {},
    policy: { allowPrivateTargets?: boolean } = {},
  ): Promise<Dispatcher> {
    const dispatcher = createDispatcher({
      ...this.#shared,
      ...policy,
      metrics: createMetrics({ nodeMetrics: false }),
      limits: { retryScheduleMs: [5, 5, 5, 5], pollMs: 20, stopGraceMs: 100, ...limits },
    });
    this.#dispatchers.push(dispatcher);
    await dispatcher.start();
    return dispatcher;
  }

  /** Starts a partner's HTTP server. `close` stops it. */
  async startReceiver(answer?: Answer): Promise<Receiver> {
    const receiver = await startReceiver(answer);
    this.#receivers.push(receiver);
    return receiver;
  }

  /** Registers an endpoint of the partner `acme`. Default document: every change of every counter. */
  async register(
    url: string,
    document = allCounters,
    variables: Record<string, unknown> = {},
    token = 'partner-acme',
  ): Promise<EndpointAnswer & { secret: string }> {
    const body = { url, document, variables };
    const { status, json } = await this.call<EndpointAnswer & { secret: string }>(
      'POST',
      '/webhooks/endpoints',
      body,
      token,
    );
    if (status !== 201) throw new Error(JSON.stringify(json));
    return json;
  }

  /** Lists the newest 200 deliveries of an endpoint. */
  async deliveries(endpointId: string): Promise<DeliveryAnswer[]> {
    const path = `/webhooks/endpoints/${endpointId}/deliveries?limit=200`;
    return (await this.call<DeliveryPage>('GET', path)).json.deliveries;
  }

  /** Waits until the endpoint has `count` deliveries and none is pending, then returns them. */
  settled(endpointId: string, count: number): Promise<DeliveryAnswer[]> {
    const settled = async () => {
      const deliveries = await this.deliveries(endpointId);
      const done = deliveries.length === count && deliveries.every(({ status }) => status !== 'pending');
      return done && deliveries;
    };
    return until(settled, { what: `${count} deliveries are settled` });
  }

  /** Appends one version of a counter to the log. The version is its count, too. */
  async change(
    counterId: string,
    version: number,
    { status = 'OPEN', ownerId = 'owner-1' }: Partial<CounterDocument> = {},
  ): Promise<void> {
    const envelope = createMessage(CounterDocumentChanged, {
      id: `counter/${counterId}@${version}`,
      key: counterId,
      sequence: version,
      timeMs: 1_790_000_000_000 + version,
      data: { counterId, ownerId, count: version, status },
    });
    await this.log.append(sampleTopics.counterDocuments.name, [encodeEnvelope(envelope)]);
  }

  async close(): Promise<void> {
    await Promise.all(this.#dispatchers.map((dispatcher) => dispatcher.stop()));
    await Promise.all(this.#receivers.map((receiver) => receiver.close()));
    await this.log.close();
    await this.database.close();
    await this.#directory.remove();
  }
}
