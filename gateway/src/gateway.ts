import { DatabaseClock } from '@tidegate/database';
import type { Bff, LiveStream } from '@tidegate/bff';
import { startHttpServer, type HttpServer } from '@tidegate/runtime/http';
import { createHealthHandler, createReadiness, type Readiness } from '@tidegate/runtime/process';
import { createMetrics, silentLogger } from '@tidegate/runtime/telemetry';
import { createMemorySharedState } from '@tidegate/shared-state';
import { Admission } from './admission/admission.ts';
import { createClientAddresses } from './admission/client-address.ts';
import { createEdgeMetrics } from './admission/metrics.ts';
import { createOriginPolicy } from './admission/origin-policy.ts';
import { RequestRates } from './admission/request-rates.ts';
import { limitSockets } from './admission/socket-limit.ts';
import { createAsyncApiRoute } from './asyncapi.ts';
import { Revocations } from './auth/revocations.ts';
import { createRevocationsRoute } from './auth/revocations-route.ts';
import {
  createTokenVerifier,
  type TokenVerifier,
  type TokenVerifierSettings,
} from './auth/token-verifier.ts';
import { createComposition } from './composition/composition.ts';
import { createRouteListener, EdgeListener } from './edge-listener.ts';
import type { GatewayOptions, Route } from './gateway-options.ts';
import type { BffServer } from './graphql/bff-server.ts';
import { createBffServers } from './graphql/create-bff-servers.ts';
import { withDefaultLimits } from './limits.ts';
import { LivenessProbe, livenessStream } from './live/health/liveness-probe.ts';
import { PartitionWatch } from './live/health/partition-watch.ts';
import { LiveHub } from './live/hub.ts';
import { createLiveMetrics } from './live/metrics.ts';
import { createCursorCodec } from './live/resume/cursor.ts';
import { webhookMigrations } from './webhooks/migrations.ts';
import { createWebhooksRoute, type WebhooksOptions } from './webhooks/webhooks-route.ts';

/**
 * Creates a gateway: the BFFs over HTTP, WebSocket and Server-Sent Events, fed by one live hub, with health and
 * revocations and, when their options are given, webhooks, a composed page and AsyncAPI, on one HTTP server.
 *
 * @example
 * import { createKafkaEventLog, kafkaOptionsFrom, kafkaSettings } from '@tidegate/event-log/kafka';
 * import { createGateway, gatewayOptionsFrom, gatewaySettings, secretSettings, secretsFrom } from '@tidegate/gateway';
 * import { runProcess } from '@tidegate/runtime/process';
 * import { tripBff } from './trip-bff.ts';
 *
 * runProcess({
 *   name: 'gateway',
 *   config: { ...kafkaSettings, ...secretSettings, ...gatewaySettings },
 *   async start(config, host) {
 *     const { logger, metrics, readiness, server, operations } = host;
 *     const { jwt, cursorSecrets } = secretsFrom(config);
 *     const log = createKafkaEventLog({ clientId: 'gateway', logger, ...kafkaOptionsFrom(config) });
 *     const gateway = createGateway({
 *       bffs: [tripBff],
 *       log,
 *       auth: { roles: ['traveller', 'operator'], ...jwt },
 *       cursorSecrets,
 *       logger,
 *       metrics,
 *       readiness,
 *       server,
 *       operations,
 *       ...gatewayOptionsFrom(config),
 *     });
 *     await host.connect({ kafka: log });
 *     host.add(gateway);
 *     await host.dependency('topics', () => gateway.start(host.signal));
 *   },
 * });
 */
export function createGateway(options: GatewayOptions): Gateway {
  return new Gateway(options);
}

/** Maximum entries of the state of a gateway that shares none. */
const MAX_SHARED_ENTRIES = 100_000;

/** Time that requests have to finish when the gateway stops its own server. */
const HTTP_GRACE_MS = 5_000;

export class Gateway {
  readonly name = 'gateway';
  /** The BFFs as they are served. */
  readonly servers: readonly BffServer[];
  readonly hub: LiveHub;
  readonly #options: GatewayOptions;
  readonly #limitSockets: (server: HttpServer) => void;
  readonly #revocations: Revocations;
  readonly #listener: EdgeListener;
  readonly #probe: LivenessProbe;
  readonly #watch: PartitionWatch;
  readonly #readiness: Readiness;
  readonly #health: (request: Request) => Promise<Response> | undefined;
  readonly #webhookClock: DatabaseClock | undefined;
  #server: HttpServer | undefined;

