import {
  customerScope,
  commandOutcomeStream,
  orderStream,
  type CommandOutcomeData,
} from '@order-platform/bff-shared';
import { defineLiveField, type Bff, type Viewer } from '@tidegate/bff';
import { deadLetterTopic, createMessage, encodeEnvelope, topicSpecs, TidegateError } from '@tidegate/core';
import {
  OrderDocumentChanged,
  topics,
  type OrderDocument,
  type OrderStatus,
} from '@order-platform/contracts';
import type { Database } from '@tidegate/database';
import { createSqliteDatabase } from '@tidegate/database/sqlite';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { temporaryDirectory, until } from '@tidegate/testing';
import type { TokenVerifier } from '../auth/token-verifier.ts';
import { BffServer } from '../graphql/bff-server.ts';
import { createDispatcher, type Dispatcher, type DispatcherLimits } from './dispatcher.ts';
import { startReceiver, type Answer, type Receiver } from './receiver.fixture.ts';
import type { DeliveryPage, EndpointAnswer } from './rest/schemas.ts';
import type { WebhookTables } from './tables.ts';
import { createWebhooks } from './webhooks.ts';

/** What a resolver that needs a service does; tests make it fail. */
export interface Weather {
  failure: TidegateError | undefined;
  renders: number;
}

function createBff(weather: Weather): Bff {
  return {
    name: 'web',
    typeDefs: `
      enum Status { PLACED RESERVED CONFIRMED PREPARING DISPATCHED DELIVERED REJECTED CANCELLED }
      type Order { orderId: ID! version: Int! status: Status! customerId: ID! advice: String }
      type Query { nothing: String }
      type Subscription { order(id: ID!): Order! orders(status: [Status!], customer: ID): Order! outcome(id: ID!): ID! }
    `,
    resolvers: {
      Order: {
        advice: async () => {
          weather.renders++;
          if (weather.failure) throw weather.failure;
          return 'keep dry';
        },
      },
    },
    liveFields: {
      order: defineLiveField<{ id: string }, OrderDocument, unknown>({
        stream: orderStream,
        authorise: (viewer) => customerScope(viewer),
        term: ({ id }) => `id:${id}`,
        overflow: 'latest-per-key',
      }),
      orders: defineLiveField<{ status?: OrderStatus[]; customer?: string }, OrderDocument, unknown>({
        stream: orderStream,
        authorise: (viewer) => customerScope(viewer),
        term: ({ customer }) => (customer ? `customer:${customer}` : 'all'),
        matches: (data, { status }) => !status || status.includes(data.status),
        overflow: 'close',
      }),
      outcome: defineLiveField<{ id: string }, CommandOutcomeData, unknown>({
        stream: commandOutcomeStream,
        authorise: (viewer) => customerScope(viewer),
        term: ({ id }) => `id:${id}`,
        once: true,
        overflow: 'close',
      }),
    },
    remembersWrites: false,
  };
}

/** `Bearer <role>-<id>` is that viewer. */
const verifier: TokenVerifier = {
  verify: async (authorization) => {
    const match = /^Bearer (partner|customer|operator)-(\w+)$/.exec(authorization ?? '');
    if (!match) return { role: 'anonymous', id: '' };
    return { role: match[1] as Viewer['role'], id: match[2]! };
  },
};

const unreachable = { call: () => Promise.reject(new TidegateError('UNAVAILABLE', 'no services here')) };

export function createFixtureServer(weather: Weather = { failure: undefined, renders: 0 }): BffServer {
  return new BffServer({
    bff: createBff(weather),
    client: unreachable as never,
    state: undefined as never,
    logger: silentLogger,
    maxBodyBytes: 10_000,
    trustedOnly: true,
  });
}

