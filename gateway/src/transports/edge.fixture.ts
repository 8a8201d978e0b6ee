import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { defineLiveField, defineLiveStream, anonymous, type Bff } from '@tidegate/bff';
import { createMessage, defineMessage, encodeEnvelope, TidegateError } from '@tidegate/core';
import type { EventLog } from '@tidegate/event-log';
import { createSqliteEventLog } from '@tidegate/event-log/sqlite';
import { startHttpServer, type HttpServer } from '@tidegate/runtime/http';
import { createMetrics, silentLogger, type Logger } from '@tidegate/runtime/telemetry';
import { createMemorySharedState } from '@tidegate/shared-state';
import { deferred, until, type Deferred } from '@tidegate/testing';
import { sampleTopics } from '@tidegate/testing/sample-messages';
import { WebSocket, type ClientOptions } from 'ws';
import { z } from 'zod';
import { Admission } from '../admission/admission.ts';
import { createClientAddresses } from '../admission/client-address.ts';
import { createEdgeMetrics } from '../admission/metrics.ts';
import { createOriginPolicy } from '../admission/origin-policy.ts';
import { RequestRates } from '../admission/request-rates.ts';
import { RevocationList } from '../auth/revocation-list.ts';
import type { VerifiedViewer } from '../auth/token-verifier.ts';
import { EdgeListener } from '../edge-listener.ts';
import type { Route } from '../gateway-options.ts';
import { createBffServers } from '../graphql/create-bff-servers.ts';
import { withDefaultLimits, type GatewayLimits } from '../limits.ts';
import { LiveHub } from '../live/hub.ts';
import { createLiveMetrics } from '../live/metrics.ts';
import { createCursorCodec } from '../live/resume/cursor.ts';
import { COUNTER, EdgeSocket } from './edge-socket.fixture.ts';

const Counted = defineMessage('Counted', {
  owner: 'test',
  version: 1,
  topic: sampleTopics.counterDocuments,
  key: 'counter id',
  schema: z.object({ id: z.string(), count: z.number() }),
});

const stream = defineLiveStream<{ id: string }>({
  name: 'counters',
  definition: Counted,
  terms: ({ id }) => [`id:${id}`],
});

/** A BFF whose field `held` is answered when the test says so. */
function edgeBff(held: () => Promise<number>): Bff {
  return {
    name: 'edge',
    trustedDocuments: new Map([['registered', COUNTER]]),
    typeDefs: `
      type Query { ready: Boolean, held: Int }
      type Mutation { touch: Boolean }
      type Counter { id: ID! count: Int! }
      type Subscription { counter(id: ID!): Counter }`,
    resolvers: { Query: { ready: () => true, held }, Mutation: { touch: () => true } },
    liveFields: {
      counter: defineLiveField<{ id: string }, { id: string }, unknown>({
        stream,
        authorise: (viewer) => ({ id: `v:${viewer.id}`, viewer, sees: () => true }),
        term: ({ id }) => `id:${id}`,
        key: ({ id }) => id,
        overflow: 'close',
      }),
    },
  };
}

export const PATH = '/graphql/edge';
/** A token of the edge's verifier: `<role>.<subject>`. */
export const TOKEN = 'member.ann';

export interface EdgeOptions {
  readonly limits?: Partial<GatewayLimits>;
  readonly routes?: (edge: Edge) => readonly Route[];
}

