import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  freePorts,
  redisUrlFromEnv,
  temporaryDirectory,
  until,
  type TemporaryDirectory,
} from '@tidegate/testing';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedisSharedState } from '../redis.ts';
import type { SharedState } from '../shared-state.ts';

const hasRedis = redisUrlFromEnv() !== undefined;
if (!hasRedis) console.warn('SKIPPED: failover of Redis; REDIS_URL is not set');

describe.skipIf(!hasRedis)('shared state after a failover of Redis', { timeout: 60_000 }, () => {
  let directory: TemporaryDirectory;
  let state: SharedState | undefined;
  const children: ChildProcess[] = [];

  beforeEach(async () => (directory = await temporaryDirectory()));
  afterEach(async () => {
    await state?.close();
    for (const child of children.splice(0)) await kill(child);
    await directory.remove();
  });

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** Starts a server of these lines of configuration. Resolves when it answers. */
  async function start(port: number, lines: readonly string[], ...flags: string[]): Promise<ChildProcess> {
    const folder = join(directory.path, String(port));
    await mkdir(folder);
    const file = join(folder, 'redis.conf');
    const shared = [`port ${port}`, 'bind 127.0.0.1', `dir ${folder}`];
    await writeFile(file, [...shared, ...lines, ''].join('\n'));
    const child = spawn('redis-server', [file, ...flags], { stdio: 'ignore' });
    children.push(child);
    await using _admin = await connected(port);
    return child;
  }

  const data = ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0'];

  async function connected(port: number) {
    const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 50 });
    redis.on('error', () => {});
    await until(() => redis.status === 'ready', { what: `the server at ${port}` });
    return { redis, [Symbol.asyncDispose]: async () => redis.disconnect() };
  }

  const settled = (work: Promise<unknown>): Promise<boolean> =>
    work.then(
      () => true,
      () => false,
    );

  it('asks the Sentinels for the new primary, also while the old one lives on as a replica', async () => {
    const [first, second, sentinel] = (await freePorts(3)) as [number, number, number];
    await start(first, data);
    await start(second, [...data, `replicaof 127.0.0.1 ${first}`]);
    await start(
      sentinel,
      [
        `sentinel monitor shop 127.0.0.1 ${first} 1`,
        'sentinel down-after-milliseconds shop 500',
        'sentinel failover-timeout shop 5000',
      ],
      '--sentinel',
    );
    await using watch = await connected(sentinel);
    const replicas = () => watch.redis.call('sentinel', 'replicas', 'shop') as Promise<unknown[]>;
    await until(async () => (await replicas()).length === 1, { what: 'the replica to be known' });
    state = createRedisSharedState({
      url: 'redis://unused:1',
      sentinels: { addresses: [`127.0.0.1:${sentinel}`], name: 'shop', password: undefined },
      keyPrefix: 'test:',
    });
    await state.ping(10_000);
    await state.set('key', 'before', 60_000);

    await until(() => settled(watch.redis.call('sentinel', 'failover', 'shop')), { what: 'a failover' });
    await using old = await connected(first);
    const isReplica = async (): Promise<boolean> =>
      ((await old.redis.call('role')) as [role: string, ...rest: unknown[]])[0] === 'slave';
    await until(isReplica, { what: 'the old primary to be a replica', timeoutMs: 30_000 });
    await until(() => settled(state!.set('key', 'after', 60_000)), { what: 'a write', timeoutMs: 20_000 });
    await using newPrimary = await connected(second);
    expect(await newPrimary.redis.get('test:key')).toBe('after');
  });

  it('connects anew when its server has become a replica', async () => {
    const [port] = (await freePorts(1)) as [number];
    await start(port, data);
    await using admin = await connected(port);
    const ids = async (): Promise<string[]> =>
      [...((await admin.redis.call('client', 'list')) as string).matchAll(/^id=(\d+)/gm)].map(
        ([, id]) => id!,
      );
    const own = new Set(await ids());
    state = createRedisSharedState({ url: `redis://127.0.0.1:${port}`, keyPrefix: 'test:' });
    await state.ping(5_000);
    const before = (await ids()).filter((id) => !own.has(id));
    await admin.redis.call('replicaof', '127.0.0.1', '1');
    await expect(state.set('key', 'value', 60_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await until(async () => !(await ids()).some((id) => before.includes(id)), { what: 'another connection' });
    await admin.redis.call('replicaof', 'no', 'one');
    await until(() => settled(state!.set('key', 'value', 60_000)), { what: 'a write', timeoutMs: 10_000 });
  });
});
