import { freePort, startChild, until } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';

const entry = 'packages/service/src/test-service.fixture.ts';

describe('the process of a service', () => {
  it('with a wrong environment names the missing variables of every service and its own', async () => {
    await using child = startChild(entry, { PORT: '0', TOPIC_PARTITIONS: '0' });
    expect((await child.exited).code).toBe(78);
    const said = child.lines.join('\n');
    for (const name of ['KAFKA_BROKERS', 'DATABASE_URL', 'SERVICE_SECRETS', 'TEST_GREETING']) {
      expect(said).toContain(`${name} is not set`);
    }
    expect(said).toContain('TOPIC_PARTITIONS is "0"');
  });

  it('waits for its database, then closes Kafka before it', async () => {
    const port = await freePort();
    await using child = startChild(entry, {
      PORT: String(port),
      KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
      DATABASE_URL: `postgres://127.0.0.1:${await freePort()}/none`,
      SERVICE_SECRETS: 's'.repeat(32),
      TEST_GREETING: 'hello',
    });
    await child.waitForLine('postgres cannot be reached');
    const report = await until(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).json(), {
      what: '/readyz',
    });
    expect(report).toMatchObject({ checks: { postgres: { ok: false } } });
    expect((await child.kill('SIGTERM')).code).toBe(0);
    const stopped = child.lines.flatMap((line) => /"msg":"stopped (\w+)"/.exec(line)?.[1] ?? []);
    expect(stopped).toEqual(['kafka', 'postgres', 'telemetry']);
  });
});
