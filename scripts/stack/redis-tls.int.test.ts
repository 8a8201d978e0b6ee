/** A Redis that takes connections by TLS alone, reached by the variables of a process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { parseConfig } from '@tidegate/runtime/config';
import { createRedisSharedState, redisOptionsFrom, redisSettings } from '@tidegate/shared-state/redis';
import type { SharedState } from '@tidegate/shared-state';
import { freePort, redisUrlFromEnv, temporaryDirectory, type TemporaryDirectory } from '@tidegate/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kafkaSecurity } from './kafka-security.ts';

const hasRedis = redisUrlFromEnv() !== undefined;
if (!hasRedis) console.warn('SKIPPED: Redis by TLS; REDIS_URL is not set');

describe.skipIf(!hasRedis)('Redis that wants TLS', () => {
  let directory: TemporaryDirectory;
  let server: ChildProcess;
  let url: string;
  let caFile: string;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const port = await freePort();
    const security = await kafkaSecurity(directory.path);
    caFile = security.caFile;
    url = `rediss://127.0.0.1:${port}`;
    const settings = {
      port: '0',
      'tls-port': String(port),
      bind: '127.0.0.1',
      'tls-cert-file': security.keystoreFile,
      'tls-key-file': security.keystoreFile,
      'tls-ca-cert-file': caFile,
      'tls-auth-clients': 'no',
      save: '',
      dir: directory.path,
    };
    const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    server = spawn('redis-server', flags, { stdio: 'ignore' });
  });

  afterAll(async () => {
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
    await directory.remove();
  });

  const open = (variables: Record<string, string>): SharedState =>
    createRedisSharedState({
      ...redisOptionsFrom(parseConfig(redisSettings, variables)),
      keyPrefix: 'test:',
    });

  it('is reached with REDIS_CA_FILE', async () => {
    const state = open({ REDIS_URL: url, REDIS_CA_FILE: caFile });
    await state.ping(10_000);
    await state.set('key', 'value', 5_000);
    expect(await state.get('key')).toBe('value');
    await state.close();
  });

  it('is not reached without the authority that signed its certificate', async () => {
    const state = open({ REDIS_URL: url });
    await expect(state.ping(1_000)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await state.close();
  });

  it.each([
    ['a file that does not exist', 'rediss://127.0.0.1:1', /cannot be read/],
    ['a URL without TLS', 'redis://127.0.0.1:1', /rediss:/],
  ])('refuses REDIS_CA_FILE with %s', (_, redisUrl, message) => {
    expect(() => open({ REDIS_URL: redisUrl, REDIS_CA_FILE: '/none.pem' })).toThrow(message);
  });
});
