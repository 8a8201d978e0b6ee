import { buildMicrofrontends } from '../../microfrontends/build.ts';
import { signToken, type Role } from '../../scripts/token/sign-token.ts';
import type { ProcessName } from '../../scripts/processes.ts';
import { startProcesses, type Platform } from '../../scripts/start-stack/start-processes.ts';
import {
  freePort,
  kafkaBrokersFromEnv,
  postgresUrlFromEnv,
  redisUrlFromEnv,
  startChild,
  temporaryDirectory,
  type Child,
} from '@tidegate/testing';

/** Tidegate and the order platform in processes of their own, for tests and measurements from outside. */
export interface RunningPlatform extends AsyncDisposable {
  readonly webUrl: string;
  readonly mobileUrl: string;
  /** @param customers ids of the customers granted to a partner. Default: none. */
  token(sub: string, role: Role, customers?: readonly string[]): Promise<string>;
  /** Output lines of the processes, for the message of a failed test. */
  readonly lines: readonly string[];
}

export interface EmbeddedPlatform extends RunningPlatform {
  /** Kills the process with SIGKILL and starts it again on the same data. */
  killAndRestart(): Promise<void>;
  readonly child: Child;
  readonly dataDir: string;
}

export interface StackPlatform extends RunningPlatform {
  readonly processes: Platform;
}

export const testSecrets = {
  JWT_SECRET: 'a secret for tests only and long enough',
  CURSOR_SECRETS: 'another secret for tests and long enough',
  SERVICE_SECRETS: 'a secret of services for tests and long enough',
  WEBHOOK_KEYS: 'a key for webhook secrets in tests and long enough',
};

const HOUR_MS = 60 * 60 * 1000;
const MAX_LINES = 5_000;

function token(sub: string, role: Role, customers?: readonly string[]): Promise<string> {
  return signToken({ sub, role, customers, ttlMs: HOUR_MS, secret: testSecrets.JWT_SECRET });
}

/** Starts the embedded default without demo traffic, on a free port and in a temporary data folder. */
export async function startEmbedded(env: Readonly<Record<string, string>> = {}): Promise<EmbeddedPlatform> {
  const directory = await temporaryDirectory();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const start = async (): Promise<Child> => {
    const child = startChild('deployments/embedded.ts', {
      ...testSecrets,
      PORT: String(port),
      DATA_DIR: directory.path,
      DEMO: '0',
      WEBHOOK_ALLOW_PRIVATE: '1',
      SHIPPING_DISPATCH_MS: '100',
      SHIPPING_DELIVERY_MS: '200',
      LOG_LEVEL: 'warn',
      ...env,
    });
    await child.waitForLine(`Tidegate ready at ${url}`, 30_000);
    return child;
  };
  let child = await start();
  return {
    webUrl: url,
    mobileUrl: url,
    token,
    dataDir: directory.path,
    get lines() {
      return child.lines;
    },
    get child() {
      return child;
    },
    killAndRestart: async () => {
      await child.kill('SIGKILL');
      child = await start();
    },
    [Symbol.asyncDispose]: async () => {
      await child.kill();
      await directory[Symbol.asyncDispose]();
    },
  };
}

/** Returns the addresses of Kafka, Postgres and Redis, or undefined (with a warning) when the environment has none. */
export function realStackFromEnv(): Record<string, string> | undefined {
  const brokers = kafkaBrokersFromEnv();
  const [DATABASE_URL, REDIS_URL] = [postgresUrlFromEnv(), redisUrlFromEnv()];
  if (!brokers || !DATABASE_URL || !REDIS_URL) return undefined;
  return { KAFKA_BROKERS: brokers.join(','), DATABASE_URL, REDIS_URL };
}

export interface OnStackOptions {
  /** Starts a process that dies again. Default true. */
  readonly restarts?: boolean;
  /** Default 20,000. */
  readonly portOffset?: number;
  /** Processes to start. Default: all. */
  readonly only?: readonly ProcessName[];
  /** Additional variables of single processes. */
  readonly extraEnv?: Partial<Record<ProcessName, Record<string, string>>>;
}

/** Starts the production deployment on the real stack: one process per service, two gateways, a dispatcher. */
export async function startOnStack(
  stackEnv: Readonly<Record<string, string>>,
  options: OnStackOptions = {},
): Promise<StackPlatform> {
  await buildMicrofrontends();
  const lines: string[] = [];
  const processes = startProcesses({
    stackEnv: { ...stackEnv, ...testSecrets, LOG_LEVEL: 'warn' },
    portOffset: options.portOffset ?? 20_000,
    restarts: options.restarts ?? true,
    ...(options.only && { only: options.only }),
    extraEnv: {
      ...options.extraEnv,
      shipping: { SHIPPING_DISPATCH_MS: '100', SHIPPING_DELIVERY_MS: '200', ...options.extraEnv?.shipping },
      'gateway-web': { WEBHOOK_ALLOW_PRIVATE: '1', ...options.extraEnv?.['gateway-web'] },
      dispatcher: { WEBHOOK_ALLOW_PRIVATE: '1', ...options.extraEnv?.dispatcher },
    },
    onLine: (name, line) => {
      lines.push(`${name}: ${line}`);
      if (lines.length > MAX_LINES) lines.shift();
    },
  });
  try {
    await processes.ready({ timeoutMs: 90_000 });
  } catch (error) {
    await processes.stop();
    throw new Error(`${String(error)}\n${lines.slice(-40).join('\n')}`, { cause: error });
  }
  return {
    webUrl: processes.urls['gateway-web'],
    mobileUrl: processes.urls['gateway-mobile'],
    processes,
    token,
    lines,
    [Symbol.asyncDispose]: () => processes.stop(),
  };
}

export interface Deployment {
  readonly name: string;
  readonly start: () => Promise<RunningPlatform>;
  /** True for the real stack when the environment has none. */
  readonly skip: boolean;
}

/** Returns the deployments that a promise is tested on. */
export function deployments(): readonly Deployment[] {
  const stackEnv = realStackFromEnv();
  return [
    { name: 'the embedded default', start: () => startEmbedded(), skip: false },
    { name: 'Kafka, Postgres and Redis', start: () => startOnStack(stackEnv!), skip: !stackEnv },
  ];
}