/** The edge of a gateway behind a real HTTP server, with a real hub. The test decides when a token is verified. */
export class Edge implements AsyncDisposable {
  readonly log: EventLog = createSqliteEventLog({ path: ':memory:', logger: silentLogger });
  /** Sentences that were logged as errors. */
  readonly errors: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    error: (...parts: unknown[]) => void this.errors.push(parts.map(textOf).join(' ')),
  };
  readonly admission: Admission;
  readonly hub: LiveHub;
  readonly #metrics = createMetrics({ nodeMetrics: false });
  readonly #listener: EdgeListener;
  #server: HttpServer | undefined;
  /** Set while verifications of tokens wait. */
  #verification: Deferred<void> | undefined;
  #maxVerifyMs = 0;
  /** Number of verifications that wait. */
  verifying = 0;
  readonly #held: Deferred<number>[] = [];
  #version = 0;

  constructor({ limits: given, routes }: EdgeOptions = {}) {
    const limits = withDefaultLimits({ drainWindowMs: 0, ...given });
    const { log, logger } = this;
    const edgeMetrics = createEdgeMetrics(this.#metrics);
    const metrics = createLiveMetrics(this.#metrics);
    this.admission = new Admission({ limits, metrics: edgeMetrics });
    const codec = createCursorCodec(['a secret of at least thirty-two characters']);
    this.hub = new LiveHub({ ...limits, log, logger, metrics, codec, streams: [stream] });
    const bff = edgeBff(() => {
      const held = deferred<number>();
      this.#held.push(held);
      return held.promise;
    });
    this.#listener = new EdgeListener({
      servers: createBffServers({
        bffs: [bff],
        logger,
        limits,
        trustedOnly: false,
      }),
      hub: this.hub,
      verifier: { verify: this.verify },
      guards: {
        admission: this.admission,
        rates: new RequestRates({
          limits,
          state: createMemorySharedState({ maxEntries: 1_000 }),
          metrics: edgeMetrics,
          logger,
        }),
        revocations: new RevocationList(),
        metrics: edgeMetrics,
      },
      origins: createOriginPolicy([]),
      addresses: createClientAddresses([]),
      routes: routes?.(this) ?? [],
      ...{ limits, logger, metrics },
    });
  }

  async start(): Promise<this> {
    const { name } = sampleTopics.counterDocuments;
    await this.log.ensureTopics([{ name, partitions: 1, cleanup: 'compact', retentionMs: 1e9 }]);
    await this.hub.start(AbortSignal.timeout(10_000));
    this.#server = await startHttpServer({ logger: this.logger });
    this.#server.serve(this.#listener);
    return this;
  }

  get port(): number {
    return this.#server!.port;
  }

  get url(): string {
    return `${this.#server!.url}${PATH}`;
  }

  /** Number of queries of `held` that have begun and were not answered. */
  get held(): number {
    return this.#held.length;
  }

  /** Answers all queries of `held`. */
  answerHeld(): void {
    for (const held of this.#held.splice(0)) held.resolve(7);
  }

  /** Makes every verification of a token wait for the returned function. */
  holdVerification(): () => void {
    const verification = deferred();
    this.#verification = verification;
    return () => {
      this.#verification = undefined;
      verification.resolve();
    };
  }

  /** Makes every verification take a random time of at most this many milliseconds. */
  verifyWithin(maxMs: number): void {
    this.#maxVerifyMs = maxMs;
  }

  readonly verify = async (authorization: string | null | undefined): Promise<VerifiedViewer> => {
    if (authorization == null) return anonymous;
    if (this.#maxVerifyMs > 0) await delay(Math.random() * this.#maxVerifyMs);
    if (this.#verification) {
      this.verifying += 1;
      await this.#verification.promise;
      this.verifying -= 1;
    }
    const [, role, id] = /^Bearer ([a-z]+)\.(\w+)$/.exec(authorization) ?? [];
    if (!role || !id) throw new TidegateError('UNAUTHENTICATED', 'The token is not valid here.');
    return { role, id, issuedAtMs: Date.now(), expiresAtMs: Date.now() + 60_000 };
  };

  /** Publishes the next change of the counter. Returns its version, which is its count. */
  async publish(): Promise<number> {
    const version = (this.#version += 1);
    const data = { id: 'a', count: version };
    const message = createMessage(Counted, {
      id: `a@${version}`,
      key: 'a',
      sequence: version,
      timeMs: 0,
      data,
    });
    await this.log.append(sampleTopics.counterDocuments.name, [encodeEnvelope(message)]);
    return version;
  }

  async metric(name: string): Promise<number> {
    const { body } = await this.#metrics.render();
    return body
      .split('\n')
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Returns all that connections and subscriptions hold. */
  async holds() {
    return {
      connections: await this.metric('tidegate_live_connections'),
      subscriptions: this.hub.subscriptions,
      groups: this.hub.groups,
      holders: this.admission.holders,
    };
  }

  /** Waits until nothing is held. Its error names what remains. */
  async released(): Promise<void> {
    let last = '';
    const isReleased = async (): Promise<boolean> => {
      const holds = await this.holds();
      last = JSON.stringify(holds);
      return Object.values(holds).every((count) => count === 0);
    };
    await until(isReleased, { what: 'everything to be released', timeoutMs: 4_000 }).catch(
      (error: unknown) => {
        throw new Error(`still held: ${last}`, { cause: error });
      },
    );
  }

  /** Opens a WebSocket and, unless `init` is null, initialises it. */
  async open(init: object | null = {}, options: ClientOptions = {}): Promise<EdgeSocket> {
    const socket = new EdgeSocket(
      new WebSocket(this.url.replace('http', 'ws'), 'graphql-transport-ws', options),
    );
    await until(() => socket.socket.readyState === WebSocket.OPEN || socket.closed, { what: 'the upgrade' });
    if (init === null) return socket;
    socket.send({ type: 'connection_init', payload: init });
    await until(() => socket.of('connection_ack').length > 0, { what: 'the acknowledgement' });
    return socket;
  }

  /** Sends bytes on a socket of its own. */
  async raw(bytes: string): Promise<Socket> {
    const socket = connect({ port: this.port, host: '127.0.0.1', allowHalfOpen: true });
    socket.on('error', () => undefined);
    socket.resume();
    await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
    return socket;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.answerHeld();
    await this.#listener.drain();
    await this.#server?.stop(0);
    await this.hub.stop();
    await this.log.close();
  }
}

function textOf(part: unknown): string {
  if (typeof part === 'string') return part;
  const { err } = part as { err?: unknown };
  return err instanceof Error ? String(err) : JSON.stringify(part);
}
