import { Heartbeats } from '../heartbeats.ts';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anonymous, type Viewer } from '@tidegate/bff';
import { TidegateError, toTidegateError } from '@tidegate/core';
import { createMetrics, silentLogger, type Metrics } from '@tidegate/runtime/telemetry';
import { createMemorySharedState } from '@tidegate/shared-state';
import { GraphQLError, parse } from 'graphql';
import { RevocationList } from '../../auth/revocation-list.ts';
import type { BffServer } from '../../graphql/bff-server.ts';
import type { OperationParams } from '../../graphql/operation-params.ts';
import { formatError } from '../../graphql/error-codes.ts';
import { Admission, type AdmissionLimits } from '../../admission/admission.ts';
import { createClientAddresses } from '../../admission/client-address.ts';
import type { EdgeGuards } from '../../admission/connection-hold.ts';
import { createEdgeMetrics } from '../../admission/metrics.ts';
import { RequestRates, type RateLimits } from '../../admission/request-rates.ts';
import { GraphqlEndpoint, type GraphqlEndpointOptions } from '../graphql-endpoint.ts';
import { createOriginPolicy } from '../../admission/origin-policy.ts';
import { encodeFrame, type Frame } from '../../live/group/frame.ts';
import type { LiveHub } from '../../live/hub.ts';
import type { LiveRequest } from '../../live/live-request.ts';
import type { Sink } from '../../live/sink.ts';
import { createLiveMetrics } from '../../live/metrics.ts';
import { FlushScheduler } from '../outbound/flush-scheduler.ts';

/** A subscription of the fixture's hub. */
export interface OpenSubscription {
  readonly sink: Required<Sink>;
  readonly cursor: string | undefined;
  readonly stopped: boolean;
}

export interface SseEndpointFixtureOptions extends Partial<GraphqlEndpointOptions> {
  readonly limits?: Partial<AdmissionLimits & RateLimits>;
}

export interface SseEndpointFixture extends AsyncDisposable {
  readonly url: string;
  readonly endpoint: GraphqlEndpoint;
  readonly guards: EdgeGuards;
  readonly subscriptions: OpenSubscription[];
  metricsText(): Promise<string>;
}

/** Accepts tokens of the form `<role>.<id>`, optionally with `.<expiry in ms>`. */
function viewerOf(authorization: string | null | undefined): Viewer {
  if (authorization == null) return anonymous;
  const match = /^Bearer (member|operator)\.([a-z0-9-]+?)(?:\.([0-9]+))?$/.exec(authorization);
  if (!match) throw new TidegateError('UNAUTHENTICATED', 'The token is not valid here.');
  const [, role, id, expiresAtMs] = match;
  return {
    role: role as 'member',
    id: id!,
    ...(expiresAtMs !== undefined && { expiresAtMs: Number(expiresAtMs) }),
  };
}

/** Recognises operations by the first word of their document: `subscription`, `mutation`, `broken`, or else a query. */
function stubServer(): BffServer {
  const kindOf = ({ query }: OperationParams): 'query' | 'mutation' | 'subscription' => {
    if (!query || query.startsWith('broken'))
      throw new TidegateError('GRAPHQL_PARSE_FAILED', 'Syntax Error: broken');
    return query.startsWith('subscription')
      ? 'subscription'
      : query.startsWith('mutation')
        ? 'mutation'
        : 'query';
  };
  return {
    operationKind: kindOf,
    document: () => parse('{ stub }'),
    costOf: () => 1,
    liveRequest: (_params: OperationParams, _facts: unknown, cursor: string | undefined) =>
      ({ cursor, field: { overflow: 'latest-per-key' } }) as unknown as LiveRequest,
    execute: async (params: OperationParams) => ({ data: { echo: params.query } }),
    errors: (error: unknown) => {
      const { message, extensions } = formatError(toTidegateError(error));
      return [new GraphQLError(message, { extensions })];
    },
  } as unknown as BffServer;
}

function stubHub(subscriptions: OpenSubscription[]): LiveHub {
  return {
    subscribe: (request: LiveRequest, sink: Required<Sink>) => {
      const subscription = { sink, cursor: request.cursor, stopped: false };
      subscriptions.push(subscription);
      return { stop: () => (subscription.stopped = true) };
    },
  } as unknown as LiveHub;
}

/** Guards with generous limits. */
export function createGuards(
  metrics: Metrics,
  limits: Partial<AdmissionLimits & RateLimits> = {},
): EdgeGuards {
  const edgeMetrics = createEdgeMetrics(metrics);
  const generous = {
    maxConnectionsPerAddress: 100,
    maxConnectionsPerViewer: 100,
    maxSubscriptionsPerViewer: 100,
    maxOperationBytesPerConnection: 1_000_000,
    maxOperationBytesPerAddress: 1_000_000,
    maxReservationsPerAddress: 100,
    maxReservationsPerViewer: 100,
    maxCostPerViewer: 0,
    maxCostPerAddress: 0,
    ...limits,
  };
  return {
    admission: new Admission({ limits: generous, metrics: edgeMetrics }),
    rates: new RequestRates({
      limits: generous,
      state: createMemorySharedState({ maxEntries: 1_000 }),
      metrics: edgeMetrics,
      logger: silentLogger,
    }),
    revocations: new RevocationList(),
    metrics: edgeMetrics,
  };
}

/** Starts an endpoint behind a real HTTP server, with a hub whose subscriptions the test delivers to. */
export async function startSseEndpoint({
  limits,
  ...options
}: SseEndpointFixtureOptions = {}): Promise<SseEndpointFixture> {
  const metrics = createMetrics({ nodeMetrics: false });
  const guards = createGuards(metrics, limits);
  const subscriptions: OpenSubscription[] = [];
  const endpoint = new GraphqlEndpoint({
    server: stubServer(),
    hub: stubHub(subscriptions),
    metrics: createLiveMetrics(metrics),
    scheduler: new FlushScheduler(),
    verifier: { verify: async (authorization) => viewerOf(authorization) },
    maxBodyBytes: 64 * 1024,
    maxQueuedBytes: 64 * 1024,
    maxSubscriptionsPerConnection: 3,
    heartbeats: new Heartbeats(60_000),
    maxConnectionAgeMs: 0,
    addresses: createClientAddresses([]),
    origins: createOriginPolicy([]),
    guards,
    ...options,
  });
  const server = createServer((request, response) => void endpoint.handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql/test`,
    endpoint,
    guards,
    subscriptions,
    metricsText: async () => (await metrics.render()).body,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A change of one key; its cursor names the version. */
export function change(version: number, text = ''): Frame {
  const facts = {
    cursor: `cursor-${version}`,
    kind: 'change',
    key: 'a',
    version,
    id: `id-${version}`,
  } as const;
  return encodeFrame({ data: { version, text } }, facts, version);
}

/** Reads an event stream piece by piece. */
export class StreamReader {
  readonly response: Response;
  /** Text received so far. */
  text = '';
  /** Resolves when the stream has ended. */
  readonly ended: Promise<'complete' | 'cut'>;

  constructor(response: Response) {
    this.response = response;
    this.ended = this.#read().then(
      () => 'complete' as const,
      () => 'cut' as const,
    );
  }

  async #read(): Promise<void> {
    for await (const chunk of this.response.body!.pipeThrough(new TextDecoderStream())) this.text += chunk;
  }
}
