import { existsSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { devSecret } from '@tidegate/runtime/dev-secret';
import { delay } from '@tidegate/runtime/resilience';
import type { Backend } from './backend.ts';
import { daemonPid, lastLogLines, stopDaemon } from './daemon.ts';
import { createKafkaBackend } from './kafka.ts';
import { kafkaSecurity, securityVariables, type KafkaSecurity } from './kafka-security.ts';
import { kafkaJars } from './kafka-jars.ts';
import { createPostgresBackend, postgresUrl } from './postgres.ts';
import { createRedisBackend } from './redis.ts';
import { installMissing } from './requirements.ts';

export interface StackPorts {
  readonly kafka: number;
  readonly kafkaController: number;
  readonly redis: number;
  readonly postgres: number;
}

export interface StackOptions {
  readonly ports: StackPorts;
  /** Folder of data, logs and pid files. Each stack needs its own. */
  readonly directory: string;
  /** Folder of the development secrets. Default `directory`. */
  readonly secretsDirectory?: string;
  /** Kafka wants TLS and a login. Default false. */
  readonly secureKafka?: boolean;
  /** Receives messages about the progress. */
  readonly onLine?: (line: string) => void;
}

export interface Stack {
  /** Addresses and secrets for the processes: KAFKA_BROKERS, DATABASE_URL and others. */
  readonly env: Record<string, string>;
  /** Folder with Kafka's jars, for tests that start more brokers. */
  readonly kafkaLibs: string;
  readonly versions: Readonly<Record<Backend['name'], string>>;
  /** Ends the backends that this call started, not the ones that ran before. `discard` kills them and deletes all data. */
  stop(options?: { discard?: boolean }): Promise<void>;
}

const READY_WITHIN_MS = 60_000;

export const defaultPorts: StackPorts = {
  kafka: 29_092,
  kafkaController: 29_093,
  redis: 26_379,
  postgres: 25_432,
};

/**
 * Starts real Kafka, Redis and Postgres at once and resolves when each answers. Reuses backends that already run in this
 * directory.
 *
 * @throws MissingProgramsError with the packages to install; Error with the end of the log of a backend that failed.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { ports, onLine = () => {} } = options;
  const directory = resolve(options.directory);
  installMissing(['java', 'redis', 'postgres'], onLine);
  const kafkaLibs = await kafkaJars(onLine);
  await mkdir(directory, { recursive: true });

  const security = options.secureKafka ? await kafkaSecurity(directory) : undefined;
  const backends = createBackends(directory, ports, kafkaLibs, security);
  const started: Backend[] = [];
  const stop = async ({ discard = false } = {}): Promise<void> => {
    await stopBackends(started, discard);
    if (discard) await rm(directory, { recursive: true, force: true });
  };
  const settled = await Promise.allSettled(
    backends.map((backend) => ensureRunning(backend, started, onLine)),
  );
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) {
    await stop();
    throw failed.reason as Error;
  }
  const versions = settled.map((result) => (result.status === 'fulfilled' ? result.value : ''));
  return {
    env: {
      ...(await stackEnv(ports, options.secretsDirectory ?? directory)),
      ...(security && securityVariables(security)),
    },
    kafkaLibs,
    versions: { Kafka: versions[0] ?? '', Redis: versions[1] ?? '', Postgres: versions[2] ?? '' },
    stop,
  };
}

/** Ends all backends of the directory. Resolves with the names of the running ones. */
export async function stopStack(directory: string, { discard = false } = {}): Promise<Backend['name'][]> {
  const root = resolve(directory);
  const stopped = await stopBackends(createBackends(root, defaultPorts, ''), discard);
  if (discard) await rm(root, { recursive: true, force: true });
  return stopped;
}

/** Returns the pid of each backend of the directory, undefined when it is not running. */
export function stackPids(directory: string): Record<Backend['name'], number | undefined> {
  const [kafka, redis, postgres] = createBackends(resolve(directory), defaultPorts, '');
  return { Kafka: pidOf(kafka), Redis: pidOf(redis), Postgres: pidOf(postgres) };
}

function pidOf(backend: Backend | undefined): number | undefined {
  return backend && daemonPid(backend.pidFile);
}

function createBackends(
  directory: string,
  ports: StackPorts,
  kafkaLibs: string,
  security?: KafkaSecurity,
): Backend[] {
  const kafkaPorts = { broker: ports.kafka, controller: ports.kafkaController };
  return [
    createKafkaBackend(directory, kafkaPorts, kafkaLibs, security),
    createRedisBackend(directory, ports.redis),
    createPostgresBackend(directory, ports.postgres),
  ];
}

async function ensureRunning(
  backend: Backend,
  started: Backend[],
  onLine: (line: string) => void,
): Promise<string> {
  const running = daemonPid(backend.pidFile) !== undefined;
  if (!running) {
    // Another program on the port would answer instead, or make the start fail with an unclear log.
    if (await answers(backend))
      throw new Error(`${backend.name}: something else already answers on its port`);
    await rm(backend.logFile, { force: true });
    await backend.start();
    started.push(backend);
  }
  const version = await untilReady(backend);
  onLine(`${backend.name} ${version} ${running ? 'was running already' : 'is ready'}`);
  return version;
}

async function answers(backend: Backend): Promise<boolean> {
  return backend.ping().then(
    () => true,
    () => false,
  );
}

/** Resolves with the version once the backend answers. @throws Error with the end of its log. */
export async function untilReady(backend: Backend): Promise<string> {
  const deadline = Date.now() + READY_WITHIN_MS;
  for (;;) {
    try {
      return await backend.ping();
    } catch (error) {
      const exited = daemonPid(backend.pidFile) === undefined;
      if (exited || Date.now() > deadline) {
        const failure = exited ? 'ended while starting' : `did not answer within ${READY_WITHIN_MS} ms`;
        throw new Error(`${backend.name} ${failure}. Its log says:\n${lastLogLines(backend.logFile)}`, {
          cause: error,
        });
      }
      await delay(100);
    }
  }
}

async function stopBackends(backends: readonly Backend[], discard: boolean): Promise<Backend['name'][]> {
  const stopped = await Promise.all(
    backends.map(async (backend) => {
      const wasRunning = await stopDaemon(backend.pidFile, discard ? 'SIGKILL' : backend.stopSignal);
      if (discard && existsSync(backend.dataFolder))
        await rm(backend.dataFolder, { recursive: true, force: true });
      return wasRunning ? [backend.name] : [];
    }),
  );
  return stopped.flat();
}

async function stackEnv(ports: StackPorts, secretsDirectory: string): Promise<Record<string, string>> {
  return {
    KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
    DATABASE_URL: postgresUrl(ports.postgres),
    REDIS_URL: `redis://127.0.0.1:${ports.redis}`,
    JWT_SECRET: await devSecret(secretsDirectory),
    CURSOR_SECRETS: await devSecret(secretsDirectory, 'dev-cursor-secret'),
    SERVICE_SECRETS: await devSecret(secretsDirectory, 'dev-service-secret'),
    WEBHOOK_KEYS: await devSecret(secretsDirectory, 'dev-webhook-key'),
  };
}
