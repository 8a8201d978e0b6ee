import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { freePorts, repositoryRoot, temporaryDirectory } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { processes, type ProcessName, type ProcessSpec } from '../processes.ts';
import { startProcesses, type Platform } from './start-processes.ts';

/** Server that is ready from the third request on, and slow to stop. */
const source = `
import { createServer } from 'node:http';
let asked = 0;
const answer = (response) => { response.statusCode = ++asked < 3 ? 503 : 200; response.end(process.env.ORDERS_URL); };
createServer((_, response) => answer(response)).listen(Number(process.env.PORT), process.env.HOST);
process.on('SIGTERM', () => { console.log('stopping'); setTimeout(() => process.exit(0), 50); });
`;
const chosen: readonly ProcessName[] = ['orders', 'order-view', 'gateway-web'];
const stackEnv = {
  KAFKA_BROKERS: '127.0.0.1:1',
  DATABASE_URL: 'postgres://127.0.0.1:1',
  REDIS_URL: 'redis://127.0.0.1:1',
  JWT_SECRET: 'j'.repeat(32),
  CURSOR_SECRETS: 'c'.repeat(32),
  WEBHOOK_KEYS: 'w'.repeat(32),
  SERVICE_SECRETS: 's'.repeat(32),
};

async function withPlatform(use: (platform: Platform, lines: string[]) => Promise<void>): Promise<void> {
  await using directory = await temporaryDirectory();
  const entry = join(directory.path, 'entry.ts');
  await writeFile(entry, source.replace('(response)', '(response: import("node:http").ServerResponse)'));
  const lines: string[] = [];
  const freed = await freePorts(chosen.length);
  await using platform = startProcesses({
    stackEnv,
    table: processes.map((spec): ProcessSpec => ({ ...spec, entry: relative(repositoryRoot, entry) })),
    only: chosen,
    restarts: false,
    ports: Object.fromEntries(chosen.map((name, index) => [name, freed[index] ?? 0])),
    onLine: (name, line) => lines.push(`${name}: ${line}`),
  });
  await use(platform, lines);
}

const answerOf = async (url: string): Promise<string> => (await fetch(url)).text();

describe('the started processes', () => {
  it('are ready when /readyz of each answers 200, and know the addresses of the others', () =>
    withPlatform(async (platform) => {
      await platform.ready({ timeoutMs: 10_000 });
      expect(await answerOf(platform.urls['gateway-web'])).toBe(platform.urls.orders);
    }));

  it('can be killed and restarted one by one', () =>
    withPlatform(async (platform) => {
      await platform.ready({ timeoutMs: 10_000 });
      const before = platform.pid('order-view');
      await platform.kill('order-view');
      await expect(platform.ready({ timeoutMs: 100 })).rejects.toThrow('not ready yet: order-view (down');
      await platform.restart('order-view');
      expect(platform.pid('order-view')).not.toBe(before);
      await platform.ready({ timeoutMs: 10_000 });
    }));

  it('are stopped in reverse order, the edge first', () =>
    withPlatform(async (platform, lines) => {
      await platform.ready({ timeoutMs: 10_000 });
      await platform.stop();
      expect(lines).toEqual(['gateway-web: stopping', 'order-view: stopping', 'orders: stopping']);
    }));

  it('do not start when a variable is missing', () => {
    const { DATABASE_URL: _, ...incomplete } = stackEnv;
    expect(() => startProcesses({ stackEnv: incomplete })).toThrow('orders needs DATABASE_URL');
  });
});
