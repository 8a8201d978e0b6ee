import { createPostgresDatabase } from '@tidegate/database/postgres';
import { freePort, kafkaBrokersFromEnv, postgresUrlFromEnv, startChild } from '@tidegate/testing';
import { describe, expect, it } from 'vitest';
import { CALLER_HEADER, CallerKeys } from './callers/caller-keys.ts';

const secret = 's'.repeat(32);
const brokers = kafkaBrokersFromEnv();
const url = postgresUrlFromEnv();
if (!brokers || !url) {
  console.warn('SKIPPED: the process of a service; KAFKA_BROKERS or DATABASE_URL is not set');
}

describe.skipIf(!brokers || !url)('the process of a service, with KAFKA_BROKERS and DATABASE_URL', () => {
  it('serves on both, in a schema of its name, and stops the service before them', async () => {
    const schema = `service_${process.pid}_${Date.now().toString(36)}`;
    const port = await freePort();
    await using database = disposable(url ?? '', schema);
    await using child = startChild('packages/service/src/test-service.fixture.ts', {
      PORT: String(port),
      KAFKA_BROKERS: (brokers ?? []).join(),
      DATABASE_URL: url ?? '',
      TOPIC_PARTITIONS: '3',
      TEST_NAME: schema,
      SERVICE_SECRETS: secret,
      TEST_GREETING: 'hello',
    });
    await child.waitForLine(`${schema} is ready`);
    const base = `http://127.0.0.1:${port}`;
    expect((await fetch(base)).status).toBe(401);
    const call = { service: schema, path: '/', body: '' };
    const headers = { [CALLER_HEADER]: new CallerKeys([secret]).signCall(call) };
    expect(await (await fetch(base, { headers })).json()).toEqual({
      greeting: 'hello',
      partitions: 3,
      dialect: 'postgres',
    });
    expect(await (await fetch(`${base}/readyz`)).json()).toEqual({
      status: 'ready',
      checks: { postgres: { ok: true }, kafka: { ok: true }, clock: { ok: true } },
    });
    expect(await database.schemas()).toEqual([schema]);

    expect((await child.kill('SIGTERM')).code).toBe(0);
    const stopped = child.lines.flatMap((line) => /"msg":"stopped (\w+)"/.exec(line)?.[1] ?? []);
    expect(stopped).toEqual([schema, 'clock', 'kafka', 'postgres', 'telemetry']);
  });
});

/** Drops the schema at the end. */
function disposable(postgres: string, schema: string) {
  const database = createPostgresDatabase<{ 'information_schema.schemata': { schema_name: string } }>({
    url: postgres,
    schema: 'public',
    maxConnections: 1,
  });
  return {
    async schemas(): Promise<string[]> {
      const rows = await database.query
        .selectFrom('information_schema.schemata')
        .select('schema_name')
        .where('schema_name', '=', schema)
        .execute();
      return rows.map(({ schema_name: name }) => name);
    },
    async [Symbol.asyncDispose]() {
      await database.query.schema.dropSchema(schema).ifExists().cascade().execute();
      await database.close();
    },
  };
}
