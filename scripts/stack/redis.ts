import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { programs } from './requirements.ts';

/** Creates a Redis with an append-only file, on loopback. */
export function createRedisBackend(directory: string, port: number): Backend {
  return new RedisBackend(directory, port);
}

class RedisBackend implements Backend {
  readonly name = 'Redis';
  readonly stopSignal = 'SIGTERM';
  readonly pidFile: string;
  readonly logFile: string;
  readonly dataFolder: string;
  readonly #port: number;

  constructor(directory: string, port: number) {
    this.#port = port;
    this.pidFile = join(directory, 'redis.pid');
    this.logFile = join(directory, 'redis.log');
    this.dataFolder = join(directory, 'redis');
  }

  async start(): Promise<void> {
    const { dataFolder, pidFile, logFile } = this;
    await mkdir(dataFolder, { recursive: true });
    const command = programs.redis.find() ?? 'redis-server';
    // Without a title: Redis would overwrite its command line, which identifies the process.
    const options = '--bind 127.0.0.1 --appendonly yes --set-proc-title no'.split(' ');
    const args = ['--port', String(this.#port), ...options, '--dir', dataFolder];
    startDaemon({ name: 'Redis', command, args, cwd: dataFolder, pidFile, logFile });
  }

  ping(): Promise<string> {
    return redisVersion(`redis://127.0.0.1:${this.#port}`);
  }
}

/** Queries the server's version. Rejects without an answer within two seconds. */
export async function redisVersion(url: string): Promise<string> {
  const client = new Redis(url, {
    lazyConnect: true,
    connectTimeout: 2_000,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return /redis_version:(\S+)/.exec(await client.info('server'))?.[1] ?? 'unknown';
  } finally {
    client.disconnect();
  }
}
