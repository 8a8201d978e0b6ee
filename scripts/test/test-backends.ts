import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts, repositoryRoot } from '@tidegate/testing';
import { pingKafka } from '../stack/kafka.ts';
import { postgresVersion } from '../stack/postgres.ts';
import { redisVersion } from '../stack/redis.ts';
import { installMissing, programs } from '../stack/requirements.ts';
import { startStack, stopStack } from '../stack/stack.ts';

/** Real backends of a test run. */
export interface TestBackends {
  /** Variables for the tests; a missing backend has none. */
  readonly env: Record<string, string>;
  /** One line per backend. */
  readonly summary: readonly string[];
  /** One line per missing backend, with the reason. */
  readonly missing: readonly string[];
  readonly stop: () => Promise<void>;
}

/** For a run whose tests use no backend. */
export const noBackends: TestBackends = {
  env: {},
  summary: [],
  missing: [],
  stop: async () => undefined,
};

const stackFolder = join(repositoryRoot, '.stack');

/** Uses the backends in the environment, if all three are set. Otherwise starts new ones for this run. */
export async function startTestBackends(onLine: (line: string) => void): Promise<TestBackends> {
  const {
    KAFKA_BROKERS: kafka,
    DATABASE_URL: database,
    REDIS_URL: redis,
    KAFKA_LIBS: libs = '',
  } = process.env;
  const stack =
    kafka && database && redis ? await checkGiven(kafka, database, redis, libs) : await startOwnStack(onLine);
  const chromium = findChromium(onLine);
  return {
    env: { ...stack.env, ...chromium.env },
    summary: [...stack.summary, ...chromium.summary],
    missing: [...stack.missing, ...chromium.missing],
    stop: stack.stop,
  };
}

async function checkGiven(
  kafka: string,
  database: string,
  redis: string,
  libs: string,
): Promise<TestBackends> {
  const checks: [string, Promise<string>][] = [
    [`Kafka at ${kafka}`, pingKafka(kafka.split(',')).then(() => 'answers')],
    ['Postgres', postgresVersion(database)],
    ['Redis', redisVersion(redis)],
  ];
  const results = await Promise.allSettled(checks.map(([, check]) => check));
  const summary: string[] = [];
  const missing: string[] = [];
  results.forEach((result, index) => {
    const name = checks[index]?.[0];
    if (result.status === 'fulfilled') summary.push(`${name} ${result.value} (given by the environment)`);
    else missing.push(`${name}, given by the environment, does not answer: ${String(result.reason)}`);
  });
  const env = {
    KAFKA_BROKERS: kafka,
    DATABASE_URL: database,
    REDIS_URL: redis,
    ...(libs && { KAFKA_LIBS: libs }),
  };
  return { env, summary, missing, stop: async () => {} };
}

async function startOwnStack(onLine: (line: string) => void): Promise<TestBackends> {
  await discardLeftovers();
  const directory = join(stackFolder, `test-${process.pid}`);
  const [kafka, kafkaController, redis, postgres] = (await freePorts(4)) as [number, number, number, number];
  try {
    const stack = await startStack({ directory, ports: { kafka, kafkaController, redis, postgres }, onLine });
    const { KAFKA_BROKERS = '', DATABASE_URL = '', REDIS_URL = '' } = stack.env;
    return {
      env: { KAFKA_BROKERS, DATABASE_URL, REDIS_URL, KAFKA_LIBS: stack.kafkaLibs },
      summary: Object.entries(stack.versions).map(([name, version]) => `${name} ${version}`),
      missing: [],
      stop: () => stack.stop({ discard: true }),
    };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { env: {}, summary: [], missing: [`Kafka, Redis and Postgres: ${reason}`], stop: async () => {} };
  }
}

/** Deletes the stacks of runs that were killed and could not clean up. */
async function discardLeftovers(): Promise<void> {
  for (const name of existsSync(stackFolder) ? readdirSync(stackFolder) : []) {
    const pid = Number(/^test-(\d+)$/.exec(name)?.[1]);
    if (pid > 0 && !existsSync(`/proc/${pid}`)) await stopStack(join(stackFolder, name), { discard: true });
  }
}

function findChromium(onLine: (line: string) => void): Omit<TestBackends, 'stop'> {
  try {
    installMissing(['chromium'], onLine);
  } catch (error) {
    return { env: {}, summary: [], missing: [`Chromium: ${(error as Error).message}`] };
  }
  const path = programs.chromium.find() ?? '';
  const version = spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return { env: { CHROMIUM_PATH: path }, summary: [/^\S+ [\d.]+/.exec(version)?.[0] ?? path], missing: [] };
}