/** A database, a log, the REST interface and any number of dispatchers, all real but the services. */
export async function createWebhookWorld(
  options: { database?: Database<WebhookTables>; clock?: () => number; allowPrivateTargets?: boolean } = {},
) {
  const directory = await temporaryDirectory('tidegate-webhooks-');
  const database =
    options.database ?? createSqliteDatabase<WebhookTables>({ path: `${directory.path}/webhooks.sqlite` });
  const log = createSqliteEventLog({ path: `${directory.path}/log.sqlite`, logger: silentLogger, pollMs: 2 });
  await log.ensureTopics(topicSpecs([topics.orderDocuments, deadLetterTopic], 2));
  const weather: Weather = { failure: undefined, renders: 0 };
  const server = createFixtureServer(weather);
  const shared = {
    database,
    log,
    servers: [server],
    logger: silentLogger,
    allowPrivateTargets: options.allowPrivateTargets ?? true,
    ...(options.clock && { clock: options.clock }),
  };
  const webhooks = createWebhooks({ ...shared, verifier });
  await database.migrate(webhooks.migrations);
  const dispatchers: Dispatcher[] = [];
  const receivers: Receiver[] = [];

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller says what it expects to read
  async function call<T>(method: string, path: string, body?: unknown, token = 'partner-acme') {
    const response = await webhooks.handle(
      new Request(`http://gateway${path}`, {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    );
    const text = await response!.text();
    return {
      status: response!.status,
      headers: response!.headers,
      json: (text ? JSON.parse(text) : undefined) as T,
    };
  }

  return {
    database,
    log,
    weather,
    /** For `dispatcher-process.fixture.ts`: the same files. */
    env: { DATABASE_PATH: `${directory.path}/webhooks.sqlite`, LOG_PATH: `${directory.path}/log.sqlite` },
    call,
    handle: webhooks.handle,
    async dispatcher(
      limits: Partial<DispatcherLimits> = {},
      policy: { allowPrivateTargets?: boolean } = {},
    ): Promise<Dispatcher> {
      const dispatcher = createDispatcher({
        ...shared,
        ...policy,
        metrics: createMetrics({ nodeMetrics: false }),
        limits: { retryScheduleMs: [5, 5, 5, 5], pollMs: 20, stopGraceMs: 100, ...limits },
      });
      dispatchers.push(dispatcher);
      await dispatcher.start();
      return dispatcher;
    },
    async receiver(answer?: Answer): Promise<Receiver> {
      const receiver = await startReceiver(answer);
      receivers.push(receiver);
      return receiver;
    },
    async register(url: string, document = allOrders, variables: Record<string, unknown> = {}) {
      const answer = await call<EndpointAnswer & { secret: string }>('POST', '/webhooks/endpoints', {
        url,
        document,
        variables,
      });
      if (answer.status !== 201) throw new Error(JSON.stringify(answer.json));
      return answer.json;
    },
    deliveries: async (id: string) =>
      (await call<DeliveryPage>('GET', `/webhooks/endpoints/${id}/deliveries?limit=200`)).json.deliveries,
    /** Resolves with them when there are so many and none is pending. */
    settled: (id: string, count: number) =>
      until(
        async () => {
          const { deliveries } = (
            await call<DeliveryPage>('GET', `/webhooks/endpoints/${id}/deliveries?limit=200`)
          ).json;
          return (
            deliveries.length === count && deliveries.every((each) => each.status !== 'pending') && deliveries
          );
        },
        { what: `${count} deliveries are settled` },
      ),
    change: (orderId: string, version: number, status: OrderStatus = 'PLACED', customerId = 'customer-1') =>
      appendOrder(log, orderId, version, status, customerId),
    async close(): Promise<void> {
      await Promise.all(dispatchers.map((dispatcher) => dispatcher.stop()));
      await Promise.all(receivers.map((receiver) => receiver.close()));
      await log.close();
      await database.close();
      await directory.remove();
    },
  };
}

export type WebhookWorld = Awaited<ReturnType<typeof createWebhookWorld>>;

export const allOrders = 'subscription { orders { orderId version status } }';

async function appendOrder(
  log: EventLog,
  orderId: string,
  version: number,
  status: OrderStatus,
  customerId: string,
): Promise<void> {
  const at = new Date(1_790_000_000_000 + version).toISOString();
  const envelope = createMessage(OrderDocumentChanged, {
    id: `order/${orderId}@${version}`,
    key: orderId,
    sequence: version,
    timeMs: Date.parse(at),
    data: {
      orderId,
      version,
      versionVector: { orders: version, inventory: 0, payments: 0, shipping: 0 },
      customerId,
      status,
      lines: [],
      total: { amountCents: 100, currency: 'EUR' },
      placedAt: at,
      updatedAt: at,
    },
  });
  await log.append(topics.orderDocuments.name, [encodeEnvelope(envelope)]);
}
