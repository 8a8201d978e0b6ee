import type { Bff } from '@tidegate/bff';
import type { Database } from '@tidegate/database';
import type { EventLog } from '@tidegate/event-log';
import type { HttpServer, Peer } from '@tidegate/runtime/http';
import type { Readiness } from '@tidegate/runtime/process';
import type { Logger, Metrics } from '@tidegate/runtime/telemetry';
import type { ServiceClient } from '@tidegate/service/operations';
import type { SharedState } from '@tidegate/shared-state';
import type { Plugin } from 'graphql-yoga';
import type { AsyncApiOptions } from './asyncapi.ts';
import type { JwtOptions, TokenVerifier } from './auth/token-verifier.ts';
import type { GatewayLimits } from './limits.ts';
import type { WebhookTables } from './webhooks/tables.ts';

/** Answers the requests to its own paths; undefined for every other path. Never rejects. */
export type Route = (request: Request, peer?: Peer) => Promise<Response | undefined>;

export interface GatewayOptions {
  /** BFFs to serve, each at `/graphql/<name>`. */
  readonly bffs: readonly Bff[];
  /** Log that live changes are read from. The gateway does not close it. */
  readonly log: EventLog;
  /** Keys and roles of the JWTs to accept, or a verifier for tokens of another kind. */
  readonly auth: JwtOptions | TokenVerifier;
  /** Secrets of at least 32 characters. The first signs cursors, all verify them. The same on every replica. */
  readonly cursorSecrets: readonly string[];
  /** Client of the services that resolvers call. Default: a client that knows no service. */
  readonly services?: ServiceClient;
  /** State that all replicas share. Default: memory of this process. */
  readonly state?: SharedState;
  /** Serves the webhook registry under `/webhooks`; `createDispatcher` sends the webhooks. Default: none. */
  readonly webhooks?: {
    readonly database: Database<WebhookTables>;
    /**
     * Keys that the secrets of endpoints are encrypted with, at least 32 characters each. The first encrypts, all decrypt.
     */
    readonly secretKeys: readonly string[];
    /** Accepts endpoints at private addresses and over plain HTTP. For development and tests only. Default false. */
    readonly allowPrivateTargets?: boolean;
    /** Epoch milliseconds. Default: the clock of the database, which the dispatchers share. */
    readonly clock?: () => number;
  };
  /** Serves a page composed of the micro-frontends in `<root>/<name>/dist`. Default: none. */
  readonly microFrontends?: { readonly root: string };
  /** Serves the platform's messages at `/asyncapi.json`, of `operations` when there is one. Default: none. */
  readonly asyncApi?: AsyncApiOptions;
  /** Routes beside the gateway's own. They come before the page of the micro-frontends. Default: none. */
  readonly routes?: readonly Route[];
  /** Executes registered documents only, on a BFF that has some. Default true. */
  readonly trustedOnly?: boolean;
  /**
   * Yoga and Envelop plugins around the execution of queries and mutations of every BFF and transport, e.g. for tracing.
   * Live changes are rendered without them. Default: none.
   */
  readonly plugins?: readonly Plugin[];
  /** Origins, such as `https://shop.example`, whose pages may use the gateway beside those of its own host. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Addresses or CIDR ranges of proxies whose `X-Forwarded-For` is trusted. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Limits that differ from the defaults of `gatewayLimits`. */
  readonly limits?: Partial<GatewayLimits>;
  /** Default: logs nothing. */
  readonly logger?: Logger;
  /** Default: a registry of its own, served at `/metrics` of its own server. */
  readonly metrics?: Metrics;
  /** Checks behind `/readyz` of `server`; the gateway adds its own. Default: checks of its own server. */
  readonly readiness?: Readiness;
  /** Server to serve on, such as `host.server` of `runProcess`. Default: its own, on a free port of 127.0.0.1. */
  readonly server?: HttpServer;
  /** Server for operators, such as `host.operations` of `runProcess`. `/asyncapi.json` is served there only. Default: none. */
  readonly operations?: HttpServer | undefined;
}
