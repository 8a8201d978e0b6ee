import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { TidegateError, toTidegateError } from '@tidegate/core';
import {
  compressResponse,
  createFetchListener,
  errorResponse,
  refuseUpgrade,
  type FetchHandler,
  type HttpListener,
} from '@tidegate/runtime/http';
import type { Logger } from '@tidegate/runtime/telemetry';
import type { ClientAddresses } from './admission/client-address.ts';
import type { EdgeGuards } from './admission/connection-hold.ts';
import type { Refusal } from './admission/rules.ts';
import type { OriginPolicy } from './admission/origin-policy.ts';
import type { TokenVerifier } from './auth/token-verifier.ts';
import type { Route } from './gateway-options.ts';
import type { BffServer } from './graphql/bff-server.ts';
import type { GatewayLimits } from './limits.ts';
import type { LiveHub } from './live/hub.ts';
import type { LiveMetrics } from './live/metrics.ts';
import { GraphqlEndpoint } from './transports/graphql-endpoint.ts';
import { Heartbeats } from './transports/heartbeats.ts';
import { traceparentOf } from './transports/http/request.ts';
import { FlushScheduler } from './transports/outbound/flush-scheduler.ts';
import { WebSocketTransport } from './transports/websocket/transport.ts';

export interface EdgeListenerOptions {
  readonly servers: readonly BffServer[];
  readonly hub: LiveHub;
  readonly verifier: TokenVerifier;
  readonly guards: EdgeGuards;
  readonly origins: OriginPolicy;
  readonly addresses: ClientAddresses;
  readonly limits: GatewayLimits;
  /** Routes beside GraphQL, tried in this order. */
  readonly routes: readonly Route[];
  readonly logger: Logger;
  readonly metrics: LiveMetrics;
}

/** Passes each request to the transport of its BFF or to a route. */
export class EdgeListener implements HttpListener {
  readonly #options: EdgeListenerOptions;
  readonly #endpoints = new Map<string, GraphqlEndpoint>();
  readonly #transports = new Map<string, WebSocketTransport>();
  readonly #routes: HttpListener;
  #drained: Promise<void> | undefined;

  constructor(options: EdgeListenerOptions) {
    this.#options = options;
    const { servers, limits, routes, logger, ...rest } = options;
    const scheduler = new FlushScheduler();
    const heartbeats = new Heartbeats(limits.heartbeatMs);
    for (const server of servers) {
      const shared = { ...rest, ...limits, server, logger, scheduler, heartbeats };
      this.#endpoints.set(server.path, new GraphqlEndpoint(shared));
      this.#transports.set(server.path, new WebSocketTransport(shared));
    }
    this.#routes = createRouteListener(routes, logger);
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const endpoint = this.#endpoints.get(pathOf(request));
    if (endpoint) void endpoint.handle(request, response);
    else this.#routes.handle(request, response);
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { origins, addresses, verifier, guards } = this.#options;
    const transport = this.#transports.get(pathOf(request));
    if (this.#drained)
      return refuseUpgrade(socket, new TidegateError('DRAINING', 'This gateway is shutting down.'));
    if (!transport)
      return refuseUpgrade(socket, new TidegateError('NOT_FOUND', 'There is no WebSocket at this address.'));
    if (!origins.allows(request)) {
      guards.metrics.refusals.inc({ reason: 'origin' satisfies Refusal });
      return refuseUpgrade(
        socket,
        new TidegateError('FORBIDDEN', 'Pages of this origin may not connect here.'),
      );
    }
    const address = addresses.of(request);
    if (!this.#countSocket(socket, address)) {
      return refuseUpgrade(
        socket,
        new TidegateError('TOO_MANY_CONNECTIONS', 'There are too many connections of your address.'),
      );
    }
    verifier
      .verify(request.headers.authorization)
      .then((viewer) => {
        if (socket.destroyed) return;
        transport.upgrade(request, socket, head, { viewer, address, traceparent: traceparentOf(request) });
      })
      .catch((error: unknown) => {
        if (socket.destroyed) return;
        refuseUpgrade(socket, toTidegateError(error));
      });
  }

  /** Refuses new connections and asks the clients of live ones to reconnect, spread over the drain window. Idempotent. */
  drain(): Promise<void> {
    return (this.#drained ??= this.#drain());
  }

  async #drain(): Promise<void> {
    const { drainWindowMs } = this.#options.limits;
    await Promise.all([
      ...[...this.#transports.values()].map((transport) => transport.stop()),
      ...[...this.#endpoints.values()].map((endpoint) => endpoint.stop(drainWindowMs)),
    ]);
  }

  /** Returns false when the address already has its maximum of connections. */
  #countSocket(socket: Duplex, address: string): boolean {
    try {
      const release = this.#options.guards.admission.admitAddress(address);
      // A socket that is destroyed may have emitted `close` already.
      if (socket.destroyed) release();
      else socket.once('close', release);
      return true;
    } catch {
      return false;
    }
  }
}

/** Serves routes, tried in this order, with compressed responses. None of them streams. */
export function createRouteListener(routes: readonly Route[], logger: Logger): HttpListener {
  const listener = createFetchListener(firstOf(routes), logger);
  return {
    handle: (request, response) => {
      compressResponse(request, response);
      listener.handle(request, response);
    },
  };
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0]!;
}

function firstOf(routes: readonly Route[]): FetchHandler {
  return async (request, peer) => {
    for (const route of routes) {
      const response = await route(request, peer);
      if (response) return response;
    }
    const { pathname } = new URL(request.url);
    return errorResponse(new TidegateError('NOT_FOUND', `There is nothing at ${pathname}.`));
  };
}
