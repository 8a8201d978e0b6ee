import { parseConfig } from '../config/index.ts';
import { TidegateError } from '@tidegate/core';
import { createFetchListener, type FetchHandler, type HttpServer } from '../http/index.ts';
import {
  createLogger,
  createMetrics,
  startTelemetry,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts';
import type { z } from 'zod';
import { Components, type Component } from './components.ts';
import { awaitDependency, type Backend } from './dependency.ts';
import { describeFailure } from './describe-failure.ts';
import { explainFailure } from './explain-failure.ts';
import { ProcessServers, serverSettings } from './process-servers.ts';
import { requireOpenFiles } from './open-files.ts';
import { createReadiness, type Readiness } from './readiness.ts';
import { exitOnUncaught, stopOnSignals } from './signals.ts';

/** The parts of a process that its `start` builds on. */
export interface ProcessHost {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** The checks behind `/readyz`. */
  readonly readiness: Readiness;
  /** The process's HTTP server. It listens and answers health; `server.serve` adds a listener for the rest. */
  readonly server: HttpServer;
  /** The server for operators at OPERATIONS_PORT. It answers health; `serve` adds a listener for the rest. */
  readonly operations: HttpServer | undefined;
  /** Aborts when the process is asked to stop, before requests are drained. */
  readonly signal: AbortSignal;
  /**
   * Registers backends by name, to be closed in reverse when the process stops, then waits for one after the other until
   * it answers a ping. `/readyz` pings each of them from then on.
   */
  connect(backends: Readonly<Record<string, Backend>>): Promise<void>;
  /** Calls `connect`, retrying until it succeeds; `/readyz` calls `ping` from then on. See `awaitDependency`. */
  dependency<T>(name: string, connect: () => Promise<T>, ping?: (value: T) => Promise<void>): Promise<T>;
  /** Registers a component. When the process stops, components are stopped in reverse. */
  add(component: Component): void;
}

/** The requests that a process answers beside its health. */
export interface Serving {
  readonly handle: FetchHandler;
}

export type ProcessConfig<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<typeof serverSettings>> &
  z.infer<z.ZodObject<Shape>>;

export interface ProcessOptions<Shape extends z.ZodRawShape> {
  /** Name in logs, metrics and traces. */
  readonly name: string;
  /**
   * Variables beside HOST (default 127.0.0.1), PORT, OPERATIONS_PORT and the timeouts. A field of the same name replaces
   * the default one.
   */
  readonly config: Shape;
  /** Starts the process. Resolves with a handler to be served, or without one when it calls `host.server.serve`. */
  readonly start: (config: ProcessConfig<Shape>, host: ProcessHost) => Promise<Serving | void>;
}

/** EX_CONFIG of sysexits.h: tells a supervisor that a restart does not help. */
const EXIT_CONFIG = 78;
const STOP_MS = 15_000;
const HTTP_GRACE_MS = 5_000;
const PING_MS = 3_000;

/**
 * Runs a production process. The HTTP server comes first, so that `/healthz`, `/readyz` and `/metrics` answer while
 * backends are awaited; then `start`. SIGTERM and SIGINT drain HTTP, stop the components in reverse and exit with 0; a
 * second signal, or 15 s, exits with 1 at once. A wrong variable exits with 78 before anything is started, one line on
 * stderr for each; so does a limit of fewer than 256 open files. An uncaught error exits with 1.
 *
 * @example
 * runProcess({
 *   name: 'greeter',
 *   config: { GREETING: text('the first word of every answer').default('Hello') },
 *   start: async ({ GREETING }, { logger }) => {
 *     logger.info({}, 'greeting everybody');
 *     return { handle: async (request) => new Response(`${GREETING}, ${new URL(request.url).pathname.slice(1)}`) };
 *   },
 * });
 */
export function runProcess<Shape extends z.ZodRawShape>(options: ProcessOptions<Shape>): void {
  const { name } = options;
  const config = readConfig(options);
  const logger = createLogger(name);
  const stopping = new AbortController();
  const { signal } = stopping;
  const readiness = createReadiness();
  const metrics = createMetrics();
  const components = new Components(logger);
  let servers: ProcessServers | undefined;

  async function stop(): Promise<void> {
    readiness.stopping();
    stopping.abort(new TidegateError('DRAINING', 'The process is shutting down.'));
    await servers?.stop(HTTP_GRACE_MS);
    await components.stop();
  }

  async function start(): Promise<void> {
    requireOpenFiles();
    const telemetry = await startTelemetry({ service: name });
    components.add({ name: 'telemetry', stop: () => telemetry.stop() });
    servers = await ProcessServers.start({ config, readiness, metrics, logger });
    const { server, operations } = servers;
    const host = createHost({ logger, metrics, readiness, server, operations, signal, components });
    const serving = await options.start(config, host);
    if (serving) server.serve(createFetchListener(serving.handle, logger));
    servers.started();
    readiness.started();
    logger.info({}, `${name} is ready`);
  }

  exitOnUncaught(logger);
  stopOnSignals(logger, STOP_MS, stop);
  start().catch(async (error: unknown) => {
    // A signal interrupted the start: its handler stops the process and exits.
    if (signal.aborted) return;
    report(error, name, logger);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await stop();
    process.exit(isConfigError(error) ? EXIT_CONFIG : 1);
  });
}

/** One plain line for a failure that the operator can mend; for any other the whole error. */
function report(error: unknown, name: string, logger: Logger): void {
  const explanation = explainFailure(error);
  if (explanation === undefined)
    logger.error({ err: error }, `${name} could not start: ${describeFailure(error)}`);
  else process.stderr.write(`${name} cannot start: ${explanation}\n`);
}

function createHost({
  components,
  ...parts
}: Pick<ProcessHost, 'logger' | 'metrics' | 'readiness' | 'server' | 'operations' | 'signal'> & {
  readonly components: Components;
}): ProcessHost {
  return {
    ...parts,
    connect: async (backends) => {
      const entries = Object.entries(backends);
      for (const [name, backend] of entries) components.add({ name, stop: () => backend.close() });
      for (const [name, backend] of entries) {
        const ping = (): Promise<void> => backend.ping(PING_MS);
        await awaitDependency(name, ping, ping, parts);
      }
    },
    dependency: (name, connect, ping) => awaitDependency(name, connect, ping, parts),
    add: (component) => components.add(component),
  };
}

function readConfig<Shape extends z.ZodRawShape>(options: ProcessOptions<Shape>): ProcessConfig<Shape> {
  try {
    return parseConfig({ ...serverSettings, ...options.config }) as ProcessConfig<Shape>;
  } catch (error) {
    if (!isConfigError(error)) throw error;
    const problems = error.message.split('\n').map((problem) => `  ${problem}\n`);
    process.stderr.write(`${options.name} cannot start, its configuration is wrong:\n${problems.join('')}`);
    process.exit(EXIT_CONFIG);
  }
}

function isConfigError(error: unknown): error is TidegateError {
  return error instanceof TidegateError && error.code === 'CONFIG_INVALID';
}