  constructor(options: GatewayOptions) {
    const { bffs, log, logger = silentLogger, metrics = createMetrics({ nodeMetrics: false }) } = options;
    const { readiness = createReadiness(), trustedOnly = true } = options;
    const limits = withDefaultLimits(options.limits);
    this.#options = options;
    this.#readiness = readiness;
    this.#health = createHealthHandler({ readiness, metrics });

    const { webhooks } = options;
    this.#webhookClock = webhooks && !webhooks.clock ? new DatabaseClock(webhooks.database) : undefined;
    const { maxSocketsPerAddress } = limits;
    // The tolerance lets a token be issued later, and end later, by this clock.
    const maxTokenAgeMs = limits.maxTokenAgeMs + 2 * limits.clockToleranceMs;
    this.#revocations = new Revocations({ log, logger, maxTokenAgeMs });
    const verifier = this.#revocations.guard(createVerifier(options.auth, { ...limits, logger, metrics }));
    const {
      services,
      plugins,
      state = createMemorySharedState({ maxEntries: MAX_SHARED_ENTRIES }),
    } = options;
    this.servers = createBffServers({ bffs, services, state, logger, limits, trustedOnly, plugins });

    const liveMetrics = createLiveMetrics(metrics);
    this.hub = new LiveHub({
      ...{ log, logger, metrics: liveMetrics, ...limits },
      streams: [...streamsOf(bffs), livenessStream],
      codec: createCursorCodec(options.cursorSecrets),
    });
    this.#probe = new LivenessProbe({ hub: this.hub, log, logger });
    this.#watch = new PartitionWatch({ log, logger, feeds: this.hub.feeds });

    const edgeMetrics = createEdgeMetrics(metrics);
    const rates = new RequestRates({ limits, state, metrics: edgeMetrics, logger });
    const addresses = createClientAddresses(options.trustedProxies ?? []);
    this.#limitSockets = (server) =>
      limitSockets(server, { maxPerAddress: maxSocketsPerAddress, addresses, metrics: edgeMetrics });
    this.#listener = new EdgeListener({
      ...{ servers: this.servers, hub: this.hub, verifier, limits, addresses, logger, metrics: liveMetrics },
      origins: createOriginPolicy(options.allowedOrigins ?? []),
      guards: {
        admission: new Admission({ limits, metrics: edgeMetrics }),
        rates,
        revocations: this.#revocations.list,
        metrics: edgeMetrics,
      },
      routes: [
        createRevocationsRoute({ revocations: this.#revocations, verifier, logger }),
        ...createRoutes(options, { servers: this.servers, verifier, rates, logger }, this.#webhookClock),
      ],
    });
    if (options.server) this.#useServer(options.server);
    if (options.operations) serveOperators(options.operations, options);
  }

  /** Address of the HTTP server. @throws Error before `start`, when the gateway has a server of its own. */
  get url(): string {
    if (!this.#server) throw new Error('the gateway has no address before it is started');
    return this.#server.url;
  }

  /**
   * Resolves when live changes flow and all requests are served. When it rejects, it may be called again.
   *
   * @throws TidegateError UNAVAILABLE while the log or its topics are away; the signal's reason when it aborts.
   */
  async start(signal: AbortSignal): Promise<void> {
    const server = this.#server ?? (await this.#startOwnServer());
    await this.#options.webhooks?.database.migrate(webhookMigrations);
    await this.#webhookClock?.start();
    // Before the first connection: a token that was revoked while this replica was down must be refused.
    await this.#revocations.start();
    await this.#probe.prepare();
    await this.hub.start(signal);
    this.#probe.start();
    this.#watch.start();
    this.#readiness.addCheck('live hub', () => this.checkFlow());
    server.serve(this.#listener);
    if (this.#ownsServer) this.#readiness.started();
  }

  /**
   * Replaces the BFF of the same name for operations that begin from now on. Running subscriptions keep their schema;
   * cursors stay valid.
   *
   * @throws Error, without a change, when the schema cannot be built, there is no BFF of this name, or one of its live
   * fields listens to a stream that is not tailed (that needs a restart).
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
    this.#probe.check();
    this.#watch.check();
    this.#revocations.check();
  }

  /** Drains live connections, then stops. Closes its own HTTP server, and no server it was given. Idempotent. */
  async stop(): Promise<void> {
    this.#probe.stop();
    this.#watch.stop();
    this.#webhookClock?.stop();
    await this.#listener.drain();
    if (this.#ownsServer) {
      this.#readiness.stopping();
      await this.#server?.stop(HTTP_GRACE_MS);
    }
    await this.hub.stop();
    await this.#revocations.stop();
  }

  get #ownsServer(): boolean {
    return this.#options.server === undefined;
  }

  async #startOwnServer(): Promise<HttpServer> {
    const { logger = silentLogger } = this.#options;
    return this.#useServer(await startHttpServer({ health: this.#health, logger }));
  }

  #useServer(server: HttpServer): HttpServer {
    this.#limitSockets(server);
    this.#server = server;
    return server;
  }
}

/** Serves the routes that only operators need. */
function serveOperators(server: HttpServer, { asyncApi, logger = silentLogger }: GatewayOptions): void {
  server.serve(createRouteListener(asyncApi ? [createAsyncApiRoute(asyncApi)] : [], logger));
}

function createVerifier(auth: GatewayOptions['auth'], settings: TokenVerifierSettings): TokenVerifier {
  return 'verify' in auth ? auth : createTokenVerifier(auth, settings);
}

/** Creates the optional routes. The composed page comes last: it answers every path that a browser asks for as a page. */
function createRoutes(
  { webhooks, microFrontends, asyncApi, operations, routes = [], log }: GatewayOptions,
  parts: Pick<WebhooksOptions, 'servers' | 'verifier' | 'rates' | 'logger'>,
  webhookClock: DatabaseClock | undefined,
): Route[] {
  const page = microFrontends && createComposition({ ...microFrontends, logger: parts.logger });
  return [
    ...(asyncApi && !operations ? [createAsyncApiRoute(asyncApi)] : []),
    ...(webhooks
      ? [
          createWebhooksRoute({
            ...parts,
            ...(webhookClock && { clock: webhookClock.now }),
            ...webhooks,
            log,
          }),
        ]
      : []),
    ...routes,
    ...(page ? [(request: Request) => page.handle(request)] : []),
  ];
}

function streamsOf(bffs: readonly Bff[]): LiveStream[] {
  const fields = bffs.flatMap((bff) => Object.values(bff.liveFields));
  return [...new Set(fields.map((field) => field.stream))];
}
