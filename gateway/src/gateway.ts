import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Bff, LiveStream } from '@tidegate/bff';
import { errorCodes, toTidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import type { FetchHandler } from '@tidegate/runtime/process';
import type { ServiceClient } from '@tidegate/service/operations';
import type { SharedState } from '@tidegate/shared-state';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';
import { createServerAdapter } from '@whatwg-node/server';
import { Revocations } from './auth/revocations.ts';
import { createRevocationsRoute } from './auth/revocations-route.ts';
import type { TokenVerifier } from './auth/token-verifier.ts';
import { BffServer } from './graphql/bff-server.ts';
import { Admission, type AdmissionLimits } from './admission/admission.ts';
import { createClientAddresses, type ClientAddresses } from './admission/client-address.ts';
import type { EdgeGuards } from './admission/connection-hold.ts';
import { createEdgeMetrics, type Refusal } from './admission/metrics.ts';
import { GraphqlEndpoint } from './transports/graphql-endpoint.ts';
import { createOriginPolicy, type OriginPolicy } from './admission/origin-policy.ts';
import { refuseUpgrade } from './admission/refuse-upgrade.ts';
import { LivenessProbe, livenessStream } from './live/health/liveness-probe.ts';
import { createCursorCodec } from './live/resume/cursor.ts';
import { PartitionWatch } from './live/health/partition-watch.ts';
import { LiveHub } from './live/hub.ts';
import { createLiveMetrics } from './live/metrics.ts';
import { Heartbeats } from './transports/heartbeats.ts';
import { FlushScheduler } from './transports/outbound/flush-scheduler.ts';
import { WebSocketTransport } from './transports/websocket/transport.ts';

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
  /** Pages of these origins may use the gateway as those of its own host do. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Who is trusted to say, by `X-Forwarded-For`, for whom a request is. Default: nobody. */
  readonly addresses?: ClientAddresses;
  /** As of the verifier: how long a revocation has to count. */
  readonly maxTokenAgeMs?: number;
}

/** Every bound of the edge in one place. */
export interface GatewayLimits extends AdmissionLimits {
  readonly maxBodyBytes: number;
  readonly maxMessageBytes: number;
  /** What may wait in one connection's outbound queue. */
  readonly maxQueuedBytes: number;
  readonly maxSubscriptionsPerConnection: number;
  readonly heartbeatMs: number;
  /** About how long a connection lasts before its client is asked to come back; 0: as long as it likes. */
  readonly maxConnectionAgeMs: number;
  /** Over how long connections are asked to come back elsewhere when the process drains. */
  readonly drainWindowMs: number;
  /** Memory for the newest changes of each stream: who was away no longer than they reach needs no read of the log. */
  readonly historyBytes: number;
  /** Memory for what was replayed to one client and may be to others that come back with it. */
  readonly replayBytes: number;
  /** How many of each partition's newest records are read at start. */
  readonly fillRecords: number;
}

const defaultLimits: GatewayLimits = {
  maxBodyBytes: 256 * 1024,
  maxMessageBytes: 256 * 1024,
  maxQueuedBytes: 1024 * 1024,
  maxSubscriptionsPerConnection: 100,
  maxConnectionsPerAddress: 20_000,
  maxConnectionsPerViewer: 1_000,
  maxSubscriptionsPerViewer: 10_000,
  maxConnectionAgeMs: 0,
  heartbeatMs: 15_000,
  drainWindowMs: 2_000,
  historyBytes: 64 * 1024 * 1024,
  replayBytes: 64 * 1024 * 1024,
  fillRecords: 2_000,
};

/** The live edge of one process: BFFs over HTTP, WebSocket and Server-Sent Events, fed by one hub. */
export class Gateway {
  readonly servers: readonly BffServer[];
  readonly hub: LiveHub;
  /** Refuses what has been revoked: for every route that asks for a token. */
  readonly verifier: TokenVerifier;
  readonly #revocations: Revocations;
  readonly #guards: EdgeGuards;
  readonly #origins: OriginPolicy;
  readonly #addresses: ClientAddresses;
  readonly #endpoints = new Map<string, GraphqlEndpoint>();
  readonly #transports = new Map<string, WebSocketTransport>();
  readonly #routes: RequestListener;
  readonly #canary: LivenessProbe;
  #draining = false;
  readonly #limits: GatewayLimits;
  readonly #watch: PartitionWatch;

