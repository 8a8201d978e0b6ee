import { TidegateError } from '@tidegate/core';
import type { z } from 'zod';
import { integer, port, text } from '../config/index.ts';
import {
  createFetchListener,
  defaultHttpTimeouts,
  errorResponse,
  startHttpServer,
  type HttpServer,
} from '../http/index.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';
import { createHealthHandler } from './health-handler.ts';
import type { Readiness } from './readiness.ts';

const timeout = (meaning: string, ms: number): z.ZodDefault<z.ZodCoercedNumber> =>
  integer(100, 3_600_000, `milliseconds that a connection has ${meaning}`).default(ms);

/** Environment variables of a process's HTTP servers. */
export const serverSettings = {
  HOST: text('the address to listen on, such as 127.0.0.1 or 0.0.0.0').default('127.0.0.1'),
  PORT: port(),
  OPERATIONS_PORT: port().optional(),
  HEADERS_TIMEOUT_MS: timeout('to send the head of a request', defaultHttpTimeouts.headersMs),
  REQUEST_TIMEOUT_MS: timeout('to send a whole request', defaultHttpTimeouts.requestMs),
  KEEP_ALIVE_TIMEOUT_MS: timeout('until its next request', defaultHttpTimeouts.keepAliveMs),
};

export interface ProcessServersOptions {
  readonly config: z.infer<z.ZodObject<typeof serverSettings>>;
  readonly readiness: Readiness;
  readonly metrics: Metrics;
  readonly logger: Logger;
}

/** The HTTP servers of a process: the public one and, with OPERATIONS_PORT, one for operators. */
export class ProcessServers {
  /** The public server. Without an operations port it answers everything. */
  readonly server: HttpServer;
  /** Answers `/metrics` and the reasons in `/readyz`. While it exists, the public server answers neither. Undefined without
   * OPERATIONS_PORT. */
  readonly operations: HttpServer | undefined;
  readonly #logger: Logger;

  /** @throws the listen error (EADDRINUSE, EACCES) of an address. */
  static async start(options: ProcessServersOptions): Promise<ProcessServers> {
    const { config, readiness, metrics, logger } = options;
    const { HOST: host, PORT, OPERATIONS_PORT } = config;
    const timeouts = {
      headersMs: config.HEADERS_TIMEOUT_MS,
      requestMs: config.REQUEST_TIMEOUT_MS,
      keepAliveMs: config.KEEP_ALIVE_TIMEOUT_MS,
    };
    const shared = { host, timeouts, logger };
    if (OPERATIONS_PORT === undefined) {
      const health = createHealthHandler({ readiness, metrics });
      return new ProcessServers(logger, await startHttpServer({ ...shared, port: PORT, health }));
    }
    const full = createHealthHandler({ readiness, metrics, reasons: 'full' });
    const operations = await startHttpServer({ ...shared, port: OPERATIONS_PORT, health: full });
    const health = createHealthHandler({ readiness, reasons: 'none' });
    return new ProcessServers(logger, await startHttpServer({ ...shared, port: PORT, health }), operations);
  }

  private constructor(logger: Logger, server: HttpServer, operations?: HttpServer) {
    this.#logger = logger;
    this.server = server;
    this.operations = operations;
    logger.info({ port: server.port }, `listening at ${server.url}`);
    if (operations) logger.info({ port: operations.port }, `listening for operators at ${operations.url}`);
  }

  /** The process has started: a server without a listener answers NOT_FOUND from now on. */
  started(): void {
    for (const server of [this.server, this.operations]) {
      if (server && !server.serving) server.serve(createFetchListener(nothingHere, this.#logger));
    }
  }

  /** Stops the public server first, so that operators can watch it drain. See `HttpServer.stop`. */
  async stop(graceMs: number): Promise<void> {
    await this.server.stop(graceMs);
    await this.operations?.stop(0);
  }
}

async function nothingHere(): Promise<Response> {
  return errorResponse(new TidegateError('NOT_FOUND', 'There is nothing at this address.'));
}
