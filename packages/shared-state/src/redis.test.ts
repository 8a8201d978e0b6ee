import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { freePort, until } from '@tidegate/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createRedisSharedState } from './redis.ts';
import type { SharedState } from './shared-state.ts';

/** Starts a server that speaks enough of the Redis protocol for a connection and GET. */
async function startFakeRedis(port: number): Promise<{ stop(): Promise<void>; mute(): void }> {
  const sockets = new Set<Socket>();
  let muted = false;
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      if (muted) return;
      for (const [, command] of data.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)\r\n/g)) {
        socket.write(answers[(command ?? '').toUpperCase()] ?? '+OK\r\n');
      }
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    mute: () => void (muted = true),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const answers: Record<string, string> = {
  HELLO: '%1\r\n$6\r\nserver\r\n$5\r\nredis\r\n',
  INFO: '$17\r\nredis_version:7.0\r\n',
  GET: '$5\r\nvalue\r\n',
  PING: '+PONG\r\n',
};

describe('shared state during an outage of Redis', () => {
  let port: number;
  let state: SharedState;
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown): void => void uncaught.push(error);

  beforeEach(async () => {
    process.on('uncaughtException', onUncaught);
    port = await freePort();
    state = createRedisSharedState({
      url: `redis://127.0.0.1:${port}`,
      keyPrefix: 'test:',
      commandTimeoutMs: 200,
    });
  });

  afterEach(async () => {
    await state.close();
    process.off('uncaughtException', onUncaught);
    if (uncaught.length > 0)
      throw new AggregateError(uncaught.splice(0), 'the outage raised uncaught exceptions');
  });

  it('rejects each call with UNAVAILABLE at once, and resolves when Redis is back', async () => {
    const before = performance.now();
    await expect(state.get('key')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(state.increment('key', 1_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(performance.now() - before).toBeLessThan(1_000);
    const redis = await startFakeRedis(port);
    expect(await until(() => state.get('key'), { what: 'Redis answers' })).toBe('value');
    await redis.stop();
  });

  it('reconnects after the connection was lost', async () => {
    const first = await startFakeRedis(port);
    await state.ping(5_000);
    await first.stop();
    await until(
      () =>
        state.get('key').then(
          () => false,
          () => true,
        ),
      { what: 'the loss is noticed' },
    );
    const second = await startFakeRedis(port);
    expect(await until(() => state.get('key'), { what: 'Redis answers again' })).toBe('value');
    await second.stop();
  });

  it('rejects with UNAVAILABLE after the command timeout when Redis does not answer', async () => {
    const redis = await startFakeRedis(port);
    await state.ping(5_000);
    redis.mute();
    await expect(state.get('key')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await redis.stop();
  });

  it('holds few callers up while Redis is connected and silent, and resolves when it speaks again', async () => {
    const redis = await startFakeRedis(port);
    await state.ping(5_000);
    redis.mute();
    await Promise.allSettled([state.get('key'), state.get('key')]);
    const before = performance.now();
    const held = await Promise.allSettled(Array.from({ length: 50 }, () => state.get('key')));
    expect(held.every(({ status }) => status === 'rejected')).toBe(true);
    expect(performance.now() - before).toBeLessThan(100);
    await redis.stop();
    const again = await startFakeRedis(port);
    expect(await until(() => state.get('key').catch(() => undefined), { what: 'Redis answers' })).toBe(
      'value',
    );
    await again.stop();
  });

  it('waits in ping for the connection, but not longer than its timeout', async () => {
    await expect(state.ping(50)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    const ping = state.ping(5_000);
    const redis = await startFakeRedis(port);
    await ping;
    await redis.stop();
  });
});
