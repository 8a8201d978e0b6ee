import { parseConfig, port, text } from '../config/index.ts';
import { TidegateError } from '@tidegate/core';
import {
  createLogger,
  createMetrics,
  startTelemetry,
  type Logger,
  type Metrics,
} from '../telemetry/index.ts';
import type { z } from 'zod';
import { createComponents, type Component } from './components.ts';
import { awaitDependency } from './dependency.ts';
import { describeFailure } from './describe-failure.ts';
import { startProcessServer, type ProcessServer, type Serving } from './process-server.ts';
import { createReadiness, type Readiness, type ReadinessCheck } from './readiness.ts';
import { exitOnUncaught, stopOnSignals } from './signals.ts';

/** What a process's `start` is given to build on. */
export interface ProcessHost {
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly readiness: Readiness;
  /** Aborts as soon as the process is asked to stop, before requests are drained: end long answers on it. */
  readonly signal: AbortSignal;
  /** Connects to a backend, waiting for it as long as it takes. See `awaitDependency`. */
  dependency<T>(name: string, connect: () => Promise<T>, ping?: (value: T) => Promise<void>): Promise<T>;
  /** Stopped, the youngest first, when the process is. */
  add(component: Component): void;
  /** Started completely: `/readyz` may turn green. Called for you when `start` resolves. */
  ready(): void;
  addReadinessCheck(name: string, check: ReadinessCheck): void;
}

const address = {
  HOST: text('the address to listen on, such as 127.0.0.1 or 0.0.0.0').default('127.0.0.1'),
  PORT: port(),
};

export type ProcessConfig<Shape extends z.ZodRawShape> = z.infer<z.ZodObject<typeof address>> &
  z.infer<z.ZodObject<Shape>>;

export interface ProcessOptions<Shape extends z.ZodRawShape> {
  /** In logs, metrics and traces. */
  readonly name: string;
  /** The variables it reads besides HOST (default 127.0.0.1) and PORT; one of the same name replaces ours. */
  readonly config: Shape;
  /** False for a process that owns its server: health is then its own to serve, by `createHealthHandler`. */
  readonly serve?: boolean;
  readonly start: (config: ProcessConfig<Shape>, host: ProcessHost) => Promise<Serving | void>;
}

/** EX_CONFIG of sysexits.h: a supervisor can tell that starting again will not help. */
const EXIT_CONFIG = 78;
const STOP_MS = 15_000;
const HTTP_GRACE_MS = 5_000;

/**
 * The frame of every production process. HTTP comes first, so that `/healthz`, `/readyz` and `/metrics` answer while
 * backends are awaited; then `start`. SIGTERM and SIGINT drain HTTP, stop what was added, in reverse, and exit with 0;
 * a second one, or 15 s, exits with 1 at once. A wrong variable exits with 78 before anything is started, each problem
 * one line on stderr; an error that nobody caught exits with 1.
 */
export function runProcess<Shape extends z.ZodRawShape>(options: ProcessOptions<Shape>): void {
  const config = readConfig(options);
  const logger = createLogger(options.name);
  const stopping = new AbortController();
  const readiness = createReadiness();
  const metrics = createMetrics();
  const components = createComponents(logger);
  let server: ProcessServer | undefined;

  async function stop(): Promise<void> {
    readiness.stopping();
    stopping.abort(new TidegateError('DRAINING', 'The process is shutting down.'));
    await server?.stop(HTTP_GRACE_MS);
    await components.stop();
  }

  async function start(): Promise<void> {
    const telemetry = await startTelemetry({ service: options.name });
    components.add({ name: 'telemetry', stop: () => telemetry.stop() });
    const { HOST: host, PORT: listenPort } = config;
    if (options.serve !== false) {
      server = await startProcessServer({ host, port: listenPort, readiness, metrics, logger });
    }
    const serving = await options.start(config, processHost);
    server?.serve(serving ?? {});
    readiness.started();
    logger.info({}, `${options.name} is ready`);
  }

  const { signal } = stopping;
  const processHost: ProcessHost = {
    logger,
    metrics,
    readiness,
    signal,
    dependency: (name, connect, ping) => awaitDependency(name, connect, ping, { logger, readiness, signal }),
    add: (component) => components.add(component),
    ready: () => readiness.started(),
    addReadinessCheck: (name, check) => readiness.addCheck(name, check),
  };

  exitOnUncaught(logger);
  stopOnSignals(logger, STOP_MS, stop);
  start().catch(async (error: unknown) => {
    // A start that a signal interrupted has failed as it should; whoever caught the signal exits.
    if (signal.aborted) return;
    logger.error({ err: error }, `${options.name} could not start: ${describeFailure(error)}`);
    setTimeout(() => process.exit(1), STOP_MS).unref();
    await stop();
    process.exit(isConfigError(error) ? EXIT_CONFIG : 1);
  });
}

function readConfig<Shape extends z.ZodRawShape>(options: ProcessOptions<Shape>): ProcessConfig<Shape> {
  try {
    return parseConfig({ ...address, ...options.config }) as ProcessConfig<Shape>;
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
