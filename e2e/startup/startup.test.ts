/** Promise: a process with a wrong environment names the variable and exits; without its backends it waits and says so. */
import { freePort, startChild, until, type Child } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { environmentOf, processes, type ProcessName } from '../../scripts/processes.ts';
import { testSecrets } from '../harness/running-platform.ts';

interface Report {
  readonly status: string;
  readonly checks: Record<string, { ok: boolean; error?: string }>;
}

/** An environment with every backend at an address without a listener. */
async function unreachableBackends(port: number) {
  const [kafka, postgres, redis] = await Promise.all([freePort(), freePort(), freePort()]);
  return {
    env: {
      ...testSecrets,
      KAFKA_BROKERS: `127.0.0.1:${kafka}`,
      DATABASE_URL: `postgres://127.0.0.1:${postgres}/tidegate`,
      REDIS_URL: `redis://127.0.0.1:${redis}`,
    },
    host: '127.0.0.1',
    urlOf: () => 'http://127.0.0.1:1',
    portOf: () => port,
  };
}

async function withProcess(
  name: ProcessName,
  change: (env: Record<string, string>) => void,
  use: (child: Child, url: string) => Promise<void>,
): Promise<void> {
  const spec = processes.find((each) => each.name === name)!;
  const port = await freePort();
  const env = environmentOf(spec, await unreachableBackends(port));
  change(env);
  await using child = startChild(spec.entry, env);
  await use(child, `http://127.0.0.1:${port}`);
}

const withVariables = processes.filter(({ variables }) => variables.length > 0).map(({ name }) => name);

describe('a process with a wrong environment', () => {
  it.each(withVariables)('%s exits with 78, naming the variable and its format', (name) =>
    withProcess(
      name,
      (env) => {
        delete env['KAFKA_BROKERS'];
        env['PORT'] = 'eighty';
      },
      async (child) => {
        expect((await child.exited).code).toBe(78);
        const output = child.lines.join('\n');
        expect(output).toMatch(/KAFKA_BROKERS is not set; it expects .*host:port/);
        expect(output).toMatch(/PORT is "eighty"; it expects a TCP port/);
      },
    ),
  );
});

describe('a process whose backends cannot be reached', () => {
  it.each<[ProcessName, string]>([
    ['orders', 'postgres'],
    ['order-view', 'postgres'],
    ['gateway-web', 'postgres'],
    ['dispatcher', 'postgres'],
  ])('%s runs, reports on /readyz that it waits for %s, and logs each attempt', (name, backend) =>
    withProcess(
      name,
      () => undefined,
      async (child, url) => {
        await until(async () => (await fetch(`${url}/healthz`)).status === 200, { what: '/healthz' });
        const report = await until(
          async () => {
            const response = await fetch(`${url}/readyz`);
            const body = (await response.json()) as Report;
            return response.status === 503 && body.checks[backend]?.ok === false && body;
          },
          { what: `/readyz to name ${backend}`, timeoutMs: 20_000 },
        );
        expect(report.checks[backend]?.error).toBeTruthy();
        await until(() => child.lines.some((line) => line.includes(backend) && /again|retry/i.test(line)), {
          what: 'a log line about the retry',
          timeoutMs: 20_000,
        });
        const exit = await child.kill('SIGTERM');
        expect(exit.code).toBe(0);
      },
    ),
  );
});
