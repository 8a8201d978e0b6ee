import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Bff, LiveStream } from '@tidegate/bff';
import type { EventLog } from '@tidegate/event-log';
import type { FetchHandler, ServiceClient } from '@tidegate/service-api';
import type { SharedState } from '@tidegate/shared-state';
import type { Logger, Metrics } from '@tidegate/telemetry';
import { createServerAdapter } from '@whatwg-node/server';
import type { TokenVerifier } from './auth/token-verifier.ts';
import { BffServer } from './graphql/bff-server.ts';
import { GraphqlEndpoint } from './http/graphql-endpoint.ts';
import { refuseUpgrade } from './http/refuse.ts';
import { Canary, canaryStream } from './live/canary.ts';
import { createCursorCodec } from './live/cursor.ts';
import { FlowWatch } from './live/flow-watch.ts';
import { LiveHub } from './live/hub.ts';
import { createLiveMetrics } from './live/metrics.ts';
import { FlushScheduler } from './transports/outbound/flush-scheduler.ts';
import { WebSocketTransport } from './transports/websocket/websocket-server.ts';

export interface GatewayOptions {
  readonly bffs: readonly Bff[];
  readonly log: EventLog;
  readonly client: ServiceClient;
  readonly state: SharedState;
  readonly verifier: TokenVerifier;
  /** The first signs cursors, all verify them. */
  readonly cursorSecrets: readonly string[];
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** What is not GraphQL, asked in turn; the first that answers does. */
  readonly routes: readonly ((request: Request) => Promise<Response | undefined>)[];
  readonly trustedOnly?: boolean;
  readonly limits?: Partial<GatewayLimits>;
}

/** Every bound of the edge in one place. */
export interface GatewayLimits {
  readonly maxBodyBytes: number;
  readonly maxMessageBytes: number;
  /** What may wait in one connection's outbound queue. */
  readonly maxQueuedBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly heartbeatMs: number;
  /** Over how long connections are asked to come back elsewhere when the process drains. */
  readonly drainWindowMs: number;
  /** Memory for the newest changes of each stream: who was away no longer than they reach needs no read of the log. */
  readonly historyBytes: number;
  /** How many of each partition's newest records are read at start. */
  readonly fillRecords: number;
}

const defaultLimits: GatewayLimits = {
  maxBodyBytes: 256 * 1024,
  maxMessageBytes: 256 * 1024,
  maxQueuedBytes: 1024 * 1024,
  maxSubscriptionsPerConnection: 100,
  heartbeatMs: 15_000,
  drainWindowMs: 2_000,
  historyBytes: 64 * 1024 * 1024,
  fillRecords: 2_000,
};

/** The live edge of one process: BFFs over HTTP, WebSocket and Server-Sent Events, fed by one hub. */
export class Gateway {
  readonly servers: readonly BffServer[];
  readonly hub: LiveHub;
  readonly #options: GatewayOptions;
  readonly #endpoints = new Map<string, GraphqlEndpoint>();
  readonly #transports = new Map<string, WebSocketTransport>();
  readonly #routes: RequestListener;
  readonly #canary: Canary;
  #draining = false;
  readonly #limits: GatewayLimits;
  readonly #watch: FlowWatch;

  constructor(options: GatewayOptions) {
    this.#options = options;
    const limits = { ...defaultLimits, ...options.limits };
    this.#limits = limits;
    const { log, logger, verifier, client, state } = options;
    const metrics = createLiveMetrics(options.metrics);
    this.servers = options.bffs.map(
      (bff) =>
        new BffServer({
          bff,
          client,
          state,
          logger,
          maxBodyBytes: limits.maxBodyBytes,
          trustedOnly: options.trustedOnly ?? true,
        }),
    );
    this.hub = new LiveHub({
      streams: [...streamsOf(options.bffs), canaryStream],
      log,
      codec: createCursorCodec(options.cursorSecrets),
      logger,
      metrics,
      historyBytes: limits.historyBytes,
      fillRecords: limits.fillRecords,
    });
    this.#canary = new Canary({ hub: this.hub, log, logger });
    this.#watch = new FlowWatch({ log, logger, feeds: this.hub.feeds });
    const scheduler = new FlushScheduler();
    for (const server of this.servers) {
      const shared = { server, hub: this.hub, verifier, logger, metrics, scheduler, ...limits };
      this.#endpoints.set(server.path, new GraphqlEndpoint(shared));
      this.#transports.set(server.path, new WebSocketTransport(shared));
    }
    const routes = createServerAdapter(createRoutes(options.routes));
    this.#routes = (request, response) => void routes(request, response);
  }

  /** Resolves when live changes flow. */
  async start(signal: AbortSignal): Promise<void> {
    await this.#canary.prepare();
    await this.hub.start(signal);
    this.#canary.start();
    this.#watch.start();
  }

  /** For `/readyz`. @throws Error that says why live changes do not flow. */
  checkFlow(): void {
    this.hub.checkFlow();
    this.#canary.check();
    this.#watch.check();
  }

  async stop(): Promise<void> {
    this.#draining = true;
    this.#canary.stop();
    this.#watch.stop();
    const { drainWindowMs } = this.#limits;
    await Promise.all([
      ...[...this.#transports.values()].map((transport) => transport.stop()),
      ...[...this.#endpoints.values()].map((endpoint) => endpoint.stop(drainWindowMs)),
    ]);
    await this.hub.stop();
  }

  /** The listener for `request` events of an HTTP server. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const endpoint = this.#endpoints.get(pathOf(request));
    if (endpoint) void endpoint.handle(request, response);
    else this.#routes(request, response);
  }

  /** The listener for `upgrade` events of an HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const transport = this.#transports.get(pathOf(request));
    if (this.#draining) return refuseUpgrade(socket, 503, 'This gateway is shutting down.');
    if (!transport) return refuseUpgrade(socket, 404, 'There is no WebSocket at this address.');
    this.#options.verifier
      .verify(request.headers.authorization)
      .then((viewer) =>
        transport.upgrade(request, socket, head, { viewer, traceparent: traceparentOf(request) }),
      )
      .catch(() => refuseUpgrade(socket, 401, 'The bearer token is not valid.'));
  }
}

export function traceparentOf(request: IncomingMessage): string | undefined {
  const { traceparent } = request.headers;
  return typeof traceparent === 'string' ? traceparent : undefined;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

function streamsOf(bffs: readonly Bff[]): LiveStream[] {
  const fields = bffs.flatMap((bff) => Object.values(bff.liveFields));
  return [...new Set(fields.map((field) => field.stream))];
}

function createRoutes(routes: GatewayOptions['routes']): FetchHandler {
  return async (request) => {
    for (const route of routes) {
      const response = await route(request);
      if (response) return response;
    }
    const error = { code: 'NOT_FOUND', message: `There is nothing at ${new URL(request.url).pathname}.` };
    return Response.json({ error }, { status: 404 });
  };
}
