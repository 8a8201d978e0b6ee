import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { Backend } from './backend.ts';
import { startDaemon } from './daemon.ts';
import { programs } from './requirements.ts';

/** Redis with an append-only file, on loopback. */
export function createRedisBackend(directory: string, port: number): Backend {
  const dataFolder = join(directory, 'redis');
  const pidFile = join(directory, 'redis.pid');
  const logFile = join(directory, 'redis.log');

  async function start(): Promise<void> {
    await mkdir(dataFolder, { recursive: true });
    const command = programs.redis.find() ?? 'redis-server';
    // No title: Redis would overwrite its command line, by which the process is recognised.
    const args = `--port ${port} --bind 127.0.0.1 --appendonly yes --set-proc-title no --dir`.split(' ');
    startDaemon({ name: 'Redis', command, args: [...args, dataFolder], cwd: dataFolder, pidFile, logFile });
  }

  return {
    name: 'Redis',
    pidFile,
    logFile,
    dataFolder,
    stopSignal: 'SIGTERM',
    start,
    ping: () => pingRedis(port),
  };
}

async function pingRedis(port: number): Promise<string> {
  return redisVersion(`redis://127.0.0.1:${port}`);
}

/** Asks the server itself; rejects when it does not answer within two seconds. */
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