  constructor(options: GatewayOptions) {
    const limits = { ...defaultLimits, ...options.limits };
    this.#limits = limits;
    const { log, logger, client, state, maxTokenAgeMs } = options;
    this.#revocations = new Revocations({
      log,
      logger,
      ...(maxTokenAgeMs !== undefined && { maxTokenAgeMs }),
    });
    const verifier = this.#revocations.guard(options.verifier);
    this.verifier = verifier;
    this.#origins = createOriginPolicy(options.allowedOrigins ?? []);
    this.#addresses = options.addresses ?? createClientAddresses([]);
    const edgeMetrics = createEdgeMetrics(options.metrics);
    this.#guards = {
      admission: new Admission({ limits, metrics: edgeMetrics }),
      revocations: this.#revocations.list,
      metrics: edgeMetrics,
    };
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
      streams: [...streamsOf(options.bffs), livenessStream],
      log,
      codec: createCursorCodec(options.cursorSecrets),
      logger,
      metrics,
      historyBytes: limits.historyBytes,
      replayBytes: limits.replayBytes,
      fillRecords: limits.fillRecords,
    });
    this.#canary = new LivenessProbe({ hub: this.hub, log, logger });
    this.#watch = new PartitionWatch({ log, logger, feeds: this.hub.feeds });
    const scheduler = new FlushScheduler();
    const heartbeats = new Heartbeats(limits.heartbeatMs);
    for (const server of this.servers) {
      const guards = this.#guards;
      const { hub } = this;
      const shared = { server, hub, verifier, logger, metrics, scheduler, heartbeats, guards, ...limits };
      const [origins, addresses] = [this.#origins, this.#addresses];
      this.#endpoints.set(server.path, new GraphqlEndpoint({ ...shared, origins, addresses }));
      this.#transports.set(server.path, new WebSocketTransport(shared));
    }
    const revocations = createRevocationsRoute({ revocations: this.#revocations, verifier, logger });
    const routes = createServerAdapter(createRoutes([revocations, ...options.routes]));
    this.#routes = (request, response) => void routes(request, response);
  }

  /** Resolves when live changes flow. */
  async start(signal: AbortSignal): Promise<void> {
    // First: a token that was revoked while this replica was away is refused from its first connection on.
    await this.#revocations.start();
    await this.#canary.prepare();
    await this.hub.start(signal);
    this.#canary.start();
    this.#watch.start();
  }

  /**
   * Serves what begins from now on by this BFF in place of the one of the same name. Running subscriptions keep the
   * schema they began with and go on; cursors stay good.
   *
   * @throws Error, and all stays as it is, when its schema cannot be built, there is none of its name, or one of its
   * live fields listens to a stream that is not tailed here: that needs a restart.
   */
  replaceBff(bff: Bff): void {
    const server = this.servers.find((each) => each.bff.name === bff.name);
    if (!server) throw new Error(`this gateway hosts no BFF ${bff.name}`);
    const unknown = streamsOf([bff]).filter((stream) => !this.hub.tails(stream));
    if (unknown.length > 0)
      throw new Error(`the gateway does not tail ${unknown.map(({ name }) => name).join(', ')}; restart it`);
    server.replace(bff);
  }

  /** For `/readyz`. @throws Error that says why live changes do not flow. */
  checkFlow(): void {
    this.hub.checkFlow();
    this.#canary.check();
    this.#watch.check();
    this.#revocations.check();
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
    await this.#revocations.stop();
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
    if (!this.#origins.allows(request)) {
      this.#guards.metrics.refusals.inc({ reason: 'origin' satisfies Refusal });
      return refuseUpgrade(socket, 403, 'Pages of this origin may not connect here.');
    }
    const address = this.#addresses.of(request);
    if (!this.#countSocket(socket, address)) {
      return refuseUpgrade(socket, 429, 'There are too many connections of your address.');
    }
    this.verifier
      .verify(request.headers.authorization)
      .then((viewer) =>
        transport.upgrade(request, socket, head, { viewer, address, traceparent: traceparentOf(request) }),
      )
      .catch((error: unknown) => {
        const { code, message } = toTidegateError(error);
        refuseUpgrade(socket, errorCodes[code].httpStatus, message);
      });
  }

  /** False when the address has as many connections as it may. */
  #countSocket(socket: Duplex, address: string): boolean {
    try {
      socket.once('close', this.#guards.admission.connectionOf(address));
      return true;
    } catch {
      return false;
    }
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
